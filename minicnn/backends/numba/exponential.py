"""e^−|x| and what follows from it, in float32 from sums and products, which LLVM turns into vector
instructions; it cannot do that with calls into the C library, ten times as slow. (float64 is for
gradient checks, and does call it.)

    e^x = 2^n · e^r,   n = round(x / ln 2),   |r| = |x − n · ln 2| ≤ ln 2 / 2

e^r is a polynomial (Cephes, expf.c), and 2^n is n in the exponent's bits of a float.
"""

import math

import numpy as np
from numba import types
from numba.extending import overload

from ..scalar import decay, hyperbolic_tangent, normal_share, softening
from .runtime import OPTIONS

LOG2_E = np.float32(1.44269504)
LN2_HIGH, LN2_LOW = np.float32(0.693359375), np.float32(-2.12194440e-4)  # n · LN2_HIGH is exact
P0, P1, P2, P3, P4, P5 = np.array(
    [1.9875691500e-4, 1.3981999507e-3, 8.3334519073e-3, 4.1665795894e-2, 1.6666665459e-1, 0.5], "f"
)
T3, T5, T7 = np.array([-1 / 3, 2 / 15, -17 / 315], "f")  # tanh x = x + T3 x³ + T5 x⁵ + T7 x⁷ …
L3, L5, L7, L9, L11, L13 = np.array([1 / k for k in range(3, 15, 2)], "f")
A0, A1, A2, A3, A4, A5 = np.array(
    [0.3275911, 0.254829592, -0.284496736, 1.421413741, -1.453152027, 1.061405429], "f"
)
ZERO, HALF, ONE, TWO, ROOT_HALF = np.array([0, 0.5, 1, 2, math.sqrt(0.5)], "f")
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


def softening_float32(x):
    """ln(1 + e) = 2 · artanh z with z = e / (2 + e) ≤ 1/3, by its series z + z³ / 3 + z⁵ / 5 …"""
    e = decay(x)
    z = e / (TWO + e)
    q = z * z
    return (z + z) * (ONE + q * (L3 + q * (L5 + q * (L7 + q * (L9 + q * (L11 + q * L13))))))


def normal_share_float32(x):
    """What lies beyond |x|, within 10⁻⁷ (Abramowitz & Stegun 1964, formula 7.1.26 for erf)."""
    t = ONE / (ONE + A0 * ROOT_HALF * abs(x))
    polynomial = t * (A1 + t * (A2 + t * (A3 + t * (A4 + t * A5))))
    beyond = HALF * polynomial * decay(HALF * x * x)
    return beyond if x < 0 else ONE - beyond


def in_vectors(formula, float32, float64):
    """Compiled, a formula of `scalar.py` is one of these two, as its argument's type decides."""

    @overload(formula, jit_options=OPTIONS)
    def choose(x):
        return float32 if x == types.float32 else float64

    return formula


IN_VECTORS = (
    in_vectors(decay, decay_float32, lambda x: math.exp(-abs(x))),
    in_vectors(hyperbolic_tangent, tanh_float32, lambda x: math.tanh(x)),
    in_vectors(softening, softening_float32, lambda x: math.log1p(math.exp(-abs(x)))),
    in_vectors(
        normal_share, normal_share_float32, lambda x: 0.5 + 0.5 * math.erf(x * math.sqrt(0.5))
    ),
)
