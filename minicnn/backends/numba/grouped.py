"""Convolution in groups of channels, which may have too few filters to fill a tile.

    y[f,i,j] = b[f] + Σ_{c,u,v} w[f,c,u,v] · x[c', i·s+u·d−p, j·s+v·d−p]    c' in f's group

A register of x that meets a single weight waits for memory most of the time. So here the columns of
a tile are *outputs*, side by side in a row, and a weight is loaded once for all of them. What a
group sees of a block of images is copied first, with zeros around it, to a place that stays in the
second cache: so all outputs have the same taps.

* forward: filters × outputs of a row.
* input gradient: the same, of dy with w turned by 180° and its first two axes exchanged. With
  stride s there are s − 1 zeros between the numbers of dy. (Some products more, and simpler.)
* weight gradient: filters × weights; every output is one load of each dy and each x.
"""

from functools import cache
from math import prod
from typing import NamedTuple

import numpy as np
from numba import get_thread_id, prange

from .bias import pad, padded_bias
from .layout import clear_padding, empty
from .partial import add_parts, filter_starts, sum_places, sums_of
from .recording import done
from .runtime import ITEMS, LANES, device, kernel, threads_here
from .simd import (
    REGISTERS,
    add_dots,
    add_products,
    add_rows,
    fixed_tuple,
    length,
    load_tile,
    repeat,
    store,
    sums,
    zeros,
)

PLACE_BYTES = 256 * 1024  # of the copy: the second cache holds it, and the outputs beside it
# The sizes of a tile, few, for each is compiled by itself: rows, and outputs or weights.
ROWS, OUTPUTS, WEIGHTS = (1, 2, 3), (1, 2, 4, 7, 14), (1, 3, 9)


class View(NamedTuple):
    """How outputs see the copy, along both axes.

    Its row r is row (r − before) / spread of the images; where that is none, zeros. Output i and
    tap u meet at its row i · stride + u · dilation.
    """

    stride: tuple[int, int]
    dilation: tuple[int, int]
    before: tuple[int, int]
    spread: tuple[int, int]


