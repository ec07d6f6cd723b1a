"""Dense layers: three matrix products, each made of tiles that stay in registers.

All three are `add_row_products` over whatever is summed, with another thing in the lanes:

    forward            y[o] = b[o] + Σ_i w[o,i] · x[i]        an image in each lane
    input gradient     dx[i] = Σ_o w[o,i] · dy[o]             an image in each lane
    weight gradient    dw[o,i] = Σ_n dy[n,o] · x[n,i]         a feature i in each lane

A tile has two columns, so that what is broadcast (a weight, or dy) serves two registers at once:
two blocks of images, or two registers of features. The last of an odd number is its own partner:
both columns are then the same.

A weight sees few images, so sums over lanes would cost more than the products: for the weight
gradient x is turned, once, until the images are what is summed over.
"""

from functools import cache

import numpy as np
from numba import prange

from .bias import padded_bias
from .layout import Lanes, clear_padding, empty
from .recording import done
from .runtime import ITEMS, LANES, kernel
from .simd import (
    add_row_products,
    fixed_tuple,
    length,
    load_tile,
    repeat,
    store,
    transposed,
    zeros,
)

ROWS = 12 if LANES == 16 else 6  # of a tile of ROWS × 2 registers
CHUNK = 32  # rows of w that the input gradient goes over at a time


def dense_forward(x, w, b, buffers):
    y = empty(buffers, "y", (len(w),), x)
    rows = row_starts(*w.shape)
    bias = padded_bias(b, (rows.size,), x.dtype, buffers)
    output_tiles(as_dtype(w, x.dtype, buffers), rows, bias, x.data, y.data)
    return y


