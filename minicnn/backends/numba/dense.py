"""Dense layers: three matrix products, each made of tiles that stay in registers.

All three are `add_products` over whatever is summed, with another thing in the lanes:

    forward            y[o] = b[o] + Σ_i w[o,i] · x[i]        an image in each lane
    input gradient     dx[n,i] = Σ_o dy[n,o] · w[o,i]         a feature i in each lane
    weight gradient    dw[o,i] = Σ_n dy[n,o] · x[n,i]         a feature i in each lane

A tile has two columns, so that what is broadcast (a weight, or dy) serves two registers at once: in
the forward pass two blocks of images, else two registers of features. The last of an odd number is
its own partner: both columns are then the same.

A weight sees few images, so sums over lanes would cost more than the products: for the weight
gradient x and dy are turned, once, until the images are what is summed over.
"""

import numpy as np
from numba import prange

from .layout import clear_padding, empty
from .runtime import LANES, device, kernel
from .simd import add_products, length, load_tile, repeat, store, transposed, zeros

ROWS = 8 if LANES == 16 else 4  # of a tile of ROWS × 2 registers
PANEL = max(8, LANES)  # outputs whose weights are packed together, a few tiles
CHUNK = 128  # rows of w that the input gradient goes over at a time
ITEMS = 16  # at least so many pieces of work, where there is enough of it


def dense_forward(x, w, b, buffers):
    y = empty(buffers, "y", (len(w),), x)
    workers = min(ITEMS, panels_of(len(w)))
    packed = buffers.empty("packed w", (workers, w.shape[1] + 1, PANEL), x.dtype)
    b = np.zeros(0, w.dtype) if b is None else b
    output_tiles(as_dtype(w, x.dtype, buffers), b, x.data, packed, y.data)
    return y


@kernel
def output_tiles(w, b, x, packed, y):
    """y[o] = b[o] + Σ_i w[o,i] · x[i]. x (blocks, I, B), y (blocks, O, B).

    A panel's weights are packed once, so that those of one i lie together, and used at once for
    all blocks of images: a large w comes from memory only once. packed (workers, I + 1, PANEL),
    the last row for the biases.
    """
    blocks, inputs, _ = x.shape
    outputs, workers = y.shape[1], len(packed)
    for worker in prange(workers):
        for panel in range(worker * PANEL, outputs, workers * PANEL):
            pack_rows(w, b, panel, packed[worker])
            for g in range(0, blocks, 2):
                partner = min(g + 2, blocks) - g - 1
                x_step, y_step = partner * inputs * LANES, partner * outputs * LANES
                for first in range(panel, min(panel + PANEL, outputs), ROWS):
                    for q in range(0, LANES, length(x)):
                        k = worker * (inputs + 1) * PANEL + first - panel
                        tile = repeat(ROWS, 2, packed, k + inputs * PANEL)
                        o = g * inputs * LANES + q
                        for _ in range(inputs):
                            tile = add_products(tile, packed, k, x, o, x_step)
                            k += PANEL
                            o += LANES
                        place = (g * outputs + first) * LANES + q
                        store(tile, y, place, LANES, y_step, outputs - first)


@device
def pack_rows(w, b, first, packed):
    """packed[i, r] = w[first + r, i], packed[I, r] = b[first + r]; 0 where there is no such row."""
    outputs, inputs = w.shape
    square = length(w)
    whole = inputs // square * square if first + PANEL <= outputs else 0
    for i in range(0, whole, square):
        for r in range(0, PANEL, square):
            tile = transposed(w, (first + r) * inputs + i, inputs)
            store(tile, packed, i * PANEL + r, PANEL, 0, square)
    for r in range(PANEL):
        for i in range(whole, inputs):
            packed[i, r] = w[first + r, i] if first + r < outputs else 0
        packed[inputs, r] = b[first + r] if first + r < len(b) else 0


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
    outputs, inputs = w.shape
    tiles, images = dx.shape[:2]
    pairs = (tiles + 1) // 2
    parts = min(ITEMS, pairs)
    for part in prange(parts):
        for start in range(0, outputs, CHUNK):
            for i in range(part * pairs // parts * 2, (part + 1) * pairs // parts * 2, 2):
                partner = min(i + 2, tiles) - i - 1
                w_step, dx_step = partner * length(w), partner * images * length(w)
                for n in range(0, images, ROWS):
                    place = (i * images + n) * length(w)
                    if start == 0:
                        tile = zeros(ROWS, 2, w)
                    else:
                        tile = load_tile(ROWS, 2, dx, place, length(w), dx_step)
                    for o in range(start, min(start + CHUNK, outputs)):
                        k = (n // LANES * outputs + o) * LANES + n % LANES
                        tile = add_products(tile, dy, k, w, o * inputs + i * length(w), w_step)
                    store(tile, dx, place, length(w), dx_step, ROWS)


@kernel
def turn_back(x, y):
    """y[g, tile·L + l, lane] = x[tile, g·B + lane, l]."""
    features, images, square = y.shape[1], x.shape[1], length(x)
    for tile in prange(len(x)):
        for n in range(0, images, square):
            g, lane, f = n // LANES, n % LANES, tile * square
            block = transposed(x, (tile * images + n) * square, square)
            store(block, y, (g * features + f) * LANES + lane, LANES, 0, features - f)


def dense_weight_gradient(dy, x, dw, buffers):
    clear_padding(dy)
    clear_padding(x)
    outputs, inputs = dw.shape
    lanes = register_of(x.dtype)
    turned_dy = turned(dy, PANEL, "turned dy", buffers)
    turned_x = turned(x, lanes, "turned x", buffers)
    if inputs % lanes == 0 and dw.dtype == x.dtype:
        weight_tiles(turned_dy, turned_x, dw)
    else:  # whole registers at the end of every row
        wide = buffers.empty("wide dw", (outputs, len(turned_x) * lanes), x.dtype)
        weight_tiles(turned_dy, turned_x, wide)
        dw[...] = wide[:, :inputs]


@kernel
def weight_tiles(dy, x, dw):
    """dw[o,i] = Σ_n dy[n,o] · x[n,i]. dy (panels, N, PANEL), x (I tiles, N, L), dw (O, I)."""
    (panels, images, _), (outputs, inputs) = dy.shape, dw.shape
    parts, pairs = -(-ITEMS // panels), (len(x) + 1) // 2
    for item in prange(panels * parts):
        panel, part = item // parts * PANEL, item % parts
        for i in range(part * pairs // parts * 2, (part + 1) * pairs // parts * 2, 2):
            partner = min(i + 2, len(x)) - i - 1
            x_step, dw_step = partner * images * length(dw), partner * length(dw)
            for first in range(panel, min(panel + PANEL, outputs), ROWS):
                k, m = panel * images + first - panel, i * images * length(dw)
                tile = zeros(ROWS, 2, dw)
                for n in range(images):
                    tile = add_products(tile, dy, k + n * PANEL, x, m + n * length(dw), x_step)
                place = first * inputs + i * length(dw)
                store(tile, dw, place, inputs, dw_step, outputs - first)


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
                    store(block, y, (tile * images + n) * width + r, width, 0, square)
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


def panels_of(outputs):
    return -(-outputs // PANEL)


def as_dtype(w, dtype, buffers):
    """w, converted where a float32 layer meets float64 inputs."""
    if w.dtype == dtype:
        return w
    converted = buffers.empty("converted w", w.shape, dtype)
    np.copyto(converted, w, casting="same_kind")
    return converted
