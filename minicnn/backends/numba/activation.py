"""Activations and their slopes, element by element; the formulas are in `backends/scalar.py`.

The kernels see a batch as rows, one per channel (or feature) of a block of images. A thread takes
whole rows. Padded lanes are computed like the others and never read.
"""

from functools import cache
from types import FunctionType

from numba import prange
from numba.extending import register_jitable

from .. import scalar
from .exponential import IN_VECTORS
from .layout import empty, rows
from .runtime import OPTIONS, device, kernel

# So that compiled formulas can call each other.
for function in vars(scalar).values():
    if isinstance(function, FunctionType) and function not in IN_VECTORS:
        register_jitable(forceinline=True, **OPTIONS)(function)


def activation_forward(x, formula, numbers, buffers):
    y = empty(buffers, "y", x.shape[1:], x)
    forward_rows(formula)(rows(x), tuple(map(x.dtype.type, numbers)), rows(y))
    return y


@cache
def forward_rows(formula):
    """The kernel of a formula, compiled when it is first used."""
    f = device(formula)

    @kernel
    def run(x, numbers, y):
        for row in prange(len(x)):
            for k in range(x.shape[1]):
                y[row, k] = f(x[row, k], *numbers)

    return run


def activation_backward(dy, kept, slope, numbers, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    backward_rows(slope)(rows(dy), rows(kept), tuple(map(dy.dtype.type, numbers)), rows(dx))
    return dx


@cache
def backward_rows(slope):
    f = device(slope)

    @kernel
    def run(dy, kept, numbers, dx):
        for row in prange(len(dy)):
            for k in range(dy.shape[1]):
                dx[row, k] = f(dy[row, k], kept[row, k], *numbers)

    return run
