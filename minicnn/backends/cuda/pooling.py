"""Pooling: a thread per number of the result, forward and backward.

Backward, a thread owns a pixel and adds what the windows that see it send there: nothing is
scattered, so no two threads write to one place. The windows that see a pixel are the last that
begins at or before it, and those before that one. The window is a constant of the kernels, so the
loops are unrolled; neighbouring threads have neighbouring images, so all reads are
coalesced. Intensity: about one comparison or addition for each number read.
"""

from functools import cache
from math import prod

import numpy as np

from .. import scalar
from .arrays import empty, taken_apart
from .device import cuda, device, for_each, index, kernel, quotient, signed

takes_over = device(scalar.takes_over)


def max_pool_forward(x, window, rectified, buffers):
    shape = (x.shape[1], *window.output)
    y = empty(buffers, "y", shape, x)
    winner = empty(buffers, "winner", shape, x, winner_dtype(window))
    for_each(max_pool(window, rectified), y.size, x.flat, len(x), y.size, y.flat, winner.flat)
    return y, winner


def winner_dtype(window):
    """A byte for the number of a tap, and of none, where there are so few taps."""
    return np.uint8 if prod(window.kernel) < 256 else np.int64


def letter(window):
    return "B" if winner_dtype(window) is np.uint8 else "I"


@cache
def max_pool(window, rectified):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), _ = window
    least, none = (0, kh * kw) if rectified else (-np.inf, 0)

    def run(x, batch, size, y, winner):
        """y = max over the window's taps inside the image, winner = u · KW + v of the first;
        rectified, 0 is one more, and neither it nor a NaN has a tap.
        """
        for o in range(cuda.grid(1), size, cuda.gridsize(1)):
            c, i, j, n = taken_apart(o, batch, oh, ow)
            best, first = x.dtype.type(least), none
            for u in range(kh):
                for v in range(kw):
                    h, w = signed(i * sh + u - top), signed(j * sw + v - left)
                    if 0 <= h < height and 0 <= w < width:
                        candidate = x[index(((c * height + h) * width + w) * batch + n)]
                        if takes_over(candidate, best):
                            best, first = candidate, u * kw + v
            y[index(o)] = best
            winner[index(o)] = none if rectified and best != best else first

    name = "pooling.max_pool_relu" if rectified else "pooling.max_pool"
    return kernel(f"F n n F {letter(window)}", f"{name} {kh}×{kw}")(run)


def max_pool_backward(dy, winner, window, buffers):
    dx = empty(buffers, "dx", (dy.shape[1], *window.image), dy)
    slope = max_pool_slope(window)
    for_each(slope, dx.size, dy.flat, winner.flat, len(dy), dx.size, dx.flat)
    return dx


@cache
def max_pool_slope(window):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), _ = window

    def run(dy, winner, batch, size, dx):
        """dx = Σ dy over the windows in which the pixel won."""
        for o in range(cuda.grid(1), size, cuda.gridsize(1)):
            c, h, w, n = taken_apart(o, batch, height, width)
            total = dy.dtype.type(0)
            for a in range(-(-kh // sh)):
                for b in range(-(-kw // sw)):
                    i, j = signed(quotient(h + top, sh) - a), signed(quotient(w + left, sw) - b)
                    u, v = h + top - i * sh, w + left - j * sw
                    if 0 <= i < oh and 0 <= j < ow and u < kh and v < kw:
                        q = index(((c * oh + i) * ow + j) * batch + n)
                        if winner[q] == u * kw + v:
                            total += dy[q]
            dx[index(o)] = total

    return kernel(f"F {letter(window)} n n F", f"pooling.max_pool_slope {kh}×{kw}")(run)


def avg_pool_forward(x, window, divisor, buffers):
    y = empty(buffers, "y", (x.shape[1], *window.output), x)
    divisor = buffers.constant("divisor", divisor)
    for_each(avg_pool(window), y.size, x.flat, divisor, len(x), y.size, y.flat)
    return y


@cache
def avg_pool(window):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), _ = window

    def run(x, divisor, batch, size, y):
        """y = (sum over the window's taps inside the image) / divisor[i, j]."""
        for o in range(cuda.grid(1), size, cuda.gridsize(1)):
            c, i, j, n = taken_apart(o, batch, oh, ow)
            total = x.dtype.type(0)
            for u in range(kh):
                for v in range(kw):
                    h, w = signed(i * sh + u - top), signed(j * sw + v - left)
                    if 0 <= h < height and 0 <= w < width:
                        total += x[index(((c * height + h) * width + w) * batch + n)]
            y[index(o)] = total / y.dtype.type(divisor[index(i * ow + j)])

    return kernel("F I n n F", f"pooling.avg_pool {kh}×{kw}")(run)


def avg_pool_backward(dy, window, divisor, buffers):
    dx = empty(buffers, "dx", (dy.shape[1], *window.image), dy)
    divisor = buffers.constant("divisor", divisor)
    for_each(avg_pool_slope(window), dx.size, dy.flat, divisor, len(dy), dx.size, dx.flat)
    return dx


@cache
def avg_pool_slope(window):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), _ = window

    def run(dy, divisor, batch, size, dx):
        """dx = Σ dy / divisor[i, j] over the windows that see the pixel."""
        for o in range(cuda.grid(1), size, cuda.gridsize(1)):
            c, h, w, n = taken_apart(o, batch, height, width)
            total = dy.dtype.type(0)
            for a in range(-(-kh // sh)):
                for b in range(-(-kw // sw)):
                    i, j = signed(quotient(h + top, sh) - a), signed(quotient(w + left, sw) - b)
                    inside = 0 <= i < oh and 0 <= j < ow
                    if inside and h + top < i * sh + kh and w + left < j * sw + kw:
                        q = index(((c * oh + i) * ow + j) * batch + n)
                        total += dy[q] / dy.dtype.type(divisor[index(i * ow + j)])
            dx[index(o)] = total

    return kernel("F I n n F", f"pooling.avg_pool_slope {kh}×{kw}")(run)
