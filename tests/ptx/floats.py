"""PTX's arithmetic on floats: how the instruction says that a result is rounded.

Where PTX allows an approximation (`.approx`), the nearest number is the result here.
"""

import numpy as np

from .operations import operation

FLOATS = "rn rz rm rp ftz sat approx full"
DIRECTED = {"rz", "rm", "rp"}


def rounded(form, exact, dtype):
    """`exact`, which has more digits, as the nearest of dtype or the next towards −∞, ∞ or 0."""
    near = exact.astype(dtype)
    if form.modifiers & DIRECTED and exact.dtype == dtype:
        raise NotImplementedError(form.text)
    if "rm" in form.modifiers:
        wrong, towards = near > exact, -np.inf
    elif "rp" in form.modifiers:
        wrong, towards = near < exact, np.inf
    elif "rz" in form.modifiers:
        wrong, towards = abs(near) > abs(exact), 0
    else:
        return near
    return np.where(wrong, np.nextafter(near, dtype.type(towards)), near)


def wider(a):
    """Float32 as float64, in which products are exact and sums of two nearly always."""
    return a.astype(np.float64)


def flushed(form, a):
    """With .ftz numbers below the smallest normal one count as 0."""
    if "ftz" not in form.modifiers or a.dtype.kind != "f":
        return a
    return np.where(abs(a) < np.finfo(a.dtype).tiny, np.copysign(a.dtype.type(0), a), a)


def of_floats(function):
    """With .ftz and .sat, which clips to 0..1 and makes 0 of NaN."""

    def compute(form, *values):
        result = flushed(form, function(form, *(flushed(form, v) for v in values)))
        if "sat" in form.modifiers:
            result = np.where(result > 0, np.minimum(result, 1), 0).astype(result.dtype)
        return result

    return compute


def arithmetic(apply):
    """a + b and its like: wrapping for whole numbers, rounded as stated for floats."""

    def compute(form, a, b):
        if a.dtype.kind == "f" and form.modifiers & DIRECTED:
            return rounded(form, apply(wider(a), wider(b)), a.dtype)
        return apply(a, b)

    return of_floats(compute)


operation("add", FLOATS)(arithmetic(np.add))
operation("sub", FLOATS)(arithmetic(np.subtract))


@operation("fma", FLOATS)
@of_floats
def multiply_add(form, a, b, c):
    """a · b + c, rounded once. In float64 with what the product and the sum lose (Dekker 1971)."""
    if a.dtype.itemsize < 8:
        return rounded(form, wider(a) * wider(b) + wider(c), a.dtype)
    product = a * b
    total = product + c
    (a1, a2), (b1, b2) = halves(a), halves(b)
    lost = a2 * b2 - (product - a1 * b1 - a2 * b1 - a1 * b2)
    since = total - product
    lost = lost + (product - (total - since) + (c - since))
    exact = rounded(form, total + lost, a.dtype)
    return np.where(np.isfinite(exact), exact, total)


def halves(a):
    """a as the sum of two numbers of 26 digits, so that products of such are exact."""
    scaled = a * (2.0**27 + 1)
    upper = scaled - (scaled - a)
    return upper, a - upper


def unary(names, apply):
    def compute(form, a):
        return apply(wider(a)).astype(a.dtype)

    operation(names, FLOATS)(of_floats(compute))


unary("sqrt", np.sqrt)
unary("rcp", lambda a: 1 / a)
unary("ex2", np.exp2)


@operation("abs", "ftz")
@of_floats
def absolute(form, a):
    return np.abs(a)


@operation("neg", "ftz")
@of_floats
def negative(form, a):
    return -a


@operation("copysign")
def copy_sign(form, a, b):
    """b with the sign of a."""
    return np.copysign(b, a)


@operation("min", "ftz NaN")
@of_floats
def minimum(form, a, b):
    """Of a number and NaN the number, or with .NaN NaN."""
    return np.minimum(a, b) if a.dtype.kind != "f" or "NaN" in form.modifiers else np.fmin(a, b)


@operation("max", "ftz NaN")
@of_floats
def maximum(form, a, b):
    return np.maximum(a, b) if a.dtype.kind != "f" or "NaN" in form.modifiers else np.fmax(a, b)
