"""The gradient of a convolution's weights, with one image a lane.

    dw[f,c,u,v] = Σ_{n,i,j} dy[n,f,i,j] · x[n, c, i·s+u·d−p, j·s+v·d−p]

A tile of registers (see simd.py) is a few filters × a few channels (or taps) of dw, an image in
each lane. Every output position is one load of each dy and each x; the lanes are summed when all
is added.
"""

from functools import cache
from math import prod

import numpy as np
from numba import get_thread_id, prange

from ..numpy.convolution import padded_size
from .layout import Lanes, clear_padding, empty
from .partial import add_parts, filter_starts, sum_places, sums_of
from .recording import done
from .runtime import ITEMS, LANES, inlined, kernel, threads_here
from .simd import add_dots, add_rows, fixed_tuple, length, store, sums, zeros
from .taps import channel_columns, tap_columns
from .unpooled import compact, spread_row

# Filters × channels (or taps) of a tile: as many as registers hold.
TILES = ((8, 3), (6, 4), (5, 5)) if LANES == 16 else ((6, 2), (4, 3))
CACHE_BYTES = 32 * 1024  # what is gone over at a time: the fastest cache holds this or more


def conv2d_weight_gradient(dy, x, window, dw, buffers):
    clear_padding(dy)
    clear_padding(x)
    filters, channels, *taps = dw.shape
    rows, columns = fullest_tile(filters, channels, prod(taps))
    if channels < columns:  # too few channels to fill a tile: use taps, which needs the zeros
        x = with_padding(x, window, buffers)
        plan, deep = tap_columns(window, channels, columns), 1
    else:
        plan, deep = channel_columns(window, channels, columns), prod(taps)
    tiles, groups = -(-filters // rows), len(plan.starts)
    lines = len(dy.stored) * window.output[0]
    parts = max(1, min(parts_of(tiles * groups), lines // 4))
    numbers = rows * window.output[1] + columns * window.stride[0] * x.data.shape[3]
    chunk = max(1, CACHE_BYTES // (numbers * LANES * x.dtype.itemsize))
    shape = (parts, tiles, groups, len(plan.ranges), sums_of(rows, columns))
    partial = buffers.empty("partial dw", shape, x.dtype)
    seen = x.data, window.stride, plan.starts, plan.ranges, chunk, partial
    if compact(dy) and groups == 1:  # with more, each would spread the same rows out
        starts = filter_starts(filters, rows, dy.window.output)
        size = rows * chunk * window.output[1] * LANES
        near = buffers.empty("near dy", (threads_here(), size), x.dtype)
        unpooled_weight_tiles(rows, columns)(*dy.windows(), starts, near, *seen)
    else:
        starts = filter_starts(filters, rows, window.output)
        weight_tiles(rows, columns)(dy.data, starts, *seen)
    dw = dw.reshape(filters, -1)
    add_parts(partial.reshape(parts, -1), *sum_places(dw.shape, 1, rows, columns, deep), dw)


def parts_of(items):
    """How many parts of the images make ITEMS pieces of work of so many, or a few more.

    A power of two, like most numbers of blocks and of threads. So a part often is whole blocks, and
    the thread that adds them up is the one that has written them.
    """
    return 1 << (-(-ITEMS // items) - 1).bit_length()


@cache
def fullest_tile(filters, channels, taps):
    """The tile of which the fewest registers stay without a weight."""

    def registers(tile):
        rows, columns = tile
        many = channels >= columns
        steps = -(-channels // columns) * taps if many else -(-channels * taps // columns)
        return -(-filters // rows) * rows * steps * columns

    return min(TILES, key=registers)


@cache
def weight_tiles(FILTERS, COLUMNS):
    """The kernel for tiles of FILTERS × COLUMNS, compiled for those that are used."""
    add_chunk = chunk_sums(FILTERS, COLUMNS)

    @kernel
    def run(dy, dy_starts, x, stride, starts, ranges, chunk, partial):
        """partial[part, tile, group, step] = Σ over the part's output rows, of a tile's sums.

        The rows of all blocks, blocks·OH of them, are cut into parts, and a part into chunks that
        stay in the fastest cache while every step (tap) goes over them.
        """
        blocks, filters, oh, ow, _ = dy.shape
        parts, tiles, groups, _, _ = partial.shape
        for item in prange(parts * tiles * groups):
            part, place, group = item // (tiles * groups), item // groups % tiles, item % groups
            partial[part, place, group] = 0
            first, last = part * blocks * oh // parts, (part + 1) * blocks * oh // parts
            dy_rows = fixed_tuple(dy_starts[place], FILTERS)
            for start in range(first, last, chunk):
                end, block = min(start + chunk, last), filters * oh * ow * LANES
                add_chunk(
                    dy, dy_rows, 0, block, oh, ow, x, stride, starts, ranges, group, start, end,
                    partial, item,
                )  # fmt: skip

    return run


@cache
def unpooled_weight_tiles(FILTERS, COLUMNS):
    """The same for a dy that is known by what came back to each window: see `Unpooled`."""
    add_chunk = chunk_sums(FILTERS, COLUMNS)

    @kernel
    def run(
        dy, winner, across, pixel_rows, windows, dy_starts, nears, x, stride, starts, ranges, chunk,
        partial,
    ):  # fmt: skip
        """A tile's rows of dy are spread out chunk by chunk, and never leave the fastest caches."""
        (blocks, filters, window_rows, window_columns, _), oh = dy.shape, len(pixel_rows)
        ow = windows[-1, 1] + windows[-1, 2]
        parts, tiles, _, _, _ = partial.shape
        for item in prange(parts * tiles):
            part, place, near = item // tiles, item % tiles, nears[get_thread_id()]
            partial[part, place] = 0
            first, last = part * blocks * oh // parts, (part + 1) * blocks * oh // parts
            near_rows = fixed_tuple(np.arange(FILTERS) * chunk * ow * LANES, FILTERS)
            for start in range(first, last, chunk):
                end = min(start + chunk, last)
                for line in range(start, end):
                    g, i = line // oh, line % oh
                    row = (g * filters * window_rows + pixel_rows[i, 1]) * window_columns
                    for r in range(FILTERS):
                        spread_row(
                            dy, winner, dy_starts[place, r] // LANES + row,
                            pixel_rows[i, 0] * across, windows,
                            near, (r * chunk + line - start) * ow * LANES,
                        )  # fmt: skip
                add_chunk(
                    near, near_rows, -start * ow * LANES, oh * ow * LANES, oh, ow, x, stride,
                    starts, ranges, 0, start, end, partial, item,
                )  # fmt: skip

    return run


@cache
def chunk_sums(FILTERS, COLUMNS):
    @inlined
    def add_chunk(
        dy, dy_rows, origin, block, oh, ow, x, stride, starts, ranges, group, start, end, partial,
        item,
    ):  # fmt: skip
        """Add to partial, step by step, the sums over the rows of outputs from start to end.

        Row i of block g begins at origin + g·block + i·ow·LANES in dy, for its filter 0.
        """
        channels, height, width = x.shape[1], x.shape[2], x.shape[3]
        steps, size = partial.shape[3], partial.shape[4]
        for step in range(steps):
            x_columns = fixed_tuple(starts[group, step], COLUMNS)
            tile = zeros(FILTERS, COLUMNS, x)
            for g in range(start // oh, (end - 1) // oh + 1):
                top, bottom = start - g * oh, end - g * oh
                for i in range(max(top, ranges[step, 0]), min(bottom, ranges[step, 1])):
                    a = origin + g * block + i * ow * LANES
                    b = (g * channels * height + i * stride[0]) * width * LANES
                    for j in range(ranges[step, 2], ranges[step, 3]):
                        for q in range(0, LANES, length(x)):
                            dy_at, x_at = a + j * LANES + q, b + j * stride[1] * LANES + q
                            tile = add_dots(tile, dy, dy_rows, dy_at, x, x_columns, x_at)
            total = sums(tile)
            o = (item * steps + step) * size
            total = add_rows(total, partial, o, length(x))
            store(total, partial, o, length(x), 0, size)

    return add_chunk


def with_padding(x, window, buffers):
    """x with zeros around it, wide enough that every window lies inside."""
    size = padded_size(window)
    if size == window.image:
        return x
    y = empty(buffers, "padded x", (x.shape[1], *size), x)
    done(surround, x.data, *window.padding, y.data)
    return Lanes(y.data, x.count, cleared=True)


def surround(x, top, left, y):
    """y[c, i, j] = x[c, i − top, j − left] inside the image, else 0."""
    y[...] = 0
    y[:, :, top : top + x.shape[2], left : left + x.shape[3]] = x
