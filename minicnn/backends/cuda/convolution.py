"""Convolution as a matrix product whose second matrix is never built ("implicit im2col").

    y[f, (i,j,n)]  = b[f] + Σ_{(c,u,v)}   w[f, (c,u,v)]    · x[c, i·s+u·d−p, j·s+v·d−p, n]
    dx[c, (h,k,n)] =        Σ_{(f,u,v)}   w[f, c, u, v]    · dy[f, (h+p−u·d)/s, (k+p−v·d)/s, n]
    dw[f, (c,u,v)] =        Σ_{(i,j,n)}   dy[f, (i,j,n)]   · x[c, i·s+u·d−p, j·s+v·d−p, n]

Each is c[m, n] = Σ_k a(m, k) · b(k, n) and runs on the tile of tile.py. The `fill` functions here
say what a(m, k) and b(k, n) are: they take an index apart and look the number up, with 0 for what
lies in the padding. The window is a constant in them, so the compiler turns the divisions by its
numbers into multiplications; a kernel is compiled once for every window.

Neighbouring threads have neighbouring images n, so their reads and writes are coalesced.

Groups of channels are as many products: below, f and c count within a group. Where they are so
small that most of a tile would have nothing to do, `grouped.py` computes the same.
"""

from functools import cache
from math import prod

from . import grouped
from .arrays import empty
from .device import device, for_each
from .tile import DEPTH, add_parts, multiply, parts_of, tile_for, tiled_product


