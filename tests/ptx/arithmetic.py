"""What PTX's arithmetic instructions compute, on NumPy arrays with a thread's number each.

Each function gets the instruction and its operands as arrays of the right type. Here are whole
numbers, comparisons and conversions; `floats.py` has what only floats know.
"""

from functools import cache

import numpy as np

from .fault import Refused
from .floats import FLOATS, arithmetic, flushed, of_floats, rounded, wider
from .operations import OPERATIONS, OWN, dtype_of, operation
from .parse import Instruction


@cache
def prepared(form: Instruction):
    """What computes an instruction, the dtypes of its operands, and of its result.

    Raises NotImplementedError for one that is not here.
    """
    known = OPERATIONS.get(form.opcode)
    if known is None or form.modifiers - known.modifiers:
        raise NotImplementedError(form.text)

    def dtype(kind):
        return dtype_of((kind(form) if callable(kind) else kind) or form.types[-1])

    takes = [*known.takes, *[OWN] * (len(form.operands) - 1)]
    return known.compute, [dtype(k) for k in takes[: len(form.operands) - 1]], dtype(known.gives)


# ── whole numbers ────────────────────────────────────────────────────────────────────────────


def wide_type(form):
    """Of `mul.wide.s32`: s64."""
    own = form.types[-1]
    return f"{own[0]}{2 * int(own[1:])}" if "wide" in form.modifiers else own


@operation("mul", f"{FLOATS} lo hi wide", gives=wide_type)
def multiply(form, a, b):
    if a.dtype.kind == "f":
        return arithmetic(np.multiply)(form, a, b)
    if "wide" in form.modifiers:
        wide = dtype_of(wide_type(form))
        return a.astype(wide) * b.astype(wide)
    return upper_half(a, b) if "hi" in form.modifiers else a * b


@operation("mad", "lo hi wide", takes=(OWN, OWN, wide_type), gives=wide_type)
def multiply_and_add(form, a, b, c):
    return multiply(form, a, b) + c


def upper_half(a, b):
    """⌊a · b / 2ⁿ⌋ for numbers of n bits; for 64 from products of their halves."""
    bits = 8 * a.dtype.itemsize
    if bits < 64:
        wide = np.dtype(f"{a.dtype.kind}{bits // 4}")
        return (a.astype(wide) * b.astype(wide) >> wide.type(bits)).astype(a.dtype)
    x, y, low, half = a.view("u8"), b.view("u8"), np.uint64(2**32 - 1), np.uint64(32)
    x0, x1, y0, y1 = x & low, x >> half, y & low, y >> half
    middle = x1 * y0 + (x0 * y0 >> half)
    high = x1 * y1 + (middle >> half) + (x0 * y1 + (middle & low) >> half)
    if a.dtype.kind == "i":  # as an unsigned number, a negative one is 2⁶⁴ more
        high = high - np.where(a < 0, y, 0).astype("u8") - np.where(b < 0, x, 0).astype("u8")
    return high.view(a.dtype)


@operation("div", FLOATS)
@of_floats
def divide(form, a, b):
    """Whole numbers are rounded towards 0."""
    if a.dtype.kind == "f":
        return rounded(form, wider(a) / wider(b), a.dtype)
    if not b.all():
        raise Refused("divides by zero", b == 0)
    quotient = a // b
    return quotient + ((quotient < 0) & (quotient * b != a)).astype(a.dtype)


@operation("rem")
def remainder(form, a, b):
    return a - divide(form, a, b) * b


@operation("and")
def bitwise_and(form, a, b):
    return a & b


@operation("or")
def bitwise_or(form, a, b):
    return a | b


@operation("xor")
def bitwise_xor(form, a, b):
    return a ^ b


@operation("not")
def bitwise_not(form, a):
    return ~a


@operation("shl", takes=(OWN, "u32"))
def shift_left(form, a, n):
    bits = 8 * a.dtype.itemsize
    return np.where(n < bits, a << (n % bits).astype(a.dtype), a.dtype.type(0))


@operation("shr", takes=(OWN, "u32"))
def shift_right(form, a, n):
    """Signed numbers are filled up with their sign."""
    bits = 8 * a.dtype.itemsize
    gone = a >> a.dtype.type(bits - 1) if a.dtype.kind == "i" else a.dtype.type(0)
    return np.where(n < bits, a >> (n % bits).astype(a.dtype), gone)


