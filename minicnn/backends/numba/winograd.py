"""Convolution with fewer multiplications, an image in each lane: `backends/minimal.py` derives it.

    U = G w Gᵀ      V = B x Bᵀ      y = Aᵀ [Σ_c U ⊙ V] A

A transform adds whole registers, so it is the same for all images in them. Once transformed, every
point (i, j) of a patch is a plain matrix product, filters × channels by channels × positions. A
*position* is one patch of a registerful of images. A few positions go through together, as many as
keep V in the second cache.
"""

from functools import cache

import numpy as np
from numba import get_thread_id, prange

from ...common.arguments import switch
from .. import minimal
from ..minimal import M
from .bias import padded_bias
from .layout import empty
from .runtime import LANES, device, kernel, threads_here
from .simd import (
    REGISTERS,
    add_products,
    add_rows,
    fixed_tuple,
    length,
    load_tile,
    repeat,
    store,
    zeros,
)
from .transforms import combined, load_inside

V_BYTES = LANES * 16 * 1024  # of V at a time; processors with wider registers have larger caches
MOST = 8  # positions at a time
# Filters × 2 positions are a tile; the products of a larger one would not fit in the first cache.
ROWS = min(REGISTERS, 14) // 2
PAD = 16  # numbers after each tap and point, else all would fall on one set of the cache

# What the transforms of a channel cost, in products of its numbers with so many filters (measured).
COST = 16 if LANES == 16 else 8


@cache
def pays(channels, filters, window):
    """Whether this way is faster than the formula's own. MINICNN_WINOGRAD=0 forbids it."""
    price = 1 + COST * (1 / channels + 1 / filters)
    return allowed() and minimal.saved(window) > 1.1 * price


@cache
def allowed():
    return switch("MINICNN_WINOGRAD")


def conv2d_forward(x, w, b, window, buffers):
    y = empty(buffers, "y", (w.shape[0], *window.output), x)
    steps = 0, w[0].size, w[0, 0].size, 1
    convolve(x, w.reshape(-1), steps, b, window.kernel[0], window.padding, y, buffers)
    return y


def conv2d_input_gradient(dy, w, window, buffers):
    dx = empty(buffers, "dx", (w.shape[1], *window.image), dy, zero_from_zero=True)
    padding = tuple(k - 1 - p for k, p in zip(window.kernel, window.padding))
    # w turned by 180°, its first two axes exchanged
    steps = w[0, 0].size - 1, w[0, 0].size, w[0].size, -1
    convolve(dy, w.reshape(-1), steps, None, window.kernel[0], padding, dx, buffers)
    return dx


