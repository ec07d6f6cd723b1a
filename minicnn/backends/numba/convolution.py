"""Convolution with one image a lane: no matrix is built, each output looks up its own taps.

    y[f,i,j] = b[f] + Σ_{c,u,v} w[f,c,u,v] · x[c, i·s+u·d−p, j·s+v·d−p]     for 16 images at once

Two tiles of registers do all the work (see simd.py):

* forward and input gradient: a few filters of one output position, an image in each lane. Every
  tap is one load of x (that pixel, 16 images) that is multiplied by a weight of each filter. A
  tile spans two blocks of images where there are two: loading a weight then serves both.
* weight gradient: a few filters × a few channels (or taps) of dw, an image in each lane. Every
  output position is one load of each dy and each x; the lanes are summed when all is added.

The input gradient is the forward pass with other taps: where `forward` sends output i through tap
u to pixel i·s+u·d−p, `backward` sends the pixel through the same tap back to i. `Meetings` tells
the kernel which, so there is one kernel for both.

Where fewer multiplications pay, `winograd.py` computes the same, and with groups of channels
`grouped.py` does.
"""

from functools import cache
from math import prod

from numba import prange

from .. import minimal
from ..numpy.convolution import padded_size
from . import grouped, winograd, winograd_weights
from .bias import padded_bias
from .layout import Lanes, clear_padding, empty
from .partial import add_parts, filter_starts, sum_places, sums_of
from .recording import done
from .runtime import LANES, kernel
from .simd import (
    add_dots,
    add_products,
    add_rows,
    fixed_tuple,
    length,
    repeat,
    store,
    sums,
    tile_rows,
    zeros,
)
from .taps import backward, channel_columns, forward, tap_columns

# ── forward and input gradient ───────────────────────────────────────────────────────────────


def conv2d_forward(x, w, b, window, groups, buffers):
    if groups > 1:
        return grouped.conv2d_forward(x, w, b, window, groups, buffers)
    few = winograd.pays(w.shape[1], w.shape[0], window)
    return (winograd.conv2d_forward if few else direct_forward)(x, w, b, window, buffers)


def direct_forward(x, w, b, window, buffers):
    y = empty(buffers, "y", (w.shape[0], *window.output), x)
    size = w.shape[1] * w.shape[2] * w.shape[3]
    accumulate_taps(x, w, size, w.shape[2] * w.shape[3], b, forward(window), y, buffers)
    return y


def conv2d_input_gradient(dy, w, window, groups, buffers):
    if groups > 1:
        return grouped.conv2d_input_gradient(dy, w, window, groups, buffers)
    few = winograd.pays(w.shape[1], w.shape[0], window)
    gradient = winograd.conv2d_input_gradient if few else direct_input_gradient
    return gradient(dy, w, window, buffers)


def direct_input_gradient(dy, w, window, buffers):
    dx = empty(buffers, "dx", (w.shape[1], *window.image), dy, zero_from_zero=True)
    size = w.shape[1] * w.shape[2] * w.shape[3]
    accumulate_taps(dy, w, w.shape[2] * w.shape[3], size, None, backward(window), dx, buffers)
    return dx


def conv2d_way(channels, filters, window, groups):
    if groups > 1:
        return "grouped"
    if not winograd.pays(channels, filters, window):
        return "direct"
    return f"Winograd F({minimal.M}, {window.kernel[0]})"


