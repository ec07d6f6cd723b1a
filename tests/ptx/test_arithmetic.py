"""Single operations, compiled and interpreted, against what Python and NumPy say of them."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import int32, uint32

from minicnn.backends.cuda.device import cuda

from .fault import Refused
from .host import to_device
from .interpreted import on_every_number
from .operations import OPERATIONS
from .parse import parse_instruction

I32, I64 = st.integers(-(2**31), 2**31 - 1), st.integers(-(2**63), 2**63 - 1)
F32 = st.floats(width=32)
PLAIN = st.floats(-1e6, 1e6, width=32)


@cuda.jit
def divisions(a, b, quotient, rest):
    k = cuda.grid(1)
    if k < a.size and b[k] != 0:
        quotient[k], rest[k] = a[k] // b[k], a[k] % b[k]


@pytest.mark.parametrize("dtype, numbers", [("int32", I32), ("int64", I64)])
@given(st.data())
def test_whole_numbers_are_divided_as_python_does(dtype, numbers, data):
    pairs = data.draw(st.lists(st.tuples(numbers, numbers.filter(bool)), min_size=1))
    smallest = np.iinfo(dtype).min
    pairs = [(a, b) for a, b in pairs if (a, b) != (smallest, -1)] or [(7, -2)]
    a, b = np.array(pairs, dtype).T
    quotient, rest = on_every_number(divisions, a, b, [dtype, dtype])
    assert quotient.tolist() == [p // q for p, q in pairs]
    assert rest.tolist() == [p % q for p, q in pairs]


@cuda.jit
def shifts(a, n, left, right, unsigned):
    k = cuda.grid(1)
    if k < a.size:
        left[k], right[k] = a[k] << n[k], a[k] >> n[k]
        unsigned[k] = uint32(a[k]) >> uint32(n[k])


@given(st.lists(st.tuples(I32, st.integers(0, 31)), min_size=1))
def test_bits_are_shifted_and_the_sign_fills_up(pairs):
    a, n = np.array(pairs, np.int32).T
    left, right, unsigned = on_every_number(shifts, a, n, ["int32", "int32", "uint32"])
    assert left.tolist() == (a << n).tolist()
    assert right.tolist() == (a >> n).tolist()
    assert unsigned.tolist() == (a.view("u4") >> n.view("u4")).tolist()


@cuda.jit
def by_constants(a, seventh, tenth, b):
    k = cuda.grid(1)
    if k < a.size:
        seventh[k], tenth[k] = a[k] // 7, uint32(a[k]) // uint32(10)
        b[k] = a[k] * a[k] + 3


@pytest.mark.parametrize("dtype, numbers", [("int32", I32), ("int64", I64)])
@given(st.data())
def test_division_by_a_constant_takes_the_upper_half_of_a_product(dtype, numbers, data):
    a = np.array(data.draw(st.lists(numbers, min_size=1)), dtype)
    seventh, tenth, b = on_every_number(by_constants, a, None, [dtype, "uint32", "int64"])
    assert seventh.tolist() == [n // 7 for n in a.tolist()]
    assert tenth.tolist() == [n % 2**32 // 10 for n in a.tolist()]
    assert b.tolist() == [(n * n + 3 + 2**63) % 2**64 - 2**63 for n in a.tolist()]


@cuda.jit
def product_and_sum(a, b, y):
    k = cuda.grid(1)
    if k < a.size:
        y[k] = a[k] * b[k] + y.dtype.type(1)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(st.lists(st.tuples(PLAIN, PLAIN), min_size=1))
def test_a_multiply_add_is_rounded_once(dtype, pairs):
    a, b = np.array(pairs, dtype).T
    (y,) = on_every_number(product_and_sum, a, b, [dtype])
    for found, p, q in zip(y, a, b):
        exact = Fraction(float(p)) * Fraction(float(q)) + 1
        digit = Fraction(float(np.spacing(abs(found))))
        # A millionth more than half a digit, for numbers that lie between two.
        assert abs(Fraction(float(found)) - exact) <= digit * 500001 / 10**6


@cuda.jit
def conversions(a, b, whole, single, back):
    k = cuda.grid(1)
    if k < a.size:
        whole[k], single[k] = int32(a[k]), a[k]
        back[k] = b[k]


@given(st.lists(st.tuples(st.floats(-2e9, 2e9), I64), min_size=1))
def test_numbers_are_converted_as_numpy_converts_them(pairs):
    a, b = np.array([p for p, _ in pairs]), np.array([q for _, q in pairs], np.int64)
    found = on_every_number(conversions, a, b, ["int32", "float32", "float32"])
    for values, wanted in zip(found, [a.astype("i4"), a.astype("f4"), b.astype("f4")]):
        np.testing.assert_array_equal(values, wanted)


@cuda.jit
def comparisons(a, b, less, larger, smaller):
    k = cuda.grid(1)
    if k < a.size:
        less[k] = 1 if a[k] < b[k] else 2 if a[k] == b[k] else 3 if not a[k] <= b[k] else 4
        larger[k], smaller[k] = max(a[k], b[k]), -abs(a[k])


@given(st.lists(st.tuples(F32, F32), min_size=1))
def test_floats_with_nan_and_infinities_are_compared_as_numpy_compares_them(pairs):
    a, b = np.array(pairs, np.float32).T
    less, _, smaller = on_every_number(comparisons, a, b, ["int64", "float32", "float32"])
    wanted = np.where(a < b, 1, np.where(a == b, 2, 3))
    np.testing.assert_array_equal(less, wanted)
    np.testing.assert_array_equal(smaller, -np.abs(a))


@given(*[st.integers(0, 2**32 - 1)] * 3)
def test_bytes_are_picked_from_two_numbers_and_their_signs_fill_up(a, b, selector):
    form = parse_instruction("prmt.b32 %r4, %r1, %r2, %r3")
    numbers = (np.array([number], "u4") for number in (a, b, selector))
    (found,) = OPERATIONS["prmt"].compute(form, *numbers)
    both, picked = a.to_bytes(4, "little") + b.to_bytes(4, "little"), []
    for s in (selector >> 4 * k & 15 for k in range(4)):
        byte = both[s & 7]
        picked.append(byte if s < 8 else 255 * (byte >= 128))
    assert int(found).to_bytes(4, "little") == bytes(picked)


def test_a_table_of_constants_is_read():
    values = np.array([3.5, -1.0, 2.25], np.float32)

    @cuda.jit
    def looked_up(a, b, y):
        table = cuda.const.array_like(values)
        k = cuda.grid(1)
        if k < a.size:
            y[k] = table[a[k]]

    a = np.array([2, 0, 1, 1])
    (y,) = on_every_number(looked_up, a, None, ["float32"])
    np.testing.assert_array_equal(y, values[a])


def test_a_division_by_zero_is_refused():
    form = parse_instruction("div.s64 %rd3, %rd1, %rd2")
    with pytest.raises(Refused, match="divides by zero") as error:
        OPERATIONS["div"].compute(form, np.array([4, 5]), np.array([2, 0]))
    assert error.value.first == 1


def test_an_instruction_that_is_not_known_is_named():
    @cuda.jit
    def bits(a):
        a[0] = cuda.popc(a[0])

    with pytest.raises(NotImplementedError, match="popc"):
        bits[1, 1](to_device(np.array([3])))
