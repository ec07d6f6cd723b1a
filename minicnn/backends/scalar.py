"""Formulas of a single number, in plain Python: `numba` and `cuda` compile the same lines.

A literal 1 beside a float32 makes the compilers compute in float64, so constants are written in
the type of the argument: `type(x)(1)`. Comparisons with 0 are harmless. A formula may call others
that stand here.
"""

from math import copysign, erf, exp, log1p, pi, sqrt
from math import tanh as tanh_of_libm

import numpy as np

from . import philox

# ── activations: y from x, and dx from dy and what the layer keeps, x or y ───────────────────


def decay(x):
    """e^−|x| ≤ 1, which never overflows. (numba has it in vector instructions.)"""
    return exp(-abs(x))


def relu(x):
    """max(x, 0) (Nair & Hinton 2010)."""
    return type(x)(0) if x <= 0 else x  # a NaN is not ≤ 0, so it stays


def relu_slope(dy, y):
    """dy where y > 0, else 0: at the kink 0 the slope is taken as 0."""
    return dy if y > 0 else type(dy)(0)


def leaky_relu(x, slope):
    """x where x > 0, else slope · x (Maas et al. 2013)."""
    return x if x > 0 else slope * x


def leaky_relu_slope(dy, x, slope):
    """dy where x > 0, else slope · dy."""
    return dy if x > 0 else slope * dy


def sigmoid(x):
    """1 / (1 + e^−x)."""
    one, small = type(x)(1), decay(x)
    return (one if x >= 0 else small) / (one + small)


def sigmoid_slope(dy, y):
    """dy · y · (1 − y)."""
    return dy * y * (type(y)(1) - y)


def tanh(x):
    """tanh x. (A formula is compiled as it stands; what it calls may be replaced.)"""
    return hyperbolic_tangent(x)


def tanh_slope(dy, y):
    """dy · (1 − y²)."""
    return dy * (type(y)(1) - y * y)


def silu(x):
    """x · σ(x) (Elfwing et al. 2018)."""
    return x * sigmoid(x)


def silu_slope(dy, x):
    """dy · (σ + x · σ · (1 − σ))."""
    s = sigmoid(x)
    return dy * (s + x * s * (type(s)(1) - s))


def gelu(x):
    """x · Φ(x), Φ(x) = (1 + erf(x / √2)) / 2 (Hendrycks & Gimpel 2016)."""
    return x * normal_share(x)


def gelu_slope(dy, x):
    """dy · (Φ(x) + x · φ(x)), φ(x) = e^(−x²/2) / √(2π)."""
    density = type(x)(1 / sqrt(2 * pi)) * decay(x * x * type(x)(0.5))
    return dy * (normal_share(x) + x * density)


def normal_share(x):
    """Φ(x), the share of a normal distribution below x. (numba has it in vector instructions.)"""
    half = type(x)(0.5)
    return half + half * type(x)(erf(x * type(x)(sqrt(0.5))))


def gelu_tanh(x):
    """x · (1 + tanh u) / 2, u = √(2/π) · (x + 0.044715 · x³)."""
    half = type(x)(0.5)
    return half * x * (type(x)(1) + hyperbolic_tangent(gelu_bend(x)))


def gelu_tanh_slope(dy, x):
    """dy · ((1 + tanh u) / 2 + x · (1 − tanh² u) · u′ / 2), u′ = √(2/π) · (1 + 0.134145 · x²)."""
    one, half = type(x)(1), type(x)(0.5)
    t = hyperbolic_tangent(gelu_bend(x))
    bend = one - t * t
    slope = type(x)(sqrt(2 / pi)) * (one + type(x)(0.134145) * x * x)
    # Far out tanh is ±1 and its slope 0, however large the other factors.
    return dy * half * (one + t + (x * bend * slope if bend > 0 else type(x)(0)))


def gelu_bend(x):
    return type(x)(sqrt(2 / pi)) * (x + type(x)(0.044715) * x * x * x)


def elu(x, alpha):
    """x where x > 0, else alpha · (e^x − 1) (Clevert et al. 2016).

    e^x − 1 = 2t / (1 − t) with t = tanh(x / 2): near 0 no digit is lost.
    """
    t = hyperbolic_tangent(x * type(x)(0.5))
    return x if x > 0 else alpha * (t + t) / (type(x)(1) - t)


def elu_slope(dy, x, alpha):
    """dy where x > 0, else dy · alpha · e^x."""
    return dy if x > 0 else dy * alpha * decay(x)


