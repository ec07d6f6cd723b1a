"""Pooling: the maximum window by window, in registers; all else a tap at a time.

One iteration of a parallel loop is a channel of one block of images, or a row of it, small enough
to stay in the fastest caches. The innermost loop runs over the block's images, which lie side by
side: x (blocks, C, H, W, B), y and winner (blocks, C, OH, OW, B). Padded lanes are pooled like the
others and never read.
"""

import numpy as np
from numba import prange

from .layout import empty
from .runtime import LANES, device, kernel
from .simd import contest, length, repeat, store, store_winner


def max_pool_forward(x, window, buffers):
    shape = (x.shape[1], *window.output)
    taps = window.kernel[0] * window.kernel[1]
    y = empty(buffers, "y", shape, x)
    winner = empty(buffers, "winner", shape, x, np.uint8 if taps <= 256 else np.int32)
    start = np.array([-np.inf, 0], x.dtype)
    max_pool(x.data, *window[:3], start, y.data, winner.data)
    return y, winner


@kernel
def max_pool(x, size, stride, padding, start, y, winner):
    """y = max over the window's taps inside the image, winner = u · KW + v of the first.

    A window's best and its tap stay in registers, an image in each lane, while the taps go by.
    """
    blocks, channels, height, width, _ = x.shape
    oh, ow = y.shape[2], y.shape[3]
    for item in prange(blocks * channels * oh):
        plane, i = item // oh, item % oh
        top = i * stride[0] - padding[0]
        for j in range(ow):
            left = j * stride[1] - padding[1]
            for q in range(0, LANES, length(x)):
                tile = repeat(2, start, 0)
                for u in range(max(0, -top), min(size[0], height - top)):
                    for v in range(max(0, -left), min(size[1], width - left)):
                        o = ((plane * height + top + u) * width + left + v) * LANES + q
                        tile = contest(tile, x, o, u * size[1] + v)
                out = (item * ow + j) * LANES + q
                store(tile, y, out, LANES, 1)
                store_winner(tile, winner, out)


def max_pool_backward(dy, winner, window, buffers):
    dx = empty(buffers, "dx", (dy.shape[1], *window.image), dy)
    max_pool_slope(dy.data, winner.data, *window[:3], dx.data)
    return dx


@kernel
def max_pool_slope(dy, winner, size, stride, padding, dx):
    """dx = Σ dy over the windows in which the pixel won. Windows may overlap, so this adds."""
    blocks, channels, height, width, lanes = dx.shape
    for plane in prange(blocks * channels):
        n, c = plane // channels, plane % channels
        dx[n, c] = 0
        for u, v in np.ndindex(size):
            tap = winner.dtype.type(u * size[1] + v)
            for i in meets(u, stride[0], padding[0], height, dy.shape[2]):
                for j in meets(v, stride[1], padding[1], width, dy.shape[3]):
                    h, w = i * stride[0] + u - padding[0], j * stride[1] + v - padding[1]
                    for b in range(lanes):
                        if winner[n, c, i, j, b] == tap:
                            dx[n, c, h, w, b] += dy[n, c, i, j, b]


def avg_pool_forward(x, window, divisor, buffers):
    y = empty(buffers, "y", (x.shape[1], *window.output), x)
    avg_pool(x.data, *window[:3], divisor, y.data)
    return y


@kernel
def avg_pool(x, size, stride, padding, divisor, y):
    """y = (sum over the window's taps inside the image) / divisor[i, j]."""
    blocks, channels, height, width, lanes = x.shape
    for plane in prange(blocks * channels):
        n, c = plane // channels, plane % channels
        y[n, c] = 0
        for u, v in np.ndindex(size):
            for i in meets(u, stride[0], padding[0], height, y.shape[2]):
                for j in meets(v, stride[1], padding[1], width, y.shape[3]):
                    h, w = i * stride[0] + u - padding[0], j * stride[1] + v - padding[1]
                    for b in range(lanes):
                        y[n, c, i, j, b] += x[n, c, h, w, b]
        for i, j in np.ndindex(divisor.shape):
            for b in range(lanes):
                y[n, c, i, j, b] /= y.dtype.type(divisor[i, j])


def avg_pool_backward(dy, window, divisor, buffers):
    dx = empty(buffers, "dx", (dy.shape[1], *window.image), dy)
    avg_pool_slope(dy.data, *window[:3], divisor, dx.data)
    return dx


@kernel
def avg_pool_slope(dy, size, stride, padding, divisor, dx):
    """dx = Σ dy / divisor[i, j] over the windows that see the pixel."""
    blocks, channels, height, width, lanes = dx.shape
    for plane in prange(blocks * channels):
        n, c = plane // channels, plane % channels
        dx[n, c] = 0
        for u, v in np.ndindex(size):
            for i in meets(u, stride[0], padding[0], height, dy.shape[2]):
                for j in meets(v, stride[1], padding[1], width, dy.shape[3]):
                    h, w = i * stride[0] + u - padding[0], j * stride[1] + v - padding[1]
                    for b in range(lanes):
                        dx[n, c, h, w, b] += dy[n, c, i, j, b] / dx.dtype.type(divisor[i, j])


@device
def meets(tap, stride, padding, pixels, outputs):
    """The outputs whose tap meets a pixel: 0 ≤ output · stride + tap − padding < pixels."""
    first = max(0, -((tap - padding) // stride))
    return range(first, min(outputs, (pixels - 1 + padding - tap) // stride + 1))
