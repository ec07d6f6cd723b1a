"""Ways that part and meet again: sums, products, and channels side by side."""

from numba import prange

from .layout import by_channel, empty, rows
from .runtime import kernel


def add(a, b, name, buffers):
    y = empty(buffers, name, a.shape[1:], a)
    add_numbers(rows(a), rows(b), rows(y))
    return y


@kernel
def add_numbers(a, b, y):
    """y = a + b."""
    for row in prange(len(a)):
        for k in range(a.shape[1]):
            y[row, k] = a[row, k] + b[row, k]


def multiply(a, b, name, buffers):
    y = empty(buffers, name, a.shape[1:], a)
    multiply_numbers(rows(a), rows(b), rows(y))
    return y


@kernel
def multiply_numbers(a, b, y):
    """y = a · b."""
    for row in prange(len(a)):
        for k in range(a.shape[1]):
            y[row, k] = a[row, k] * b[row, k]


def concatenate(xs, buffers):
    channels, start = sum(x.shape[1] for x in xs), 0
    y = empty(buffers, "side by side", (channels, *xs[0].shape[2:]), xs[0])
    for x in xs:
        copy_channels(by_channel(x), 0, by_channel(y), start, x.shape[1])
        start += x.shape[1]
    return y


def split(dy, channels, buffers):
    parts, start = [], 0
    for k, count in enumerate(channels):
        part = empty(buffers, f"part {k}", (count, *dy.shape[2:]), dy)
        copy_channels(by_channel(dy), start, by_channel(part), 0, count)
        parts.append(part)
        start += count
    return parts


@kernel
def copy_channels(x, first, y, place, count):
    """y[place + c] = x[first + c] for c < count. x, y (blocks, C, H·W·B)."""
    blocks, _, size = x.shape
    for plane in prange(blocks * count):
        g, c = plane // count, plane % count
        for k in range(size):
            y[g, place + c, k] = x[g, first + c, k]
