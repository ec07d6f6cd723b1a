"""One number per channel, added everywhere; its gradient is the sum over everywhere."""

import numpy as np


def bias_forward(x, b, buffers):
    return np.add(x, per_channel(b, x), out=buffers.empty("biased", x.shape, x.dtype))


def bias_gradient(dy, db, buffers):
    np.sum(dy, axis=all_but_channels(dy), out=db)


def per_channel(a, x):
    """(C,) in the shape that broadcasts against x (N, C) or (N, C, H, W)."""
    return a.reshape(-1, *[1] * (x.ndim - 2))


def all_but_channels(x):
    return (0, *range(2, x.ndim))
