"""A warp's small matrix product, interpreted: what it computes, and who must be there."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.backends.cuda import tensor_cores
from minicnn.backends.cuda.device import cuda

from .fault import Fault
from .host import DeviceArray, to_device

SHORT = st.integers(-(2**10), 2**10)  # a tensor core reads all digits, and eight products are exact


@cuda.jit
def product(a, b, c, d, last):
    """d = c + a · b by each warp of a block, if its lanes up to `last` take part."""
    t = cuda.threadIdx.x
    warp, lane = t // 32, t % 32
    g, q = lane // 4, lane % 4
    if lane <= last:
        of_a, of_b, of_c = 128 * warp + 8 * g + q, 64 * warp + 8 * q + g, 128 * warp + 8 * g + 2 * q
        found = tensor_cores.multiply_add(
            (a[of_a], a[of_a + 64], a[of_a + 4], a[of_a + 68]),
            (b[of_b], b[of_b + 32]),
            (c[of_c], c[of_c + 1], c[of_c + 64], c[of_c + 65]),
        )
        d[of_c], d[of_c + 1], d[of_c + 64], d[of_c + 65] = found


def of_warps(a, b, c, last=31):
    made = DeviceArray(c.size, "f4")
    product[1, 32 * len(a)](*map(to_device, (a, b, c)), made, np.int64(last))
    return made.copy_to_host().reshape(c.shape)


def matrices(numbers, warps):
    """a (warps, 16, 8), b (warps, 8, 8) and c (warps, 16, 8) of these numbers in turn."""
    return [np.resize(np.array(numbers, "f"), (warps, rows, 8)) for rows in (16, 8, 16)]


@given(st.lists(SHORT, min_size=1, max_size=300), st.integers(1, 3))
def test_every_warp_multiplies_its_own_matrices(numbers, warps):
    a, b, c = matrices(numbers, warps)
    np.testing.assert_array_equal(of_warps(a, b, c), a @ b + c)


@given(st.lists(st.floats(-1e6, 1e6, width=32), min_size=1, max_size=300))
def test_only_the_first_eleven_digits_count_and_the_sum_is_cut_off(numbers):
    a, b, c = matrices(numbers, 1)
    cut = [
        np.frombuffer((x.view("u4") >> 13 << 13).tobytes(), "f").reshape(x.shape) for x in (a, b)
    ]
    exact = cut[0].astype("f8") @ cut[1].astype("f8") + c
    found = of_warps(a, b, c)
    assert (abs(found) <= abs(exact)).all()
    assert (abs(np.nextafter(found, np.copysign(np.inf, exact).astype("f"))) >= abs(exact)).all()


def test_a_warp_of_which_some_threads_are_elsewhere_is_a_fault():
    with pytest.raises(Fault, match="thread 0 of block 0: `mma.* without the others"):
        of_warps(*matrices([1], 2), last=20)


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_number_is_its_first_digits_and_a_rest(x):
    @cuda.jit
    def split(x, y):
        y[0] = tensor_cores.first(x[0])

    x, y = np.array([x], "f"), DeviceArray(1, "f4")
    split[1, 1](to_device(x), y)
    first = y.copy_to_host()
    assert not first.view("u4")[0] & (1 << 13) - 1
    assert abs(x - first)[0] <= 2.0**-10 * abs(x[0]) or abs(x[0]) < np.finfo("f").tiny
    assert first + (x - first) == x
