"""Convolution with one image a lane: no matrix is built, each output looks up its own taps.

    y[f,i,j] = b[f] + Σ_{c,u,v} w[f,c,u,v] · x[c, i·s+u·d−p, j·s+v·d−p]     for 16 images at once

A tile of registers (see simd.py) is a few filters of one output position, an image in each lane.
Every tap is one load of x (that pixel, 16 images) that is multiplied by a weight of each filter. A
tile spans two blocks of images where there are two: loading a weight then serves both.

The input gradient is the forward pass with other taps: where `forward` sends output i through tap
u to pixel i·s+u·d−p, `backward` sends the pixel through the same tap back to i. `Meetings` tells
the kernel which, so there is one kernel for both.

The gradient of the weights is in `direct_weights.py`. Where fewer multiplications pay,
`winograd.py` and `winograd_weights.py` compute the same, and with groups of channels `grouped.py`
does.
"""

from functools import cache

from numba import prange

from .. import minimal
from . import direct_weights, grouped, winograd, winograd_weights
from .bias import padded_bias
from .layout import empty
from .runtime import LANES, inlined, kernel
from .simd import add_products, fixed_tuple, length, repeat, store, tile_rows
from .taps import backward, forward


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


def conv2d_weight_gradient(dy, x, window, groups, dw, buffers):
    if groups > 1:
        grouped.conv2d_weight_gradient(dy, x, window, groups, dw, buffers)
    elif winograd_weights.pays(dw.shape[1], dw.shape[0], window):
        winograd_weights.conv2d_weight_gradient(dy, x, window, dw, buffers)
    else:
        direct_weights.conv2d_weight_gradient(dy, x, window, dw, buffers)


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
    outputs = output_tile(ROWS, BLOCKS)

    @kernel
    def run(x, w, b, kernel_width, rows, row_steps, columns, column_steps, y):
        """x (blocks, C, H, W, B), w (tiles, C, KH·KW, ROWS), y (blocks, F, OH, OW, B).

        One iteration is a row of outputs. Of an odd number of blocks, the last is its own partner:
        both halves of the tile are then the same.
        """
        blocks, filters, oh, ow, _ = y.shape
        plane = oh * ow * LANES
        for item in prange((blocks + BLOCKS - 1) // BLOCKS * oh):
            g, i = item // oh * BLOCKS, item % oh
            partner, row = min(g + BLOCKS, blocks) - g - 1, fixed_tuple(rows[i], 3)
            for f in range(len(w)):
                for j in range(ow):
                    column = fixed_tuple(columns[j], 3)
                    out = (((g * filters + f * ROWS) * oh + i) * ow + j) * LANES
                    for q in range(0, LANES, length(x)):
                        tile = outputs(
                            x, w, b, kernel_width, row, row_steps, column, column_steps,
                            g, partner, f, q,
                        )  # fmt: skip
                        y_step = partner * filters * plane
                        store(tile, y, out + q, plane, y_step, filters - f * ROWS)

    run.compiled.tile = ROWS, BLOCKS  # for `pooled_convolution.py`
    return run


@cache
def output_tile(ROWS, BLOCKS):
    @inlined
    def outputs(
        x, w, b, kernel_width, row, row_steps, column, column_steps, g, partner, f, q
    ):
        """The tile of filters f·ROWS … in blocks g and g + partner, images q … in its lanes.

        row, column: which taps the output meets, and how far apart they are (see `Meetings`).
        """
        channels, height, width, taps = x.shape[1], x.shape[2], x.shape[3], w.shape[2]
        tap = f * channels * taps + row[0] * kernel_width + column[0]
        pixel = (g * channels * height + row[1]) * width + column[1]
        x_step = partner * channels * height * width * LANES
        tile = repeat(ROWS, BLOCKS, b, f * ROWS)
        for c in range(channels):
            for m in range(row[2]):
                k = (tap + c * taps + m * row_steps[0] * kernel_width) * ROWS
                o = (pixel + (c * height + m * row_steps[1]) * width) * LANES + q
                for _ in range(column[2]):
                    tile = add_products(tile, w, k, x, o, x_step)
                    k += column_steps[0] * ROWS
                    o += column_steps[1] * LANES
        return tile

    return outputs