@operation("bfe", takes=(OWN, "u32", "u32"))
def bit_field(form, a, first, count):
    """`count` bits of a from number `first` on; the last is the sign of a signed number."""
    bits = 8 * a.dtype.itemsize
    first, count = np.minimum(first % 256, bits), np.minimum(count % 256, bits)
    count = np.minimum(count, bits - first)
    up = shift_left(form, a, bits - first - count)
    return np.where(count > 0, shift_right(form, up, bits - count), a.dtype.type(0))


@operation("bfi", takes=(OWN, OWN, "u32", "u32"))
def insert_bits(form, a, b, first, count):
    """b with `count` of its bits, from number `first` on, replaced by the lowest of a."""
    bits = 8 * a.dtype.itemsize
    first, count = np.minimum(first % 256, bits), np.minimum(count % 256, bits)
    every = ~np.zeros_like(a)
    mask = shift_left(form, ~shift_left(form, every, count), first)
    return b & ~mask | shift_left(form, a, first) & mask


@operation("prmt")
def pick_bytes(form, a, b, selector):
    """Byte k of the result is byte s of a (0 to 3) and b (4 to 7), s the k-th four bits of the
    selector; with their highest bit, the sign of that byte fills all eight.
    """
    both, result = a.astype("u8") | b.astype("u8") << np.uint64(32), np.zeros_like(a)
    for k in range(4):
        s = selector >> 4 * k & 15
        byte = (both >> (8 * (s & 7)).astype("u8")).astype("u1")
        byte = np.where(s & 8, (byte.view("i1") >> 7).view("u1"), byte)
        result |= byte.astype(a.dtype) << 8 * k
    return result


# ── comparisons and conversions ──────────────────────────────────────────────────────────────

COMPARISONS = {
    "eq": np.equal, "ne": np.not_equal, "lt": np.less, "le": np.less_equal,
    "gt": np.greater, "ge": np.greater_equal,
}  # fmt: skip
UNORDERED = {f"{name}u": compare for name, compare in COMPARISONS.items()}  # true for NaN


@operation("setp", f"{' '.join([*COMPARISONS, *UNORDERED])} nan num ftz", gives="pred")
def compare(form, a, b):
    either = np.isnan(a) | np.isnan(b) if a.dtype.kind == "f" else np.zeros(1, bool)
    (how,) = form.modifiers - {"ftz"}
    if how in ("nan", "num"):
        return either == (how == "nan")
    a, b = flushed(form, a), flushed(form, b)
    return UNORDERED[how](a, b) | either if how in UNORDERED else COMPARISONS[how](a, b) & ~either


@operation("selp", takes=(OWN, OWN, "pred"))
def select(form, a, b, p):
    return np.where(p, a, b)


@operation("mov")
def move(form, a):
    return a


@operation("cvta", "to")
def address_in_space(form, a):
    """Of global memory; addresses of other spaces mean nothing outside of them here."""
    if form.space != "global":
        raise NotImplementedError(form.text)
    return a


TO_WHOLE = {"rni": np.rint, "rzi": np.trunc, "rmi": np.floor, "rpi": np.ceil}


@operation(
    "cvt", f"rn rz rm rp ftz sat {' '.join(TO_WHOLE)}",
    takes=(lambda form: form.types[1],), gives=lambda form: form.types[0],
)  # fmt: skip
def convert(form, a):
    to = dtype_of(form.types[0])
    whole = next((TO_WHOLE[m] for m in form.modifiers if m in TO_WHOLE), None)
    if to.kind == "f":
        if a.dtype.kind != "f":
            return rounded(form, a, to)
        return of_floats(lambda form, a: rounded(form, whole(a) if whole else a, to))(form, a)
    if "sat" in form.modifiers:
        raise NotImplementedError(form.text)
    if a.dtype.kind != "f":
        return a.astype(to)
    a = whole(wider(flushed(form, a)))
    lowest, highest = (to.type(bound) for bound in (np.iinfo(to).min, np.iinfo(to).max))
    below, above = a <= a.dtype.type(lowest), a >= a.dtype.type(highest)
    found = np.where(below | above | np.isnan(a), 0, a).astype(to)
    return np.where(above, highest, np.where(below, lowest, found))