def softplus(x):
    """ln(1 + e^x) = max(x, 0) + ln(1 + e^−|x|) (Dugas et al. 2001)."""
    return (x if x > 0 else type(x)(0)) + softening(x)


def softening(x):
    """ln(1 + e^−|x|), by which softplus lies above ReLU. (numba has it in vector instructions.)"""
    return type(x)(log1p(decay(x)))


def softplus_slope(dy, x):
    """dy · σ(x)."""
    return dy * sigmoid(x)


def hyperbolic_tangent(x):
    """tanh x. (numba has it in vector instructions.)"""
    return tanh_of_libm(x)


# ── a maximum that keeps the first of equals, and a NaN ──────────────────────────────────────


def takes_over(candidate, best):
    """Whether a later value replaces the best so far: only a greater one, and once a NaN."""
    return not candidate <= best and best == best


# ── optimisers: one element's new value, and its new slots ───────────────────────────────────
# w value, g gradient, v velocity, m mean, s (mean or sum of) square; fresh = 1 − keep.

SMALLEST = np.float32(1e-36)  # of what is remembered
FAINTEST = np.float32(1e-17)  # of what is squared: even a thousandth of its square is normal


def flushed(x, smallest):
    """x, but 0 (x − x) for |x| < smallest, "flush to zero"; a NaN stays.

    Where g is 0 for hundreds of steps, slots shrink from step to step. Rounding keeps them from
    reaching 0: they end among the subnormal numbers (float32: below 10⁻³⁸), over each of which many
    processors take many times as long. In an ordinary training many slots end there; and once a
    network is sure of its answers, the squares of many gradients lie there.
    """
    return x if abs(x) >= smallest else x - x


def sgd(w, g, lr, weight_decay):
    return w - lr * (g + weight_decay * w)


def momentum_sgd(w, g, v, nesterov, lr, keep, weight_decay):
    g = g + weight_decay * w
    v = flushed(keep * v + g, SMALLEST)
    return w - lr * (g + keep * v if nesterov else v), v


def rmsprop(w, g, s, lr, keep, fresh, eps, weight_decay):
    g = g + weight_decay * w
    seen = flushed(g, FAINTEST)
    s = flushed(keep * s + fresh * seen * seen, SMALLEST)
    return w - lr * g / (sqrt(s) + eps), s


def adagrad(w, g, s, lr, eps, weight_decay):
    g = g + weight_decay * w
    seen = flushed(g, FAINTEST)
    s = s + seen * seen
    return w - lr * g / (sqrt(s) + eps), s


def adam(w, g, m, s, rate, keep1, fresh1, keep2, fresh2, eps, weight_decay, shrink):
    """The contract's update with one division: its numerator and denominator times the correction
    c = √(1 − keep2^step), so rate = c · lr / (1 − keep1^step) and eps comes as c · eps.

    shrink = 1 − lr · weight decay when that is decoupled (then weight_decay is 0), else 1.
    """
    g = g + weight_decay * w
    seen = flushed(g, FAINTEST)
    m = flushed(keep1 * m + fresh1 * g, SMALLEST)
    s = flushed(keep2 * s + fresh2 * seen * seen, SMALLEST)
    return shrink * w - rate * m / (sqrt(s) + eps), m, s


def penalty_slope(w, l1, l2):
    """l1 · sign(w) + l2 · w."""
    sign = copysign(type(w)(1), w) if w != 0 else type(w)(0)
    return l1 * sign + l2 * w


# ── random bits ──────────────────────────────────────────────────────────────────────────────

MULTIPLIER_0, MULTIPLIER_1 = np.uint64(philox.MULTIPLIER_0), np.uint64(philox.MULTIPLIER_1)
WEYL_0, WEYL_1 = np.uint64(philox.WEYL_0), np.uint64(philox.WEYL_1)
LOW, SHIFT = np.uint64(philox.LOW), np.uint64(32)


def philox4x32(c0, c1, c2, c3, k0, k1):
    """`philox.philox4x32` for one counter: four words from uint64 numbers below 2³²."""
    for _ in range(philox.ROUNDS):
        product_0 = MULTIPLIER_0 * c0
        product_1 = MULTIPLIER_1 * c2
        c0, c1, c2, c3 = (
            (product_1 >> SHIFT) ^ c1 ^ k0,
            product_1 & LOW,
            (product_0 >> SHIFT) ^ c3 ^ k1,
            product_0 & LOW,
        )
        k0, k1 = (k0 + WEYL_0) & LOW, (k1 + WEYL_1) & LOW
    return c0, c1, c2, c3
