"""Dense layers: three matrix products, each made of tiles that stay in registers.

All three are `add_products` over whatever is summed, with another thing in the lanes:

    forward            y[o] = b[o] + Σ_i w[o,i] · x[i]        an image in each lane
    input gradient     dx[i] = Σ_o w[o,i] · dy[o]             an image in each lane
    weight gradient    dw[o,i] = Σ_n dy[n,o] · x[n,i]         a feature i in each lane

A weight sees few images, so sums over lanes would cost more than the products: for the weight
gradient x and dy are turned, once, until the images are what is summed over.
"""

import numpy as np
from numba import prange

from .layout import clear_padding, empty
from .runtime import LANES, device, kernel
from .simd import add_products, length, load_rows, repeat, store, transposed, zeros

ROWS = max(8, LANES)  # outputs in a tile
CHUNK = 128  # rows of w that the input gradient goes over at a time
ITEMS = 16  # at least so many pieces of work, where there is enough of it


def dense_forward(x, w, b, buffers):
    y = empty(buffers, "y", (len(w),), x)
    bias = buffers.empty("packed b", (tiles_of(len(w)) * ROWS,), x.dtype)
    bias[: len(w)], bias[len(w) :] = 0 if b is None else b, 0
    workers = min(ITEMS, tiles_of(len(w)))
    packed = buffers.empty("packed w", (workers, w.shape[1], ROWS), x.dtype)
    output_tiles(as_dtype(w, x.dtype, buffers), bias, x.data, packed, y.data)
    return y


@kernel
def output_tiles(w, b, x, packed, y):
    """y[o] = b[o] + Σ_i w[o,i] · x[i]. x (blocks, I, B), y (blocks, O, B).

    A tile's weights are packed once, so that those of one i lie together, and used at once for
    all blocks of images: a large w comes from memory only once. packed (workers, I, ROWS).
    """
    blocks, inputs, _ = x.shape
    outputs, workers = y.shape[1], len(packed)
    for worker in prange(workers):
        for first in range(worker * ROWS, outputs, workers * ROWS):
            pack_rows(w, first, packed[worker])
            for g in range(blocks):
                for q in range(0, LANES, length(x)):
                    tile = repeat(ROWS, b, first)
                    for i in range(inputs):
                        k, o = (worker * inputs + i) * ROWS, (g * inputs + i) * LANES + q
                        tile = add_products(tile, packed, k, x, o)
                    store(tile, y, (g * outputs + first) * LANES + q, LANES, outputs - first)


@device
def pack_rows(w, first, packed):
    """packed[i, r] = w[first + r, i]; 0 where w has no such row."""
    outputs, inputs = w.shape
    square = length(w)
    whole = inputs // square * square if first + ROWS <= outputs else 0
    for i in range(0, whole, square):
        for r in range(0, ROWS, square):
            tile = transposed(w, (first + r) * inputs + i, inputs)
            store(tile, packed, i * ROWS + r, ROWS, square)
    for r in range(ROWS):
        for i in range(whole, inputs):
            packed[i, r] = w[first + r, i] if first + r < outputs else 0


