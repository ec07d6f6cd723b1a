"""Ways that part and meet again: sums, products, and channels side by side."""

import numpy as np


def add(a, b, name, buffers):
    return np.add(a, b, out=buffers.empty(name, a.shape, a.dtype))


def multiply(a, b, name, buffers):
    return np.multiply(a, b, out=buffers.empty(name, a.shape, a.dtype))


def concatenate(xs, buffers):
    first = xs[0]
    channels = sum(x.shape[1] for x in xs)
    y = buffers.empty("side by side", (len(first), channels, *first.shape[2:]), first.dtype)
    return np.concatenate(xs, axis=1, out=y)


def split(dy, channels, buffers):
    return np.split(dy, np.cumsum(channels)[:-1], axis=1)