def accumulate_taps(x, w, filter_step, channel_step, b, meetings, y, buffers):
    """y[f] = b[f] + Σ over channels and taps of w · x.

    The taps of w[f,c] lie from f·filter_step + c·channel_step on.
    """
    channels, filters = x.data.shape[1], y.data.shape[1]
    together = min(2, len(x.data))
    rows = tile_rows(filters, together)
    tiles, taps = -(-filters // rows), w.shape[2] * w.shape[3]
    packed = buffers.empty("packed w", (tiles, channels, taps, rows), x.dtype)
    bias = padded_bias(b, (tiles * rows,), x.dtype, buffers)
    pack_weights(w.reshape(-1), filter_step, channel_step, filters, packed)
    filter_tiles(rows, together)(x.data, packed, bias, w.shape[3], *meetings, y.data)


@kernel
def pack_weights(w, filter_step, channel_step, filters, packed):
    """packed[tile, c, tap, r] = w of filter tile·ROWS + r: what a tile needs next lies together."""
    tiles, channels, taps, rows = packed.shape
    for item in prange(tiles * channels):
        tile, c = item // channels, item % channels
        for tap in range(taps):
            for r in range(rows):
                f = tile * rows + r
                if f < filters:
                    packed[tile, c, tap, r] = w[f * filter_step + c * channel_step + tap]
                else:
                    packed[tile, c, tap, r] = 0


@cache
def filter_tiles(ROWS, BLOCKS):
    """The kernel for tiles of ROWS filters × BLOCKS blocks, compiled for those that are used."""

    @kernel
    def run(x, w, b, kernel_width, rows, row_steps, columns, column_steps, y):
        """x (blocks, C, H, W, B), w (tiles, C, KH·KW, ROWS), y (blocks, F, OH, OW, B).

        One iteration is a row of outputs. Of an odd number of blocks, the last is its own partner:
        both halves of the tile are then the same.
        """
        blocks, channels, height, width, _ = x.shape
        filters, oh, ow = y.shape[1], y.shape[2], y.shape[3]
        tiles, taps, plane = w.shape[0], w.shape[2], oh * ow * LANES
        tap_down, pixel_down = row_steps[0] * kernel_width * ROWS, row_steps[1] * width * LANES
        tap_right, pixel_right = column_steps[0] * ROWS, column_steps[1] * LANES
        for item in prange((blocks + BLOCKS - 1) // BLOCKS * oh):
            g, i = item // oh * BLOCKS, item % oh
            partner = min(g + BLOCKS, blocks) - g - 1
            x_step, y_step = partner * channels * height * width * LANES, partner * filters * plane
            for f in range(tiles):
                for j in range(ow):
                    tap = f * channels * taps + rows[i, 0] * kernel_width + columns[j, 0]
                    pixel = (g * channels * height + rows[i, 1]) * width + columns[j, 1]
                    out = (((g * filters + f * ROWS) * oh + i) * ow + j) * LANES
                    for q in range(0, LANES, length(x)):
                        tile = repeat(ROWS, BLOCKS, b, f * ROWS)
                        for c in range(channels):
                            for m in range(rows[i, 2]):
                                k = (tap + c * taps) * ROWS + m * tap_down
                                o = (pixel + c * height * width) * LANES + m * pixel_down + q
                                for _ in range(columns[j, 2]):
                                    tile = add_products(tile, w, k, x, o, x_step)
                                    k += tap_right
                                    o += pixel_right
                        store(tile, y, out + q, plane, y_step, filters - f * ROWS)

    return run


# ── weight gradient ──────────────────────────────────────────────────────────────────────────

# Filters × channels (or taps) of a tile: as many as registers hold.
TILES = ((8, 3), (6, 4), (5, 5)) if LANES == 16 else ((6, 2), (4, 3))
CACHE_BYTES = 32 * 1024  # what is gone over at a time: the fastest cache holds this or more
ITEMS = 16  # at least so many pieces of work, where there is enough of it


def conv2d_weight_gradient(dy, x, window, groups, dw, buffers):
    if groups > 1:
        grouped.conv2d_weight_gradient(dy, x, window, groups, dw, buffers)
    elif winograd_weights.pays(dw.shape[1], dw.shape[0], window):
        winograd_weights.conv2d_weight_gradient(dy, x, window, dw, buffers)
    else:
        direct_weight_gradient(dy, x, window, dw, buffers)


def direct_weight_gradient(dy, x, window, dw, buffers):
    clear_padding(dy)
    clear_padding(x)
    filters, channels, *taps = dw.shape
    rows, columns = fullest_tile(filters, channels, prod(taps))
    if channels < columns:  # too few channels to fill a tile: use taps, which needs the zeros
        x = with_padding(x, window, buffers)
        plan, deep = tap_columns(window, channels, columns), 1
    else:
        plan, deep = channel_columns(window, channels, columns), prod(taps)
    dy_starts = filter_starts(filters, rows, window.output)
    tiles, groups, lines = len(dy_starts), len(plan.starts), len(dy.data) * window.output[0]
    parts = max(1, min(-(-ITEMS // (tiles * groups)), lines // 4))
    numbers = rows * window.output[1] + columns * window.stride[0] * x.data.shape[3]
    chunk = max(1, CACHE_BYTES // (numbers * LANES * x.dtype.itemsize))
    shape = (parts, tiles, groups, len(plan.ranges), sums_of(rows, columns))
    partial = buffers.empty("partial dw", shape, x.dtype)
    weight_tiles(rows, columns)(
        dy.data, x.data, window.stride, dy_starts, plan.starts, plan.ranges, chunk, partial
    )
    dw = dw.reshape(filters, -1)
    add_parts(partial.reshape(parts, -1), *sum_places(dw.shape, 1, rows, columns, deep), dw)


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

    @kernel
    def run(dy, x, stride, dy_starts, starts, ranges, chunk, partial):
        """partial[part, tile, group, step] = Σ over the part's output rows, of a tile's sums.

        The rows of all blocks, blocks·OH of them, are cut into parts, and a part into chunks that
        stay in the fastest cache while every step (tap) goes over them.
        """
        blocks, filters, oh, ow, _ = dy.shape
        channels, height, width = x.shape[1], x.shape[2], x.shape[3]
        parts, tiles, groups, steps, size = partial.shape
        for item in prange(parts * tiles * groups):
            part, place, group = item // (tiles * groups), item // groups % tiles, item % groups
            partial[part, place, group] = 0
            first, last = part * blocks * oh // parts, (part + 1) * blocks * oh // parts
            dy_rows = fixed_tuple(dy_starts[place], FILTERS)
            for start in range(first, last, chunk):
                for step in range(steps):
                    x_columns = fixed_tuple(starts[group, step], COLUMNS)
                    tile = zeros(FILTERS, COLUMNS, x)
                    end = min(start + chunk, last)
                    for g in range(start // oh, (end - 1) // oh + 1):
                        top, bottom = start - g * oh, end - g * oh
                        for i in range(max(top, ranges[step, 0]), min(bottom, ranges[step, 1])):
                            a = (g * filters * oh + i) * ow * LANES
                            b = (g * channels * height + i * stride[0]) * width * LANES
                            for j in range(ranges[step, 2], ranges[step, 3]):
                                for q in range(0, LANES, length(x)):
                                    dy_at, x_at = a + j * LANES + q, b + j * stride[1] * LANES + q
                                    tile = add_dots(tile, dy, dy_rows, dy_at, x, x_columns, x_at)
                    total = sums(tile)
                    o = (item * steps + step) * size
                    total = add_rows(total, partial, o, length(x))
                    store(total, partial, o, length(x), 0, size)

    return run


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