@cache
def row_starts(count, step):
    """Where each row of a tile begins, `step` numbers apart; beyond the last, the last again."""
    row = np.arange(-(-count // ROWS) * ROWS).reshape(-1, ROWS)
    return np.minimum(row, count - 1) * step


@kernel
def output_tiles(w, rows, b, x, y):
    """y[o] = b[o] + Σ_i w[o,i] · x[i]. x (blocks, I, B), y (blocks, O, B).

    A tile's weights serve all blocks of images before those of the next: a large w comes from
    memory only once.
    """
    (blocks, inputs, _), outputs, tiles = x.shape, y.shape[1], len(rows)
    pairs = (blocks + 1) // 2
    parts = min(pairs, (ITEMS + tiles - 1) // tiles)
    for item in prange(tiles * parts):
        part, first = item % parts, item // parts * ROWS
        starts = fixed_tuple(rows[item // parts], ROWS)
        for g in range(part * pairs // parts * 2, (part + 1) * pairs // parts * 2, 2):
            partner = min(g + 2, blocks) - g - 1
            x_step, y_step = partner * inputs * LANES, partner * outputs * LANES
            for q in range(0, LANES, length(x)):
                tile = repeat(ROWS, 2, b, first)
                x_at = g * inputs * LANES + q
                for i in range(inputs):
                    tile = add_row_products(tile, w, starts, i, x, x_at, x_step)
                    x_at += LANES
                place = (g * outputs + first) * LANES + q
                store(tile, y, place, LANES, y_step, outputs - first)


def dense_input_gradient(dy, w, buffers):
    blocks, features = len(dy.data), w.shape[1]
    size = blocks * features * LANES
    memory = buffers.empty("dx", (size + ROWS * LANES,), dy.dtype)  # a tile may read beyond dx
    dx = Lanes(memory[:size].reshape(blocks, features, LANES), dy.count, dy.cleared)
    input_tiles(dy.data, as_dtype(w, dy.dtype, buffers), row_starts(features, 1), dx.data)
    return dx


@kernel
def input_tiles(dy, w, rows, dx):
    """dx[i] = Σ_o w[o,i] · dy[o]. dy (blocks, O, B), dx (blocks, I, B).

    w is read as it lies, a few of its rows at a time.
    """
    (blocks, outputs, _), inputs, tiles = dy.shape, dx.shape[1], len(rows)
    parts = min(ITEMS, tiles)
    for part in prange(parts):
        for start in range(0, outputs, CHUNK):
            end = min(start + CHUNK, outputs)
            for item in range(part * tiles // parts, (part + 1) * tiles // parts):
                starts, first = fixed_tuple(rows[item], ROWS), item * ROWS
                for g in range(0, blocks, 2):
                    partner = min(g + 2, blocks) - g - 1
                    dy_step, dx_step = partner * outputs * LANES, partner * inputs * LANES
                    for q in range(0, LANES, length(dx)):
                        place = (g * inputs + first) * LANES + q
                        if start == 0:
                            tile = zeros(ROWS, 2, dx)
                        else:
                            tile = load_tile(ROWS, 2, dx, place, LANES, dx_step)
                        k = (g * outputs + start) * LANES + q
                        for o in range(start, end):
                            tile = add_row_products(tile, w, starts, o * inputs, dy, k, dy_step)
                            k += LANES
                        store(tile, dx, place, LANES, dx_step, inputs - first)


def dense_weight_gradient(dy, x, dw, buffers):
    clear_padding(dy)
    clear_padding(x)
    outputs, inputs = dw.shape
    rows, turned_x = row_starts(outputs, LANES), turned(x, buffers)
    lanes = turned_x.shape[2]
    if inputs % lanes == 0 and dw.dtype == x.dtype:
        weight_tiles(dy.data, rows, turned_x, dw)
    else:  # whole registers at the end of every row
        wide = buffers.empty("wide dw", (outputs, len(turned_x) * lanes), x.dtype)
        weight_tiles(dy.data, rows, turned_x, wide)
        done(np.copyto, dw, wide[:, :inputs])


@kernel
def weight_tiles(dy, rows, x, dw):
    """dw[o,i] = Σ_n dy[n,o] · x[n,i]. dy (blocks, O, B), x (I tiles, blocks·B, L), dw (O, I)."""
    (blocks, outputs, _), inputs, tiles = dy.shape, dw.shape[1], len(rows)
    images, pairs = blocks * LANES, (len(x) + 1) // 2
    parts = (ITEMS + tiles - 1) // tiles
    for item in prange(tiles * parts):
        part, first = item % parts, item // parts * ROWS
        starts = fixed_tuple(rows[item // parts], ROWS)
        for i in range(part * pairs // parts * 2, (part + 1) * pairs // parts * 2, 2):
            partner = min(i + 2, len(x)) - i - 1
            x_step, dw_step = partner * images * length(dw), partner * length(dw)
            tile = zeros(ROWS, 2, dw)
            m = i * images * length(dw)
            for g in range(blocks):
                for lane in range(LANES):
                    k = g * outputs * LANES + lane
                    tile = add_row_products(tile, dy, starts, k, x, m, x_step)
                    m += length(dw)
            place = first * inputs + i * length(dw)
            store(tile, dw, place, inputs, dw_step, outputs - first)


def turned(x, buffers):
    """x (blocks, F, B) with features in the lanes: (tiles, blocks·B, L), zero beyond F."""
    blocks, features, lanes = x.data.shape
    width = LANES * 4 // x.dtype.itemsize
    y = buffers.empty("turned x", (-(-features // width), blocks * lanes, width), x.dtype)
    turn(x.data, y)
    return y


@kernel
def turn(x, y):
    """y[tile, g·B + lane, r] = x[g, tile·L + r, lane]."""
    features, images, square = x.shape[1], y.shape[1], length(x)
    for tile in prange(len(y)):
        f = tile * square
        for n in range(0, images, square):
            g, lane = n // LANES, n % LANES
            if f + square <= features:
                block = transposed(x, (g * features + f) * LANES + lane, LANES)
                store(block, y, (tile * images + n) * square, square, 0, square)
            else:
                for row in range(square):
                    for s in range(square):
                        y[tile, n + row, s] = x[g, f + s, lane + row] if f + s < features else 0


def as_dtype(w, dtype, buffers):
    """w, converted where a float32 layer meets float64 inputs."""
    if w.dtype == dtype:
        return w
    converted = buffers.empty("converted w", w.shape, dtype)
    done(np.copyto, converted, w)
    return converted
