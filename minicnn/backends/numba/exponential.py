"""e^−|x| and tanh in float32 from sums and products, which LLVM turns into vector instructions; it
cannot do that with calls into the C library, ten times as slow. (float64 is for gradient checks,
and does call it.)

    e^x = 2^n · e^r,   n = round(x / ln 2),   |r| = |x − n · ln 2| ≤ ln 2 / 2

e^r is a polynomial (Cephes, expf.c), and 2^n is n in the exponent's bits of a float.
"""

import math

import numpy as np
from numba import types
from numba.extending import overload

from ..scalar import decay, hyperbolic_tangent
from .runtime import OPTIONS

LOG2_E = np.float32(1.44269504)
LN2_HIGH, LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)  # n · LN2_HIGH is exact
P0, P1, P2, P3, P4, P5 = np.array(
    [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5], "f"
)
T3, T5, T7 = np.array([-1 / 3, 2 / 15, -17 / 315], "f")  # tanh x = x + T3 x³ + T5 x⁵ + T7 x⁷ …
ZERO, HALF, ONE = np.array([0, 0.5, 1], "f")
NEAR = np.float32(0.01)  # x² at |x| = 0.1
LOWEST = np.float32(-87)  # below, e^x is no normal number any more: 0


def decay_float32(x):
    x = -abs(x)
    n = np.floor(x * LOG2_E + HALF)
    r = x - n * LN2_HIGH - n * LN2_LOW
    e = (((((P0 * r + P1) * r + P2) * r + P3) * r + P4) * r + P5) * r * r + r + ONE
    power = np.int32((np.int32(n) + 127) << 23).view(np.float32)
    return ZERO if x < LOWEST else e * power


def tanh_float32(x):
    """±(1 − e^−2|x|) / (1 + e^−2|x|), and near 0, where 1 − e cancels, a series."""
    e, square = decay(x + x), x * x
    size = (ONE - e) / (ONE + e)
    near = x + x * square * (T3 + square * (T5 + square * T7))
    return near if square < NEAR else (size if x > 0 else -size)


# Compiled, the type decides which of the two it is.


@overload(decay, jit_options=OPTIONS)
def choose_decay(x):
    return decay_float32 if x == types.float32 else lambda x: math.exp(-abs(x))


@overload(hyperbolic_tangent, jit_options=OPTIONS)
def choose_tangent(x):
    return tanh_float32 if x == types.float32 else lambda x: math.tanh(x)


IN_VECTORS = (decay, hyperbolic_tangent)