@cache
def tile_for(filters, columns, sizes):
    """The tile that takes the fewest products and loads, the last and ragged ones included."""

    def work(tile):
        r, c = tile
        return -(-filters // r) * -(-columns // c) * (r * c + r + c + 2)

    fit = [(r, c) for r in ROWS for c in sizes if (r + 1) * c <= REGISTERS + 3]
    return min((tile for tile in fit if tile[0] <= filters and tile[1] <= columns), key=work)


def place_for(x, shape, output, view, buffers):
    """A place for the copy, (threads, C, rows, columns, B), and in how many parts rows go there."""
    (groups, _, channels, kh, kw), (oh, ow), ((sh, sw), (dh, dw)) = shape, output, view[:2]
    reach, wide = (kh - 1) * dh + 1, (ow - 1) * sw + (kw - 1) * dw + 1
    fit = (PLACE_BYTES // (channels * wide * LANES * x.dtype.itemsize) - reach) // sh + 1
    parts = min(oh, max(-(-oh // max(1, fit)), -(-ITEMS // (groups * len(x.data)))))
    tall = (-(-oh // parts) - 1) * sh + reach
    return buffers.empty("place", (threads_here(), channels, tall, wide, LANES), x.dtype), parts


@device
def copy(x, plane, first, before, spread, place):
    """place[c, r] = row (first + r − before) / spread of x[plane + c], with zeros around it."""
    (_, height, width, _), (channels, tall, wide, _), L = x.shape, place.shape, length(x)
    nothing = zeros(1, 1, x)
    # Pixel k comes to column k · spread + before; of those in the place, from low to high.
    low = max(0, -(before[1] // spread[1]))
    high = min(width, (wide - 1 - before[1]) // spread[1] + 1)
    for c in range(channels):
        for r in range(tall):
            h, o = first + r - before[0], (c * tall + r) * wide * LANES
            inside = h % spread[0] == 0 and 0 <= h < height * spread[0] and low < high
            left = o + (low * spread[1] + before[1]) * LANES if inside else o + wide * LANES
            right = o + ((high - 1) * spread[1] + before[1] + 1) * LANES if inside else left
            for at in range(o, left, L):
                store(nothing, place, at, 0, 0, 1)
            for at in range(right, o + wide * LANES, L):
                store(nothing, place, at, 0, 0, 1)
            if inside:
                if spread[1] > 1:
                    for at in range(left, right, L):
                        store(nothing, place, at, 0, 0, 1)
                a = ((plane + c) * height + h // spread[0]) * width * LANES
                for k in range(high - low):
                    for q in range(0, LANES, L):
                        pixel = load_tile(1, 1, x, a + (low + k) * LANES + q, 0, 0)
                        store(pixel, place, left + k * spread[1] * LANES + q, 0, 0, 1)


# ── forward and input gradient ───────────────────────────────────────────────────────────────


def conv2d_forward(x, w, b, window, groups, buffers):
    y = empty(buffers, "y", (len(w), *window.output), x)
    view = View(window.stride, window.dilation, window.padding, (1, 1))
    correlate(x, by_group(w, groups), b, view, y, buffers)
    return y


def conv2d_input_gradient(dy, w, window, groups, buffers):
    dx = empty(buffers, "dx", (groups * w.shape[1], *window.image), dy, zero_from_zero=True)
    before = tuple(r - 1 - p for r, p in zip(window.reach, window.padding))
    view = View((1, 1), window.dilation, before, window.stride)
    turned = by_group(w, groups)[..., ::-1, ::-1].swapaxes(1, 2)
    correlate(dy, turned, None, view, dx, buffers)
    return dx


def by_group(w, groups):
    return w.reshape(groups, len(w) // groups, *w.shape[1:])


def correlate(x, w, b, view, y, buffers):
    """w (groups, F, C, KH, KW): F filters and C channels of each group."""
    groups, filters, channels, kh, kw = w.shape
    output = y.data.shape[2:4]
    rows, columns = tile_for(filters, output[1], OUTPUTS)
    size = -(-filters // rows) * rows
    packed = buffers.empty("packed w", (groups, channels, kh, kw, size), x.dtype)
    done(pad, w.transpose(0, 2, 3, 4, 1), packed)
    by_filter = None if b is None else b.reshape(groups, filters)
    bias = padded_bias(by_filter, (groups, size), x.dtype, buffers)
    place, parts = place_for(x, w.shape, output, view, buffers)
    output_tiles(rows, columns)(x.data, packed, bias, *view, filters, parts, place, y.data)


@cache
def output_tiles(ROWS, COLUMNS):
    """The kernel for tiles of ROWS filters × COLUMNS outputs, compiled for those that are used."""

    @kernel
    def run(x, w, bias, stride, dilation, before, spread, filters, parts, places, y):
        """x (blocks, G·C, H, W, B), w (G, C, KH, KW, F), y (blocks, G·F, OH, OW, B).

        One iteration is a part of the output rows of a group of a block. The last tile of a row
        reaches back over outputs that are done already, so that it is as wide as the others.
        """
        oh, ow = y.shape[2], y.shape[3]
        groups, channels, kh, kw, size = w.shape
        tall, wide = places.shape[2], places.shape[3]
        planes = x.reshape(-1, x.shape[2], x.shape[3], LANES)
        down, right = dilation[0] * wide * LANES, dilation[1] * LANES
        step = stride[1] * LANES
        for item in prange(len(x) * groups * parts):
            plane, part = item // parts, item % parts  # plane: a group of a block
            first, last = part * oh // parts, (part + 1) * oh // parts
            place, group = places[get_thread_id()], plane % groups
            copy(planes, plane * channels, first * stride[0], before, spread, place)
            for f in range(0, filters, ROWS):
                for i in range(first, last):
                    top = (i - first) * stride[0] * wide * LANES
                    out = ((plane * filters + f) * oh + i) * ow
                    for piece in range(0, ow, COLUMNS):
                        j = min(piece, ow - COLUMNS)
                        for q in range(0, LANES, length(x)):
                            tile = repeat(ROWS, COLUMNS, bias, group * size + f)
                            k = group * channels * kh * kw * size + f
                            for c in range(channels):
                                for u in range(kh):
                                    o = c * tall * wide * LANES + top + u * down + j * step + q
                                    for _ in range(kw):
                                        tile = add_products(tile, w, k, place, o, step)
                                        k += size
                                        o += right
                            place_y = (out + j) * LANES + q
                            store(tile, y, place_y, oh * ow * LANES, LANES, filters - f)

    return run


# ── weight gradient ──────────────────────────────────────────────────────────────────────────


def conv2d_weight_gradient(dy, x, window, groups, dw, buffers):
    clear_padding(dy)
    clear_padding(x)
    filters, weights = len(dw) // groups, dw[0].size
    rows, columns = tile_for(filters, weights, WEIGHTS)
    view = View(window.stride, window.dilation, window.padding, (1, 1))
    place, chunks = place_for(x, by_group(dw, groups).shape, window.output, view, buffers)
    dy_starts = filter_starts(filters, rows, window.output)
    starts = weight_starts(dw.shape[1:], columns, window.dilation, place.shape[2:4])
    parts = min(len(x.data) * chunks, -(-ITEMS // groups))
    shape = (parts, groups, len(dy_starts), len(starts), sums_of(rows, columns))
    partial = buffers.empty("partial dw", shape, x.dtype)
    weight_tiles(rows, columns)(
        dy.data, x.data, view.stride, view.before, view.spread, dy_starts, starts, chunks, place,
        partial,
    )  # fmt: skip
    dw = dw.reshape(len(dw), weights)
    add_parts(partial.reshape(parts, -1), *sum_places(dw.shape, groups, rows, columns, 1), dw)


@cache
def weight_starts(shape, columns, dilation, place):
    """What each weight (c, u, v) of a tile meets first in the place; beyond the last, the last."""
    weight = np.arange(-(-prod(shape) // columns) * columns).reshape(-1, columns)
    c, u, v = np.unravel_index(np.minimum(weight, prod(shape) - 1), shape)
    return ((c * place[0] + u * dilation[0]) * place[1] + v * dilation[1]) * LANES


@cache
def weight_tiles(ROWS, COLUMNS):
    """The kernel for tiles of ROWS filters × COLUMNS weights, compiled for those that are used."""

    @kernel
    def run(dy, x, stride, before, spread, dy_starts, starts, chunks, places, partial):
        """partial[part, group, tile, step] = Σ over the part's chunks of ROWS × COLUMNS sums.

        A chunk is some output rows of one block.
        """
        parts, groups, tiles, steps, size = partial.shape
        blocks, filters, oh, ow, _ = dy.shape
        channels, wide = places.shape[1], places.shape[3]
        planes = x.reshape(-1, x.shape[2], x.shape[3], LANES)
        for item in prange(parts * groups):
            part, group = item // groups, item % groups
            partial[part, group] = 0
            place, total = places[get_thread_id()], blocks * chunks
            for chunk in range(part * total // parts, (part + 1) * total // parts):
                plane, c = chunk // chunks * groups + group, chunk % chunks
                first, last = c * oh // chunks, (c + 1) * oh // chunks
                copy(planes, plane * channels, first * stride[0], before, spread, place)
                for t in range(tiles):
                    dy_rows = fixed_tuple(dy_starts[t], ROWS)
                    for step in range(steps):
                        columns = fixed_tuple(starts[step], COLUMNS)
                        tile = zeros(ROWS, COLUMNS, x)
                        for i in range(first, last):
                            a = (plane * (filters // groups) * oh + i) * ow * LANES
                            b = (i - first) * stride[0] * wide * LANES
                            for j in range(ow):
                                for q in range(0, LANES, length(x)):
                                    tile = add_dots(
                                        tile, dy, dy_rows, a + j * LANES + q,
                                        place, columns, b + j * stride[1] * LANES + q,
                                    )  # fmt: skip
                        at = ((item * tiles + t) * steps + step) * size
                        added = add_rows(sums(tile), partial, at, length(x))
                        store(added, partial, at, length(x), 0, size)

    return run
