"""Float32 products on a GPU's tensor cores, which multiply numbers of 11 binary digits only.

A tensor core makes a small matrix product at once, many times as fast as multiply-adds, but of a
float32's 24 digits it looks at the first 11 (the format TF32). So each number is split in two,

    a = ⌊a⌋ + a′       ⌊a⌋: the first 11 digits; a′ = a − ⌊a⌋, exactly: the others

and a product becomes three, the small ones first:

    a · b ≈ a′ · ⌊b⌋ + ⌊a⌋ · b′ + ⌊a⌋ · ⌊b⌋

What is left out, a′ · b′ and the last two digits of a′ and b′, is less than a · b / 2¹⁹. A tensor
core cuts its sums off where float32 rounds them, so it errs to the same side each time. Therefore
it starts at 0 for every panel, and these sums are added up by ordinary additions (Ootomo & Yokota
2022, "Recovering single precision accuracy from Tensor Cores while surpassing the FP32 theoretical
peak performance").

Of an Inf a′ is Inf − Inf, so it arrives as NaN.
"""

from functools import cache

import numpy as np
from llvmlite import ir
from numba import types
from numba.cuda import libdevice
from numba.cuda.extending import intrinsic

from .device import SIMULATED, cuda, device, index, quotient, remainder
from .panels import DEPTH, take_columns, take_rows, thread_at

NAME = "tensor cores"  # in the names of kernels
SINCE = 8, 0  # the compute capability of Ampere
CUT_OFF = 24 - 11  # binary digits of a float32


@cache
def available() -> bool:
    """Whether the GPU here has any that read float32."""
    if SIMULATED or not cuda.is_available():
        return False
    return cuda.get_current_device().compute_capability[:2] >= SINCE


def panel_products(tile):
    """The function that adds them: sums[r, s] += Σ_k a(k, own row r) · b(k, own column s).

    A warp's products have eight columns each, of which thread (g, q) gives number g and gets
    numbers 2q and 2q + 1 (`multiply_add`). So it takes b at other columns than its own.
    """
    R, S = tile.rows, tile.columns
    place, rows_of_a, columns_of_b = thread_at(tile), take_rows(tile), take_columns(tile, 2)
    of_a, of_b = (R, DEPTH // 4), (S // 2, DEPTH // 4)

    @device
    def add(panel_a, panel_b, t, sums):
        row, column = place(t)
        g, q = remainder(quotient(t, 4), 8), remainder(t, 4)
        a, b = cuda.local.array(of_a, sums.dtype), cuda.local.array(of_b, sums.dtype)
        for step in range(DEPTH // 8):
            k = index(8 * step + 2 * q)
            rows_of_a(panel_a, k, row, a, 2 * step)
            columns_of_b(panel_b, k, index(2 * (column - q) + g), b, 2 * step)
        for s in range(0, S, 2):
            for r in range(0, R, 2):
                zero = sums.dtype.type(0)
                total = zero, zero, zero, zero
                for k in range(0, DEPTH // 4, 2):
                    of_rows = a[r, k], a[r + 1, k], a[r, k + 1], a[r + 1, k + 1]
                    of_column = b[s // 2, k], b[s // 2, k + 1]
                    total = multiply_in_three(of_rows, of_column, total)
                sums[r, s] += total[0]
                sums[r, s + 1] += total[1]
                sums[r + 1, s] += total[2]
                sums[r + 1, s + 1] += total[3]

    return add


@device
def multiply_in_three(a, b, c):
    """c + a · b, with the digits that a tensor core does not look at."""
    first_a = first(a[0]), first(a[1]), first(a[2]), first(a[3])
    rest_a = a[0] - first_a[0], a[1] - first_a[1], a[2] - first_a[2], a[3] - first_a[3]
    first_b = first(b[0]), first(b[1])
    rest_b = b[0] - first_b[0], b[1] - first_b[1]
    c = multiply_add(rest_a, first_b, c)
    c = multiply_add(first_a, rest_b, c)
    return multiply_add(first_a, first_b, c)


@device
def first(x):
    """The first 11 digits of x, the others 0."""
    digits = np.int32(-1 << CUT_OFF)
    return libdevice.int_as_float(libdevice.float_as_int(x) & digits)


MULTIPLY_ADD = (
    "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32 "
    "{$0, $1, $2, $3}, {$4, $5, $6, $7}, {$8, $9}, {$10, $11, $12, $13};"
)


@intrinsic
def multiply_add(typing_context, a, b, c):
    """c + a · b, one instruction of a whole warp: a has 16 × 8 numbers and b 8 × 8.

    Thread (g, q), which is lane 4g + q, gives four numbers of a, two of b and four of c, and
    gets four of the result:

        a  (g, q)  (g + 8, q)  (g, q + 4)  (g + 8, q + 4)        b  (q, g)  (q + 4, g)
        c  (g, 2q)  (g, 2q + 1)  (g + 8, 2q)  (g + 8, 2q + 1)

    (NVIDIA, "PTX ISA", mma.m16n8k8.) Which of our k is its k = q does not matter as long as a and
    b agree, nor which of our rows is its row g. Here q and q + 4 are two k side by side, g and
    g + 8 two rows.
    """
    two, four = types.UniTuple(types.float32, 2), types.UniTuple(types.float32, 4)

    def generate(context, builder, signature, arguments):
        real, bits = ir.FloatType(), ir.IntType(32)
        a, b, c = (
            [builder.extract_value(argument, k) for k in range(len(kind))]
            for argument, kind in zip(arguments, signature.args)
        )
        result = ir.LiteralStructType([real] * 4)
        kind = ir.FunctionType(result, [bits] * 6 + [real] * 4)
        places = ",".join(["=f"] * 4 + ["r"] * 6 + ["f"] * 4)
        instruction = ir.InlineAsm(kind, MULTIPLY_ADD, places, side_effect=True)
        made = builder.call(instruction, [*(builder.bitcast(x, bits) for x in a + b), *c])
        return context.make_tuple(
            builder, signature.return_type, [builder.extract_value(made, k) for k in range(4)]
        )

    return four(four, two, four), generate