def conv2d_way(channels, filters, window, groups):
    few = grouped.pays(channels // groups, filters // groups, groups)
    return "grouped" if few else "implicit im2col"


# ── forward ──────────────────────────────────────────────────────────────────────────────────


def conv2d_forward(x, w, b, window, groups, buffers):
    y = empty(buffers, "y", (w.shape[0], *window.output), x)
    filters, channels = w.shape[0] // groups, w.shape[1]
    bias = None if b is None else b.flat
    if grouped.pays(channels, filters, groups):
        grouped.forward(x, w.flat, bias, window, channels, filters, y)
        return y
    tile, depth = tile_for(filters), prod(w.shape[1:])
    sizes = filters, prod(window.output) * len(x), depth
    product = forward_product(tile, window, groups, channels, filters, b is not None)
    multiply(product, tile, groups, w.flat, x.flat, bias, sizes, 1, len(x), y.flat)
    return y


@cache
def forward_product(tile, window, groups, channels, filters, biased):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw) = window
    (rows, columns), threads, depth = tile.shape, tile.threads, channels * kh * kw

    def fill_weights(panel, w, group, m0, k0, last, batch, t):
        """a(m, k) = w[m, k]: threads along k, as w lies."""
        for e in range(t, DEPTH * rows, threads):
            k, m = k0 + e % DEPTH, m0 + e // DEPTH
            inside = k < last and m < filters
            o = (group * filters + m) * depth + k
            panel[e % DEPTH, e // DEPTH] = w[o] if inside else panel.dtype.type(0)

    def fill_pixels(panel, x, group, k0, last, n0, batch, t):
        """b((c,u,v), (i,j,n)) = x[c, i·s+u·d−p, j·s+v·d−p, n]: threads along the images."""
        place, n = (n0 + t % columns) // batch, (n0 + t % columns) % batch
        i, j = place // ow, place % ow
        for e in range(t // columns, DEPTH, threads // columns):
            k = k0 + e
            c = group * channels + k // (kh * kw)
            h, v = i * sh + k // kw % kh * dh - top, j * sw + k % kw * dw - left
            inside = k < last and i < oh and 0 <= h < height and 0 <= v < width
            o = ((c * height + h) * width + v) * batch + n
            panel[e, t % columns] = x[o] if inside else panel.dtype.type(0)

    name = f"convolution.conv2d_forward {kh}×{kw}"
    return tiled_product(name, tile, groups, device(fill_weights), device(fill_pixels), biased)


# ── input gradient ───────────────────────────────────────────────────────────────────────────


def conv2d_input_gradient(dy, w, window, groups, buffers):
    dx = empty(buffers, "dx", (groups * w.shape[1], *window.image), dy)
    filters, channels = w.shape[0] // groups, w.shape[1]
    if grouped.pays(channels, filters, groups):
        grouped.input_gradient(dy, w.flat, window, channels, filters, dx)
        return dx
    tile = tile_for(channels)
    sizes = channels, prod(window.image) * len(dy), filters * prod(window.kernel)
    product = input_product(tile, window, groups, channels, filters)
    multiply(product, tile, groups, w.flat, dy.flat, None, sizes, 1, len(dy), dx.flat)
    return dx


@cache
def input_product(tile, window, groups, channels, filters):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw) = window
    (rows, columns), threads, taps = tile.shape, tile.threads, kh * kw

    def fill_weights(panel, w, group, m0, k0, last, batch, t):
        """a(c, (f,u,v)) = w[f, c, u, v]: threads along the taps, as w lies."""
        for e in range(t, DEPTH * rows, threads):
            k, c = k0 + e % DEPTH, m0 + e // DEPTH
            inside = k < last and c < channels
            o = ((group * filters + k // taps) * channels + c) * taps + k % taps
            panel[e % DEPTH, e // DEPTH] = w[o] if inside else panel.dtype.type(0)

    def fill_slopes(panel, dy, group, k0, last, n0, batch, t):
        """b((f,u,v), (h,k,n)) = dy[f, (h+p−u·d)/s, (k+p−v·d)/s, n], both whole and inside."""
        place, n = (n0 + t % columns) // batch, (n0 + t % columns) % batch
        h, v = place // width, place % width
        for e in range(t // columns, DEPTH, threads // columns):
            k = k0 + e
            down, right = h + top - k // kw % kh * dh, v + left - k % kw * dw
            i, j = down // sh, right // sw
            inside = k < last and h < height and 0 <= i < oh and 0 <= j < ow
            inside = inside and down % sh == 0 and right % sw == 0
            o = (((group * filters + k // taps) * oh + i) * ow + j) * batch + n
            panel[e, t % columns] = dy[o] if inside else panel.dtype.type(0)

    name = f"convolution.conv2d_input_gradient {kh}×{kw}"
    return tiled_product(name, tile, groups, device(fill_weights), device(fill_slopes), False)


# ── weight gradient ──────────────────────────────────────────────────────────────────────────


def conv2d_weight_gradient(dy, x, window, groups, dw, buffers):
    filters, channels = dw.shape[0] // groups, dw.shape[1]
    if grouped.pays(channels, filters, groups):
        grouped.weight_gradient(dy, x, window, channels, filters, dw)
        return
    tile = tile_for(filters)
    sizes = filters, prod(dw.shape[1:]), prod(window.output) * len(x)
    parts = parts_of(tile, groups, sizes)
    product = weight_product(tile, window, groups, channels, filters)
    partial = buffers.empty("partial dw", parts * dw.size, x.dtype)
    multiply(product, tile, groups, dy.flat, x.flat, None, sizes, parts, len(x), partial)
    for_each(add_parts, dw.size, partial, parts, dw.size, dw.flat)


@cache
def weight_product(tile, window, groups, channels, filters):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw) = window
    (rows, columns), threads, weights = tile.shape, tile.threads, channels * kh * kw

    def fill_slopes(panel, dy, group, m0, k0, last, batch, t):
        """a(f, (i,j,n)) = dy[f, (i,j,n)]: threads along the images."""
        for e in range(t, DEPTH * rows, threads):
            k, f = k0 + e % DEPTH, m0 + e // DEPTH
            inside = k < last and f < filters
            o = (group * filters + f) * oh * ow * batch + k
            panel[e % DEPTH, e // DEPTH] = dy[o] if inside else panel.dtype.type(0)

    def fill_pixels(panel, x, group, k0, last, n0, batch, t):
        """b((i,j,n), (c,u,v)) = x[c, i·s+u·d−p, j·s+v·d−p, n]: threads along the images."""
        k = k0 + t % DEPTH
        place, n = k // batch, k % batch
        i, j = place // ow, place % ow
        for e in range(t // DEPTH, columns, threads // DEPTH):
            tap = n0 + e
            c = group * channels + tap // (kh * kw)
            h, v = i * sh + tap // kw % kh * dh - top, j * sw + tap % kw * dw - left
            inside = k < last and tap < weights and 0 <= h < height and 0 <= v < width
            o = ((c * height + h) * width + v) * batch + n
            panel[t % DEPTH, e] = x[o] if inside else panel.dtype.type(0)

    name = f"convolution.conv2d_weight_gradient {kh}×{kw}"
    return tiled_product(name, tile, groups, device(fill_slopes), device(fill_pixels), False)
