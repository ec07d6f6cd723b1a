"""Sums along a contiguous row, in the order that suits the registers ("reassoc"): LLVM then adds
whole vectors. That order depends on the row's length alone, so the number of threads changes
nothing; a sum over several rows adds theirs one after the other.
"""

import numba

from .runtime import OPTIONS

options = OPTIONS | {"fastmath": {"reassoc", "contract", "nsz"}, "forceinline": True}
in_any_order = numba.njit(**options)


@in_any_order
def total(x):
    """Σ x."""
    result = x.dtype.type(0)
    for k in range(x.size):
        result += x[k]
    return result


@in_any_order
def magnitude(x):
    """Σ |x|."""
    result = x.dtype.type(0)
    for k in range(x.size):
        result += abs(x[k])
    return result


@in_any_order
def product(x, y):
    """Σ x · y."""
    result = x.dtype.type(0)
    for k in range(x.size):
        result += x[k] * y[k]
    return result


@in_any_order
def squared_distance(x, y):
    """Σ (x − y)²."""
    result = x.dtype.type(0)
    for k in range(x.size):
        result += (x[k] - y[k]) * (x[k] - y[k])
    return result


@in_any_order
def squared_deviation(x, mean):
    """Σ (x − mean)²."""
    result = x.dtype.type(0)
    for k in range(x.size):
        result += (x[k] - mean) * (x[k] - mean)
    return result