def dense_input_gradient(dy, w, buffers):
    dx = empty(buffers, "dx", (w.shape[1],), dy)
    w = whole_registers(w, dy.dtype, buffers)
    lanes = register_of(dy.dtype)
    shape = (w.shape[1] // lanes, dy.data.shape[0] * LANES, lanes)
    turned_dx = buffers.empty("turned dx", shape, dy.dtype)
    input_tiles(dy.data, w, turned_dx)
    turn_back(turned_dx, dx.data)
    return dx


@kernel
def input_tiles(dy, w, dx):
    """dx[i,n] = Σ_o dy[n,o] · w[o,i], features in the lanes. dx (I tiles, blocks·B, L).

    A row of the tile is an image, so w is read as it lies, a few of its rows at a time.
    """
    blocks, outputs, _ = dy.shape
    inputs, tiles, images = w.shape[1], dx.shape[0], dx.shape[1]
    parts = min(ITEMS, tiles)
    for part in prange(parts):
        for first in range(0, outputs, CHUNK):
            for i in range(part * tiles // parts, (part + 1) * tiles // parts):
                for g in range(blocks):
                    place = (i * images + g * LANES) * length(w)
                    if first == 0:
                        tile = zeros(LANES, w)
                    else:
                        tile = load_rows(LANES, dx, place, length(w), LANES)
                    for o in range(first, min(first + CHUNK, outputs)):
                        k, m = (g * outputs + o) * LANES, o * inputs + i * length(w)
                        tile = add_products(tile, dy, k, w, m)
                    store(tile, dx, place, length(w), LANES)


@kernel
def turn_back(x, y):
    """y[g, tile·L + l, lane] = x[tile, g·B + lane, l]."""
    features, images, square = y.shape[1], x.shape[1], length(x)
    for tile in prange(len(x)):
        for n in range(0, images, square):
            g, lane, f = n // LANES, n % LANES, tile * square
            block = transposed(x, (tile * images + n) * square, square)
            store(block, y, (g * features + f) * LANES + lane, LANES, features - f)


def dense_weight_gradient(dy, x, dw, buffers):
    clear_padding(dy)
    clear_padding(x)
    outputs, inputs = dw.shape
    lanes = register_of(x.dtype)
    turned_dy = turned(dy, ROWS, "turned dy", buffers)
    turned_x = turned(x, lanes, "turned x", buffers)
    if inputs % lanes == 0 and dw.dtype == x.dtype:
        weight_tiles(turned_dy, turned_x, dw)
    else:  # whole registers at the end of every row
        wide = buffers.empty("wide dw", (outputs, len(turned_x) * lanes), x.dtype)
        weight_tiles(turned_dy, turned_x, wide)
        dw[...] = wide[:, :inputs]


@kernel
def weight_tiles(dy, x, dw):
    """dw[o,i] = Σ_n dy[n,o] · x[n,i]. dy (O tiles, N, ROWS), x (I tiles, N, L), dw (O, I)."""
    (tiles, images, _), (outputs, inputs) = dy.shape, dw.shape
    parts = -(-ITEMS // tiles)
    for item in prange(tiles * parts):
        o, part = item // parts * ROWS, item % parts
        for i in range(part * len(x) // parts, (part + 1) * len(x) // parts):
            tile = zeros(ROWS, dw)
            for n in range(images):
                k, m = (item // parts * images + n) * ROWS, (i * images + n) * length(dw)
                tile = add_products(tile, dy, k, x, m)
            store(tile, dw, o * inputs + i * length(dw), inputs, outputs - o)


def turned(x, width, name, buffers):
    """x (blocks, F, B) with features in the lanes: (tiles, blocks·B, width), zero beyond F."""
    blocks, features, lanes = x.data.shape
    y = buffers.empty(name, (-(-features // width), blocks * lanes, width), x.dtype)
    turn(x.data, y)
    return y


@kernel
def turn(x, y):
    """y[tile, g·B + lane, r] = x[g, tile·width + r, lane]."""
    (_, features, lanes), (tiles, images, width) = x.shape, y.shape
    square = length(x)
    for tile in prange(tiles):
        for n in range(0, images, square):
            g, lane = n // lanes, n % lanes
            for r in range(0, width, square):
                f = tile * width + r
                if f + square <= features:
                    block = transposed(x, (g * features + f) * lanes + lane, lanes)
                    store(block, y, (tile * images + n) * width + r, width, square)
                else:
                    for row in range(square):
                        for s in range(square):
                            inside = f + s < features
                            y[tile, n + row, r + s] = x[g, f + s, lane + row] if inside else 0


def register_of(dtype):
    """L: how many numbers of this dtype a register holds."""
    return LANES * 4 // dtype.itemsize


def whole_registers(w, dtype, buffers):
    """w (O, I) as this dtype with I rounded up to whole registers: w itself where it is both."""
    lanes = register_of(dtype)
    if w.dtype == dtype and w.shape[1] % lanes == 0:
        return w
    wide = buffers.empty("wide w", (len(w), -(-w.shape[1] // lanes) * lanes), dtype)
    wide[:, : w.shape[1]], wide[:, w.shape[1] :] = w, 0
    return wide


def tiles_of(outputs):
    return -(-outputs // ROWS)


def as_dtype(w, dtype, buffers):
    """w, converted where a float32 layer meets float64 inputs."""
    if w.dtype == dtype:
        return w
    converted = buffers.empty("converted w", w.shape, dtype)
    np.copyto(converted, w, casting="same_kind")
    return converted
