"""Ways that part and meet again. A channel's numbers, of all images, lie together, so channels side
by side are memory side by side, and to take them apart again nothing moves.
"""

from math import prod

from .arrays import Batch, empty
from .device import cuda, for_each, kernel


def add(a, b, name, buffers):
    y = empty(buffers, name, a.shape[1:], a)
    for_each(add_numbers, a.size, a.flat, b.flat, a.size, y.flat)
    return y


@kernel("F F n F")
def add_numbers(a, b, size, y):
    """y = a + b, an element a thread."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        y[k] = a[k] + b[k]


def multiply(a, b, name, buffers):
    y = empty(buffers, name, a.shape[1:], a)
    for_each(multiply_numbers, a.size, a.flat, b.flat, a.size, y.flat)
    return y


@kernel("F F n F")
def multiply_numbers(a, b, size, y):
    """y = a · b, an element a thread."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        y[k] = a[k] * b[k]


def concatenate(xs, buffers):
    channels, start = sum(x.shape[1] for x in xs), 0
    y = empty(buffers, "side by side", (channels, *xs[0].shape[2:]), xs[0])
    for x in xs:
        for_each(copy_numbers, x.size, x.flat, x.size, start, y.flat)
        start += x.size
    return y


@kernel("F n n F")
def copy_numbers(x, size, start, y):
    """y[start + k] = x[k], an element a thread."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        y[start + k] = x[k]


def split(dy, channels, buffers):
    parts, start = [], 0
    for count in channels:
        shape = (len(dy), count, *dy.shape[2:])
        parts.append(Batch(dy.flat[start : start + prod(shape)], shape))
        start += prod(shape)
    return parts
