"""Pooling, a tap at a time: tap (u, v) of all windows at once is the image, shifted and strided."""

import numpy as np

from .convolution import inside, met, padded, padded_size


def max_pool_forward(x, window, rectified, buffers):
    shape = (*x.shape[:2], *window.output)
    y = buffers.empty("y", shape, x.dtype)
    winner = buffers.empty("winner", shape, np.int32)
    nowhere = np.prod(window.kernel)
    y[...], winner[...] = (0, nowhere) if rectified else (-np.inf, 0)
    xp = padded(x, window, -np.inf, buffers)
    for tap, (u, v) in enumerate(np.ndindex(window.kernel)):
        candidate = xp[:, :, *met(u, v, window)]
        # Only a greater value takes over, so ties stay with the first. A NaN takes over once.
        better = (candidate > y) | (np.isnan(candidate) & ~np.isnan(y))
        np.copyto(y, candidate, where=better)
        winner[better] = tap
    if rectified:
        winner[np.isnan(y)] = nowhere
    return y, winner


def max_pool_backward(dy, winner, window, buffers):
    dx = buffers.empty("dx", (*dy.shape[:2], *padded_size(window)), dy.dtype)
    dx[...] = 0
    for tap, (u, v) in enumerate(np.ndindex(window.kernel)):
        seen = dx[:, :, *met(u, v, window)]
        np.add(seen, dy, out=seen, where=winner == tap)
    return inside(dx, window)


def avg_pool_forward(x, window, divisor, buffers):
    y = buffers.empty("y", (*x.shape[:2], *window.output), x.dtype)
    y[...] = 0
    xp = padded(x, window, 0, buffers)
    for u, v in np.ndindex(window.kernel):
        y += xp[:, :, *met(u, v, window)]
    y /= divisor.astype(y.dtype)
    return y


def avg_pool_backward(dy, window, divisor, buffers):
    dx = buffers.empty("dx", (*dy.shape[:2], *padded_size(window)), dy.dtype)
    dx[...] = 0
    share = dy / divisor.astype(dy.dtype)
    for u, v in np.ndindex(window.kernel):
        dx[:, :, *met(u, v, window)] += share
    return inside(dx, window)
