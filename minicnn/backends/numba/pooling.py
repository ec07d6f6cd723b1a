"""Pooling, window by window: maxima and sums are found in registers.

An iteration of a parallel loop is a channel of one block of images, or a row of it, small enough
to stay in the fastest caches. The innermost loop runs over the block's images, which lie side by
side: x (blocks, C, H, W, B), y and winner (blocks, C, OH, OW, B). Padded lanes are pooled like the
others and never read. Which tap meets which pixel stands in tables (see taps.py).
"""

from functools import cache

import numpy as np
from numba import prange

from .contest import add_where_won, contest, contest_with_nan, has_nan, store_winner
from .layout import empty
from .runtime import LANES, inlined, kernel
from .simd import add_rows, length, repeat, store, zeros
from .taps import backward, forward
from .unpooled import Unpooled, cover_once


def max_pool_forward(x, window, rectified, buffers):
    shape = (x.shape[1], *window.output)
    taps = window.kernel[0] * window.kernel[1]
    y = empty(buffers, "y", shape, x)
    winner = empty(buffers, "winner", shape, x, np.uint8 if taps < 256 else np.int32)
    met, start = forward(window), nothing_yet(x.dtype, taps if rectified else -1)
    max_pool_of(window)(x.data, met.rows, met.columns, start, y.data, winner.data)
    return y, winner


@cache
def max_pool_of(window):
    rows, _, columns, _ = forward(window)
    return max_pool(int(rows[:, 2].max()), int(columns[:, 2].max()), window.kernel[1])


@cache
def nothing_yet(dtype, nowhere):
    """The best of no tap, and its tap; and the least tap of a NaN. nowhere: −1 without a ReLU."""
    return np.array([-np.inf, 0, nowhere] if nowhere < 0 else [0, nowhere, nowhere], dtype)


@cache
def max_pool(KH, KW, across):
    """The kernel for windows of `across` taps a row, of which up to KH × KW are inside the image:
    compiled for those that are used.
    """
    largest = window_maximum(KH, KW, across)

    @kernel
    def run(x, rows, columns, start, y, winner):
        """y = max over the window's taps inside the image, winner = u · across + v of the first;
        with a ReLU 0 is one more, and neither it nor a NaN has a tap.
        """
        blocks, channels, height, width, _ = x.shape
        oh, ow = y.shape[2], y.shape[3]
        for item in prange(blocks * channels * oh):
            plane, i = item // oh, item % oh
            line = (plane * height + rows[i, 1]) * width
            for j in range(ow):
                tap, inside = rows[i, 0] * across + columns[j, 0], (rows[i, 2], columns[j, 2])
                for q in range(0, LANES, length(x)):
                    o, out = (line + columns[j, 1]) * LANES + q, (item * ow + j) * LANES + q
                    tile = largest(x, o, width * LANES, LANES, tap, inside, start)
                    store(tile, y, out, LANES, 0, 1)
                    store_winner(tile, winner, out, start[2])

    run.compiled.window = KH, KW, across  # for `pooled_convolution.py`
    return run


@cache
def window_maximum(KH, KW, across):
    @inlined
    def largest(x, o, down, right, first, inside, start):
        """Row 0: the largest of x[o + m·down + n·right], m and n as far as the window is inside.
        Row 1: its tap, first + m·across + n. An image in each lane.

        Most windows are whole and without a NaN, and need no more than one comparison for a number.
        In the others the last tap inside is asked again for those outside and can't win twice: so
        they too take KH × KW taps, and the processor has no branch to guess.
        """
        tile, total = repeat(2, 1, start, 0), zeros(1, 1, x)
        whole = inside[0] == KH and inside[1] == KW
        if whole:
            for m in range(KH):
                for n in range(KW):
                    place = o + m * down + n * right
                    tile = contest(tile, x, place, first + m * across + n)
                    total = add_rows(total, x, place, 0)
        if not whole or has_nan(total):  # the sum is NaN if a number is, or for ∞ − ∞
            tile = repeat(2, 1, start, 0)
            for m in range(KH):
                below = min(m, inside[0] - 1)
                for n in range(KW):
                    beside = min(n, inside[1] - 1)
                    place, tap = o + below * down + beside * right, first + below * across + beside
                    tile = contest_with_nan(tile, x, place, tap)
        return tile

    return largest


def max_pool_backward(dy, winner, window, buffers):
    if cover_once(window):
        return Unpooled(dy, winner, window, buffers)
    dx = empty(buffers, "dx", (dy.shape[1], *window.image), dy, zero_from_zero=True)
    max_pool_slope(dy.data, winner.data, window.kernel[1], *backward(window), dx.data)
    return dx


@kernel
def max_pool_slope(dy, winner, kernel_width, rows, row_steps, columns, column_steps, dx):
    """dx = Σ dy over the windows in which the pixel won. Windows may overlap, so this adds."""
    blocks, channels, height, width, _ = dx.shape
    oh, ow = dy.shape[2], dy.shape[3]
    for item in prange(blocks * channels * height):
        plane, h = item // height, item % height
        for w in range(width):
            for q in range(0, LANES, length(dx)):
                tile = zeros(1, 1, dx)
                for m in range(rows[h, 2]):
                    u, i = rows[h, 0] + m * row_steps[0], rows[h, 1] + m * row_steps[1]
                    for n in range(columns[w, 2]):
                        v = columns[w, 0] + n * column_steps[0]
                        j = columns[w, 1] + n * column_steps[1]
                        o = ((plane * oh + i) * ow + j) * LANES + q
                        tile = add_where_won(tile, dy, winner, o, u * kernel_width + v)
                store(tile, dx, (item * width + w) * LANES + q, LANES, 0, 1)


def avg_pool_forward(x, window, divisor, buffers):
    y = empty(buffers, "y", (x.shape[1], *window.output), x)
    add_met(x.data, *forward(window), y.data)
    divide(y.data, divisor, y.data)
    return y


def avg_pool_backward(dy, window, divisor, buffers):
    share = empty(buffers, "share", dy.shape[1:], dy)
    dx = empty(buffers, "dx", (dy.shape[1], *window.image), dy, zero_from_zero=True)
    divide(dy.data, divisor, share.data)
    add_met(share.data, *backward(window), dx.data)
    return dx


@kernel
def add_met(x, rows, row_steps, columns, column_steps, y):
    """y = Σ x: forward over the pixels that a window's taps meet, backward over the windows that
    see a pixel.
    """
    blocks, channels, height, width, _ = x.shape
    oh, ow = y.shape[2], y.shape[3]
    for item in prange(blocks * channels * oh):
        plane, i = item // oh, item % oh
        for j in range(ow):
            first = (plane * height + rows[i, 1]) * width + columns[j, 1]
            for q in range(0, LANES, length(x)):
                tile = zeros(1, 1, x)
                for m in range(rows[i, 2]):
                    for n in range(columns[j, 2]):
                        place = first + m * row_steps[1] * width + n * column_steps[1]
                        tile = add_rows(tile, x, place * LANES + q, 0)
                store(tile, y, (item * ow + j) * LANES + q, LANES, 0, 1)


@kernel
def divide(x, divisor, y):
    """y = x / divisor[i, j]."""
    blocks, channels, height, width, lanes = x.shape
    for item in prange(blocks * channels * height):
        plane, i = item // height, item % height
        g, c = plane // channels, plane % channels
        for j in range(width):
            for b in range(lanes):
                y[g, c, i, j, b] = x[g, c, i, j, b] / y.dtype.type(divisor[i, j])
