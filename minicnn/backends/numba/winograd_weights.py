"""The weight gradient with fewer multiplications: `backends/minimal.py` derives it.

    D = A dy Aᵀ      V = B x Bᵀ      dw = Gᵀ [Σ_{patches, images} D ⊙ V] G

Images are summed over, and a sum over the lanes of a register is dear. So V is turned until
channels lie in its lanes: then a number of D times a register of V adds to a tile of filters ×
channels, and no lane is ever summed.
"""

from functools import cache

import numpy as np
from numba import get_thread_id, prange

from .. import minimal
from ..minimal import M
from .layout import clear_padding
from .recording import done
from .runtime import LANES, kernel, threads_here
from .simd import add_rows, fixed_tuple, length, load_tile, store, transposed
from .transforms import add_outer, combined, load_inside
from .winograd import (
    COST,
    PAD,
    V_BYTES,
    allowed,
    column_transform,
    positions,
    positions_together,
    register_lanes,
)

PARTS = 4  # of the positions, each with a sum of its own for every weight


@cache
def pays(channels, filters, window):
    """As for the forward pass. Turning V costs half as much again, and part of its last register
    of channels may be empty.
    """
    used = channels / (-(-channels // LANES) * LANES)
    price = 1 + 1.5 * COST * (1 / channels + 1 / filters)
    return allowed() and minimal.saved(window) * used > 1.1 * price


def conv2d_weight_gradient(dy, x, window, dw, buffers):
    clear_padding(dy)
    clear_padding(x)
    filters, channels, k, _ = dw.shape
    n, lanes = M + k - 1, register_lanes(x.dtype)
    full = -(-channels // lanes)  # registers of channels; 2 or 3 to a tile: which wastes fewer
    columns = min((2, 3), key=lambda c: -(-full // c) * c) if full > 1 else 1
    rows = (24 if LANES == 16 else 12) // columns
    groups, across = -(-filters // rows), -(-full // columns)
    wide = across * columns * lanes  # channels, rounded up to whole tiles
    together = positions_together(n * n * wide * lanes * x.dtype.itemsize, 3 * V_BYTES)
    table = positions(len(x.data), dy.data.shape[2:4], LANES // lanes)
    parts = min(PARTS, -(-len(table) // (2 * together)))
    threads = threads_here()
    # More threads than parts share the filters of a part. Each then transforms x for itself, and
    # every sum is still taken in the same order.
    sharing = min(groups, -(-threads // parts))
    v = buffers.empty("v of x", (threads, n * n, together * lanes * wide + PAD), x.dtype)
    d = buffers.empty("d", (threads, rows * together * n * (M + 1) * lanes), x.dtype)
    near = buffers.empty("near", (threads, n * n * (lanes + 1) * lanes), x.dtype)
    # Lanes without a channel and rows without a filter are multiplied too, and never looked at; but
    # what happens to lie there may be numbers so small that a processor takes long over them.
    done(d.fill, 0)
    done(near.fill, 0)
    shape = (parts, groups, n * n, across, rows, columns, lanes)
    partial = buffers.empty("partial", shape, x.dtype)
    products(k, rows, columns)(
        x.data, dy.data, table, window.padding, together, sharing, v, d, near, partial
    )
    sum_of_parts(k, rows, columns)(partial, dw)


@cache
def products(K, ROWS, COLUMNS):
    """The kernel of D ⊙ V; a tile is ROWS filters × COLUMNS registers of channels."""
    N, transform_columns = M + K - 1, column_transform(K)

    @kernel
    def run(x, dy, table, padding, together, sharing, vs, ds, nears, partial):
        """partial[part, group, point, …] = Σ over the part's positions and images of D ⊙ V.

        v[point, (t, n), c]: position t, image n, channel c. d[point, (r, t, n)]: filter r.
        """
        (_, channels, height, width, _), (_, filters, oh, ow, _) = x.shape, dy.shape
        parts, groups, columns, L = partial.shape[0], partial.shape[1], partial.shape[3], length(x)
        v_step, wide, tile_size = vs.shape[2], columns * COLUMNS * L, ROWS * COLUMNS * L
        d_step, chunks = ROWS * together * L, (len(table) + together - 1) // together
        for item in prange(parts * sharing):
            part, share = item // sharing, item % sharing
            v, d, near = vs[get_thread_id()], ds[get_thread_id()], nears[get_thread_id()]
            half, square = d[N * d_step :], near[N * N * L :]
            low, high = share * groups // sharing, (share + 1) * groups // sharing
            partial[part, low:high] = 0
            for chunk in range(part * chunks // parts, (part + 1) * chunks // parts):
                first = chunk * together
                count = min(together, len(table) - first)
                for c in range(0, channels, L):
                    for t in range(count):
                        g, i, j, q = fixed_tuple(table[first + t], 4)
                        i, j = i - padding[0], j - padding[1]
                        for n in range(min(L, channels - c)):
                            plane = (g * channels + c + n) * height * width * LANES + q
                            transform_columns(x, plane, i, j, height, width, near, 0)
                            for k in range(N):
                                tile = combined("B", M, K, load_tile(N, 1, near, k * N * L, L, 0))
                                store(tile, square, (k * N * L + n) * L, L * L, 0, N)
                        for point in range(N * N):
                            tile = transposed(square, point * L * L, L)
                            store(tile, v, point * v_step + t * L * wide + c, wide, 0, L)
                for group in range(low, high):
                    rows = min(ROWS, filters - group * ROWS)
                    for n in range(rows * count):
                        r, t = n // count, n % count
                        g, i, j, q = fixed_tuple(table[first + t], 4)
                        o = (((g * filters + group * ROWS + r) * oh + i) * ow + j) * LANES + q
                        for b in range(M):
                            end = oh - i if j + b < ow else 0
                            tile = load_inside(M, dy, o + b * LANES, ow * LANES, 0, end)
                            place = ((r * together + t) * N * M + b) * L
                            store(combined("A", M, K, tile), half, place, M * L, 0, N)
                    for i in range(N):
                        for n in range(rows * together):
                            tile = load_tile(M, 1, half, (n * N + i) * M * L, L, 0)
                            store(combined("A", M, K, tile), d, n * L, d_step, 0, N)
                        for j in range(N):
                            point = i * N + j
                            for column in range(columns):
                                place = ((part * groups + group) * N * N + point) * columns + column
                                place, k, o = place * tile_size, j * d_step, point * v_step
                                o += column * COLUMNS * L
                                tile = load_tile(ROWS, COLUMNS, partial, place, COLUMNS * L, L)
                                for _ in range(count * L):
                                    tile = add_outer(tile, d, k, together * L, v, o, L)
                                    k += 1
                                    o += wide
                                store(tile, partial, place, COLUMNS * L, L, ROWS)

    return run


@cache
def sum_of_parts(K, ROWS, COLUMNS):
    """The kernel that makes dw of what the tiles leave."""
    N = M + K - 1

    @kernel
    def run(partial, dw):
        """dw[f, c] = Gᵀ [Σ over the parts, in order] G, a register of channels at a time."""
        (parts, groups, points, columns), L = partial.shape[:4], length(partial)
        step = columns * ROWS * COLUMNS * L
        for f in prange(len(dw)):
            near, taps = np.empty(N * N * L, partial.dtype), np.empty(K * K * L, partial.dtype)
            for c in range(0, dw.shape[1], L):
                o = (f // ROWS * points * columns + c // L // COLUMNS) * ROWS + f % ROWS
                o = (o * COLUMNS + c // L % COLUMNS) * L
                for i in range(N):
                    tile = load_tile(N, 1, partial, o + i * N * step, step, 0)
                    for part in range(1, parts):
                        tile = add_rows(tile, partial, o + (part * groups * N + i) * N * step, step)
                    store(combined("Gt", M, K, tile), near, i * K * L, L, 0, K)
                for j in range(K):
                    tile = combined("Gt", M, K, load_tile(N, 1, near, j * L, K * L, 0))
                    store(tile, taps, j * L, K * L, 0, K)
                for lane in range(min(L, dw.shape[1] - c)):
                    for tap in range(K * K):
                        dw[f, c + lane, tap // K, tap % K] = taps[tap * L + lane]

    return run
