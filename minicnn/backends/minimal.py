"""Convolutions with fewer multiplications: Winograd's minimal algorithm, for stride 1.

A square of m × m outputs comes from a patch of n × n pixels, n = m + k − 1. The formula multiplies
m²·k² times. But a product of polynomials is known from its values at n points, and there it is n
products of numbers (Winograd 1980; Lavin & Gray 2016). Along both axes:

    U = G w Gᵀ      V = B x Bᵀ      D = A dy Aᵀ          values at the points, n × n each

    y  = Aᵀ [Σ_c U ⊙ V] A                  sums over channels
    dx = the forward pass of dy, with w turned by 180° and its first two axes exchanged
    dw = Gᵀ [Σ_{patches, images} D ⊙ V] G

With m = 4 that is n² = 36 products instead of 144 for k = 3, and 64 instead of 400 for k = 5. The
price is rounding: the matrices hold numbers from 1/90 to 8, whose products cancel later. Errors are
a few times those of the plain sum, in dw ten times and more.

`numpy/winograd.py` is these lines in NumPy, `numba/winograd.py` in vector lanes.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np

from .window import Window

M = 4  # outputs along one axis of a patch; 6 is hardly faster, and several times less exact
# The points are 0, ±p for these p, and ∞: those pairs halve the work of a transform, for the rows
# of ±p differ in signs only. Among small fractions, these have the least float32 error.
PAIRS = {6: (Fraction(2, 3), Fraction(3, 2)), 8: (Fraction(1, 2), Fraction(1), Fraction(2))}


def saved(window: Window) -> float:
    """How many times fewer products a convolution takes, with what patches waste at the edges; 0
    where there are no points for its kernel, or its stride or dilation is not 1.
    """
    k, (oh, ow) = window.kernel[0], window.output
    if window.kernel != (k, k) or M + k - 1 not in PAIRS:
        return 0.0
    if (window.stride, window.dilation) != ((1, 1), (1, 1)):
        return 0.0
    patches = -(-oh // M) * -(-ow // M)
    return oh * ow * k**2 / (patches * (M + k - 1) ** 2)


@cache
def matrices(m: int, k: int) -> dict[str, np.ndarray]:
    """A (n × m), G (n × k) and B (n × n): a row a point p. Exact, then rounded to float64.

    A and G hold the powers 1, p, p², … and row p of B the coefficients of Π_{q ≠ p} (t − q), by
    whose value at p the row of G is divided. The point ∞, the last row, is the highest coefficient.
    """
    n = m + k - 1
    points = [Fraction(0)] + [sign * p for p in PAIRS[n] for sign in (1, -1)]
    zero, one = Fraction(0), Fraction(1)
    a = [[p**i for i in range(m)] for p in points] + [[zero] * (m - 1) + [one]]
    g = [[p**i for i in range(k)] for p in points] + [[zero] * (k - 1) + [one]]
    b = [[*polynomial(points[:j] + points[j + 1 :]), zero] for j in range(n - 1)]
    b.append(polynomial(points))
    for j, p in enumerate(points):
        value = sum((c * p**i for i, c in enumerate(b[j])), zero)
        g[j] = [c / value for c in g[j]]
    return {name: np.array(rows, float) for name, rows in (("A", a), ("G", g), ("B", b))}


def polynomial(roots: list[Fraction]) -> list[Fraction]:
    """The coefficients of Π (t − root), the lowest first."""
    c = [Fraction(1)]
    for root in roots:
        c = [low - root * high for low, high in zip([Fraction(0), *c], [*c, Fraction(0)])]
    return c
