"""The rungs of the ladder: one convolution, written nine times.

    y[n,f,i,j] = Σ_{c,u,v} w[f,c,u,v] · x[n, c, i+u, j+v]

x (N, C, H, W), w (F, C, KH, KW), y (N, F, OH, OW). docs/ladder.md explains what each changes.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numba import njit, prange
from numpy.lib.stride_tricks import sliding_window_view

from minicnn import Conv2D, backends
from minicnn.backends.buffers import Buffers
from minicnn.backends.numba import convolution, winograd
from minicnn.backends.numba.runtime import LANES, kernel
from minicnn.backends.numba.simd import add_products, store, zeros

TILE = 8  # filters that one tile of registers computes


def python_loops(x, w, y):
    images, filters, height, width = y.shape
    x, w = x.tolist(), w.tolist()
    for n in range(images):
        for f in range(filters):
            for i in range(height):
                for j in range(width):
                    total = 0.0
                    for plane, weights in zip(x[n], w[f]):
                        for u, row in enumerate(weights):
                            for v, weight in enumerate(row):
                                total += weight * plane[i + u][j + v]
                    y[n, f, i, j] = total


def shifted_images(x, w, y):
    filters, channels, kh, kw = w.shape
    height, width = y.shape[2:]
    y[...] = 0
    for u in range(kh):
        for v in range(kw):
            seen = x[:, :, u : u + height, v : v + width]
            for f in range(filters):
                for c in range(channels):
                    y[:, f] += w[f, c, u, v] * seen[:, c]


def im2col(x, w, y):
    filters, _, kh, kw = w.shape
    windows = sliding_window_view(x, (kh, kw), axis=(2, 3))  # (N, C, OH, OW, KH, KW)
    columns = windows.transpose(1, 4, 5, 0, 2, 3).reshape(w[0].size, -1)
    product = w.reshape(filters, -1) @ columns
    y[...] = product.reshape(filters, len(y), *y.shape[2:]).swapaxes(0, 1)


@njit
def one_image(x, w, y):
    """x (C, H, W) → y (F, OH, OW): the loops of the first rung."""
    for f in range(len(y)):
        for i in range(y.shape[1]):
            for j in range(y.shape[2]):
                total = y.dtype.type(0)
                for c in range(len(x)):
                    for u in range(w.shape[2]):
                        for v in range(w.shape[3]):
                            total += w[f, c, u, v] * x[c, i + u, j + v]
                y[f, i, j] = total


@njit
def compiled_loops(x, w, y):
    for n in range(len(y)):
        one_image(x[n], w, y[n])


@kernel
def on_threads(x, w, y):
    for n in prange(len(y)):
        one_image(x[n], w, y[n])


@kernel
def images_in_lanes(x, w, y):
    """x (blocks, C, H, W, B), w (F, C, KH, KW), y (blocks, F, OH, OW, B)."""
    for item in prange(len(y) * y.shape[2]):
        g, i = item // y.shape[2], item % y.shape[2]
        for f in range(y.shape[1]):
            for j in range(y.shape[3]):
                y[g, f, i, j, :] = 0
                for c in range(x.shape[1]):
                    for u in range(w.shape[2]):
                        for v in range(w.shape[3]):
                            for lane in range(LANES):
                                y[g, f, i, j, lane] += w[f, c, u, v] * x[g, c, i + u, j + v, lane]


@kernel
def register_tile(x, w, y):
    """As before, with w (F / TILE, C, KH, KW, TILE): TILE filters at once, summed in registers."""
    _, channels, height, width, _ = x.shape
    filters, oh, ow = y.shape[1:4]
    kh, kw = w.shape[2:4]
    for item in prange(len(y) * oh):
        g, i = item // oh, item % oh
        for t in range(len(w)):
            for j in range(ow):
                tile = zeros(8, 1, x)
                for c in range(channels):
                    for u in range(kh):
                        k = ((t * channels + c) * kh + u) * kw * TILE
                        o = (((g * channels + c) * height + i + u) * width + j) * LANES
                        for v in range(kw):
                            tile = add_products(tile, w, k + v * TILE, x, o + v * LANES, 0)
                out = (((g * filters + t * TILE) * oh + i) * ow + j) * LANES
                store(tile, y, out, oh * ow * LANES, 0, filters - t * TILE)


# ── what runs them ───────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Rung:
    """A function run(x, w, y), or one that prepares layouts and returns (compute, collect)."""

    name: str
    run: Callable
    threads: int
    images: int
    repeats: int = 7  # after a first call, which may compile; 0: the first call counts


def rungs(threads: int, images: int) -> list[Rung]:
    return [
        Rung("Python loops", python_loops, 1, 1, repeats=0),
        Rung("NumPy, shifted images", shifted_images, 1, images),
        Rung("NumPy, im2col and BLAS", im2col, 1, images),
        Rung("compiled loops", compiled_loops, 1, images),
        Rung("on all threads", on_threads, threads, images),
        Rung("images in lanes", in_lanes(images_in_lanes, lambda w: w), threads, images),
        Rung("register tile", in_lanes(register_tile, in_tiles), threads, images),
        Rung("the library's kernel", library(convolution.direct_forward), threads, images),
        Rung("fewer multiplications", library(winograd.conv2d_forward), threads, images),
    ]


def in_lanes(run, arranged):
    """A rung whose batch lies as blocks of LANES images: returns what prepares it."""

    def prepare(x, w, y):
        blocks, weights = as_blocks(x), arranged(w)
        out = Buffers().empty("y", (len(blocks), *y.shape[1:], LANES), y.dtype)

        def compute():
            run(blocks, weights, out)

        def collect():
            y[...] = np.moveaxis(out, -1, 1).reshape(-1, *y.shape[1:])[: len(y)]

        return compute, collect

    prepare.prepares = True
    return prepare


def library(forward):
    """minicnn's own: two registers of images a tile, taps looked up in tables; or Winograd's."""

    def prepare(x, w, y):
        ops = backends.get("numba")
        window = Conv2D(w.shape[1], len(w), w.shape[2:], bias=False).window(x.shape[1:])
        (weights,), batch, buffers = ops.allocate([w]), ops.from_numpy(x), ops.Buffers()
        found = []

        def compute():
            found[:] = [forward(batch, weights, None, window, buffers)]

        def collect():
            y[...] = ops.to_numpy(found[0])

        return compute, collect

    prepare.prepares = True
    return prepare


def as_blocks(x):
    """(N, C, H, W) → (blocks, C, H, W, LANES); lanes without an image are 0."""
    images = np.zeros((-(-len(x) // LANES) * LANES, *x.shape[1:]), x.dtype)
    images[: len(x)] = x
    images = np.moveaxis(images.reshape(-1, LANES, *x.shape[1:]), 1, -1)
    blocks = Buffers().empty("x", images.shape, x.dtype)  # begins at a cache line, as a register
    blocks[...] = images
    return blocks


def in_tiles(w):
    """(F, C, KH, KW) → (F / TILE, C, KH, KW, TILE), filled up with zeros."""
    tiles = np.zeros((-(-len(w) // TILE) * TILE, *w.shape[1:]), w.dtype)
    tiles[: len(w)] = w
    return np.ascontiguousarray(np.moveaxis(tiles.reshape(-1, TILE, *w.shape[1:]), 1, -1))