def convolve(x, w, steps, b, k, padding, y, buffers):
    """y = b + w ⋆ x, with tap t of w[f, c] at first + f·filter_step + c·channel_step + t·tap_step.

    steps: those four. w: flat, each w[f, c] has k × k taps.
    """
    channels, filters = x.data.shape[1], y.data.shape[1]
    n, lanes = M + k - 1, register_lanes(x.dtype)
    groups, size = -(-filters // ROWS), -(-channels * ROWS // lanes) * lanes
    taps = buffers.empty("taps", (groups, k * k, size + PAD), x.dtype)
    u = buffers.empty("u", (groups, n * n, size), x.dtype)
    bias = padded_bias(b, (groups * ROWS,), x.dtype, buffers)
    weights_transform(k)(w, steps, filters, channels, taps, u)
    together = positions_together(n * n * channels * lanes * x.dtype.itemsize, V_BYTES)
    threads = threads_here()
    v = buffers.empty("v", (threads, n * n, channels * together * lanes + PAD), x.dtype)
    size = max(2 * ROWS * n * (M + 1), together * n * n) * lanes
    near = buffers.empty("near", (threads, size), x.dtype)
    table = positions(len(x.data), y.data.shape[2:4], LANES // lanes)
    products(k)(x.data, u, bias, table, padding, together, v, near, y.data)


def register_lanes(dtype):
    return LANES * 4 // dtype.itemsize


def positions_together(bytes_each, room):
    """How many positions go through at a time: pairs of them, as many as the room holds."""
    return max(2, min(MOST, room // bytes_each // 2 * 2))


@cache
def positions(blocks, output, parts):
    """For each position its block, its first output row and column, and its first lane."""
    g, i, j, q = np.indices((blocks, -(-output[0] // M), -(-output[1] // M), parts)).reshape(4, -1)
    return np.stack([g, i * M, j * M, q * (LANES // parts)], axis=1)


@cache
def column_transform(K):
    N = M + K - 1

    @device
    def transform_columns(x, plane, top, left, height, width, near, place):
        """near[place + (i·N + j) · L : … + L] = (B x)[i, j] of the patch at (top, left)."""
        L = length(x)
        for j in range(N):
            o = plane + (top * width + left + j) * LANES
            end = height - top if 0 <= left + j < width else -N
            tile = load_inside(N, x, o, width * LANES, -top, end)
            store(combined("B", M, K, tile), near, place + j * L, N * L, 0, N)

    return transform_columns


@cache
def weights_transform(K):
    """The kernel that makes U of the weights, compiled for each K that is used."""
    N = M + K - 1

    @kernel
    def run(w, steps, filters, channels, taps, u):
        """u[group, point, c·ROWS + r] = (G w[f, c] Gᵀ)[point], f = group·ROWS + r.

        taps: w in that order too, so that a register holds the same tap of several w[f, c].
        """
        (groups, points, size), wide, L = u.shape, taps.shape[2], length(u)
        first, filter_step, channel_step, tap_step = steps
        for group in prange(groups):
            near = np.empty(N * K * L, u.dtype)
            taps[group] = 0
            for c in range(channels):
                for r in range(min(ROWS, filters - group * ROWS)):
                    o = first + (group * ROWS + r) * filter_step + c * channel_step
                    for tap in range(K * K):
                        taps[group, tap, c * ROWS + r] = w[o + tap * tap_step]
            for q in range(0, size, L):
                for j in range(K):
                    tile = load_tile(K, 1, taps, (group * K * K + j) * wide + q, K * wide, 0)
                    store(combined("G", M, K, tile), near, j * L, K * L, 0, N)
                for i in range(N):
                    tile = combined("G", M, K, load_tile(K, 1, near, i * K * L, L, 0))
                    store(tile, u, (group * points + i * N) * size + q, size, 0, N)

    return run


@cache
def products(K):
    """The kernel from x and U to y; a tile is ROWS filters × 2 positions."""
    N, transform_columns = M + K - 1, column_transform(K)

    @kernel
    def run(x, u, bias, table, padding, together, vs, nears, y):
        """x (blocks, C, H, W, B), u (groups, N·N, C·ROWS), y (blocks, F, OH, OW, B).

        One iteration is `together` positions: V of all channels, then tile after tile of filters.
        A row i of points is multiplied, and transformed along that row, before the next one: so
        the products need never leave the first cache.
        """
        (_, channels, height, width, _), (_, filters, oh, ow, _) = x.shape, y.shape
        size, v_step, L = u.shape[2], vs.shape[2], length(x)
        for item in prange((len(table) + together - 1) // together):
            first, v, near = item * together, vs[get_thread_id()], nears[get_thread_id()]
            half = near[N * ROWS * 2 * L :]  # what is transformed along one axis
            count = min(together, len(table) - first)
            for c in range(channels):
                for t in range(count):
                    g, i, j, q = fixed_tuple(table[first + t], 4)
                    plane = (g * channels + c) * height * width * LANES + q
                    i, j = i - padding[0], j - padding[1]
                    transform_columns(x, plane, i, j, height, width, near, t * N * N * L)
                for i in range(N):
                    for t in range(count):
                        tile = load_tile(N, 1, near, (t * N + i) * N * L, L, 0)
                        place = i * N * v_step + (c * together + t) * L
                        store(combined("B", M, K, tile), v, place, v_step, 0, N)
            for group in range(len(u)):
                for pair in range(0, count, 2):
                    for i in range(N):
                        for j in range(N):
                            k = (group * N * N + i * N + j) * size
                            o = (i * N + j) * v_step + pair * L
                            tile = zeros(ROWS, 2, x)
                            for _ in range(channels):
                                tile = add_products(tile, u, k, v, o, L)
                                k += ROWS
                                o += together * L
                            store(tile, near, j * ROWS * 2 * L, 2 * L, L, ROWS)
                        for n in range(ROWS * 2):
                            tile = load_tile(N, 1, near, n * L, ROWS * 2 * L, 0)
                            store(combined("At", M, K, tile), half, (n * N + i) * M * L, L, 0, M)
                    for n in range(min(ROWS, filters - group * ROWS) * 2):
                        if pair + n % 2 < count:
                            f = group * ROWS + n // 2
                            g, i, j, q = fixed_tuple(table[first + pair + n % 2], 4)
                            store(repeat(1, 1, bias, f), near, 0, 0, 0, 1)
                            o = (((g * filters + f) * oh + i) * ow + j) * LANES + q
                            for b in range(min(M, ow - j)):
                                tile = load_tile(N, 1, half, (n * N * M + b) * L, M * L, 0)
                                tile = add_rows(combined("At", M, K, tile), near, 0, 0)
                                store(tile, y, o + b * LANES, ow * LANES, 0, min(M, oh - i))

    return run
