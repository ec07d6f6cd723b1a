"""Activations and their slopes, an element a thread; the formulas are in `backends/scalar.py`.

Which element is which image's does not matter here, so the kernels see flat arrays. A thread takes
every gridsize-th element: neighbouring threads read neighbouring numbers. Intensity: about one
operation for two or three numbers moved, so these are as fast as memory is.
"""

from functools import cache
from inspect import signature

from .arrays import empty
from .device import cuda, device, for_each, kernel


def activation_forward(x, formula, numbers, buffers):
    y = empty(buffers, "y", x.shape[1:], x)
    numbers = map(x.dtype.type, numbers)
    for_each(forward_elements(formula), x.size, x.flat, *numbers, x.size, y.flat)
    return y


@cache
def forward_elements(formula):
    """The kernel of a formula of x, or of x and a number; compiled when it is first used."""
    f, name = device(formula), f"activation.{formula.__name__}"
    if len(signature(formula).parameters) == 1:

        @kernel("F n F", name)
        def run(x, size, y):
            for k in range(cuda.grid(1), size, cuda.gridsize(1)):
                y[k] = f(x[k])

    else:

        @kernel("F r n F", name)
        def run(x, number, size, y):
            for k in range(cuda.grid(1), size, cuda.gridsize(1)):
                y[k] = f(x[k], number)

    return run


def activation_backward(dy, kept, slope, numbers, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    numbers = map(dy.dtype.type, numbers)
    for_each(backward_elements(slope), dy.size, dy.flat, kept.flat, *numbers, dy.size, dx.flat)
    return dx


@cache
def backward_elements(slope):
    f, name = device(slope), f"activation.{slope.__name__}"
    if len(signature(slope).parameters) == 2:

        @kernel("F F n F", name)
        def run(dy, kept, size, dx):
            for k in range(cuda.grid(1), size, cuda.gridsize(1)):
                dx[k] = f(dy[k], kept[k])

    else:

        @kernel("F F r n F", name)
        def run(dy, kept, number, size, dx):
            for k in range(cuda.grid(1), size, cuda.gridsize(1)):
                dx[k] = f(dy[k], kept[k], number)

    return run
