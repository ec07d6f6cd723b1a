"""Convolution as a matrix product whose second matrix is never built ("implicit im2col").

    y[f, (i,j,n)]  = b[f] + Σ_{(c,u,v)}   w[f, (c,u,v)]    · x[c, i·s+u·d−p, j·s+v·d−p, n]
    dx[c, (h,k,n)] =        Σ_{(f,u,v)}   w[f, c, u, v]    · dy[f, (h+p−u·d)/s, (k+p−v·d)/s, n]
    dw[f, (c,u,v)] =        Σ_{(i,j,n)}   dy[f, (i,j,n)]   · x[c, i·s+u·d−p, j·s+v·d−p, n]

Each is c[m, n] = Σ_k a(m, k) · b(k, n) and runs on the tile of tile.py. The `fill` functions here
say what a(m, k) and b(k, n) are: they take an index apart and look the number up, with 0 for what
lies in the padding; `find` takes apart, once for all k, what does not depend on k. The window is a
constant in them, so the compiler turns the divisions by its numbers into multiplications; a kernel
is compiled once for every window.

Neighbouring threads have neighbouring images n, so their reads and writes are coalesced.

Groups of channels are as many products: below, f and c count within a group. Where they are so
small that most of a tile would have nothing to do, `grouped.py` computes the same.
"""

from functools import cache
from math import prod

from . import grouped
from .arrays import empty
from .device import device, index, quotient, remainder, signed
from .tile import DEPTH, PAD, multiply, tile_for, tiled_product, value_or_zero


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
    sizes = filters, prod(window.output) * len(x), prod(w.shape[1:])
    tile = tile_for(*sizes[:2])
    product = forward_product(tile, window, groups, channels, filters)
    multiply(product, tile, groups, w.flat, x.flat, bias, sizes, len(x), buffers, y.flat)
    return y


@cache
def forward_product(tile, window, groups, channels, filters):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw) = window
    taps, (rows, columns), threads = kh * kw, tile.shape, tile.threads
    depth, wide = channels * taps, columns + PAD
    find_weights, fill_weights = rows_along_k(rows, threads, filters, depth)

    def find_pixels(group, n0, batch, t):
        """The window's corner of the thread's column (i,j,n), its place in x, and the batch."""
        column = index(n0 + remainder(t, columns))
        place, n = quotient(column, batch), remainder(column, batch)
        i, j = quotient(place, ow), remainder(place, ow)
        h, v = signed(i * sh - top), signed(j * sw - left)
        start = signed(((group * channels * height + h) * width + v) * batch + n)
        return height if i >= oh else h, v, start, batch  # beyond the last column: outside

    def fill_pixels(panel, x, found, k0, last, t):
        """b((c,u,v), (i,j,n)) = x[c, i·s+u·d−p, j·s+v·d−p, n]: threads along the images."""
        corner_h, corner_v, start, batch = found
        for e in range(0, DEPTH, threads // columns):
            row = e if threads == columns else index(e + quotient(t, columns))
            k = index(k0 + row)
            c, u, v = quotient(k, taps), remainder(quotient(k, kw), kh), remainder(k, kw)
            h, q = signed(corner_h + u * dh), signed(corner_v + v * dw)
            inside = k < last and 0 <= h < height and 0 <= q < width
            o = start + ((c * height + u * dh) * width + v * dw) * batch
            to = index(row * wide + remainder(t, columns))
            panel[to] = value_or_zero(x, o, inside)

    name = f"convolution.conv2d_forward {kh}×{kw}"
    return tiled_product(
        name, tile, groups, find_weights, fill_weights, device(find_pixels), device(fill_pixels)
    )


def rows_along_k(rows, threads, filters, depth):
    """find and fill of a(m, k) = a[m, k], as it lies: threads along k."""
    wide, apart = rows + PAD, threads // DEPTH

    def find(group, m0, batch, t):
        """The thread's first row, and where it begins."""
        m = index(m0 + quotient(t, DEPTH))
        return m, index((group * filters + m) * depth)

    def fill(panel, a, found, k0, last, t):
        (m, start), k = found, index(k0 + remainder(t, DEPTH))
        for e in range(0, rows, apart):
            inside = k < last and m + e < filters
            to = index(remainder(t, DEPTH) * wide + quotient(t, DEPTH) + e)
            panel[to] = value_or_zero(a, start + e * depth + k, inside)

    return device(find), device(fill)


# ── input gradient ───────────────────────────────────────────────────────────────────────────


def conv2d_input_gradient(dy, w, window, groups, buffers):
    dx = empty(buffers, "dx", (groups * w.shape[1], *window.image), dy)
    filters, channels = w.shape[0] // groups, w.shape[1]
    if grouped.pays(channels, filters, groups):
        grouped.input_gradient(dy, w.flat, window, channels, filters, dx)
        return dx
    sizes = channels, prod(window.image) * len(dy), filters * prod(window.kernel)
    tile = tile_for(*sizes[:2])
    product = input_product(tile, window, groups, channels, filters)
    multiply(product, tile, groups, w.flat, dy.flat, None, sizes, len(dy), buffers, dx.flat)
    return dx


@cache
def input_product(tile, window, groups, channels, filters):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw) = window
    taps, (rows, columns), threads = kh * kw, tile.shape, tile.threads
    wide_a, wide_b, apart = rows + PAD, columns + PAD, threads // DEPTH

    def find_weights(group, m0, batch, t):
        """The thread's first channel, and its group's first weight."""
        return index(m0 + quotient(t, DEPTH)), index(group * filters * channels * taps)

    def fill_weights(panel, w, found, k0, last, t):
        """a(c, (f,u,v)) = w[f, c, u, v]: threads along the taps, as w lies."""
        (c, start), k = found, index(k0 + remainder(t, DEPTH))
        f, tap = quotient(k, taps), remainder(k, taps)
        for e in range(0, rows, apart):
            inside = k < last and c + e < channels
            o = start + (f * channels + c + e) * taps + tap
            to = index(remainder(t, DEPTH) * wide_a + quotient(t, DEPTH) + e)
            panel[to] = value_or_zero(w, o, inside)

    def find_slopes(group, n0, batch, t):
        """The pixel of the thread's column (h,k,n), its image, its group's outputs, the batch."""
        column = index(n0 + remainder(t, columns))
        place, n = quotient(column, batch), remainder(column, batch)
        h, v = quotient(place, width), remainder(place, width)
        start = index(group * filters * oh * ow * batch + n)
        far = -dh * kh  # beyond the last column: above all outputs
        return far if h >= height else signed(h + top), signed(v + left), start, batch

    def fill_slopes(panel, dy, found, k0, last, t):
        """b((f,u,v), (h,k,n)) = dy[f, (h+p−u·d)/s, (k+p−v·d)/s, n], both whole and inside."""
        pixel_h, pixel_v, start, batch = found
        for e in range(0, DEPTH, threads // columns):
            row = e if threads == columns else index(e + quotient(t, columns))
            k = index(k0 + row)
            f, u, v = quotient(k, taps), remainder(quotient(k, kw), kh), remainder(k, kw)
            down, right = signed(pixel_h - u * dh), signed(pixel_v - v * dw)
            inside = k < last and 0 <= down < oh * sh and 0 <= right < ow * sw
            i, j = quotient(down, sh), quotient(right, sw)
            if sh * sw > 1:
                inside = inside and i * sh == down and j * sw == right
            o = start + ((f * oh + i) * ow + j) * batch
            to = index(row * wide_b + remainder(t, columns))
            panel[to] = value_or_zero(dy, o, inside)

    name = f"convolution.conv2d_input_gradient {kh}×{kw}"
    return tiled_product(
        name, tile, groups, device(find_weights), device(fill_weights), device(find_slopes),
        device(fill_slopes),
    )  # fmt: skip


# ── weight gradient ──────────────────────────────────────────────────────────────────────────


def conv2d_weight_gradient(dy, x, window, groups, dw, buffers):
    filters, channels = dw.shape[0] // groups, dw.shape[1]
    if grouped.pays(channels, filters, groups):
        grouped.weight_gradient(dy, x, window, channels, filters, dw)
        return
    sizes = filters, prod(dw.shape[1:]), prod(window.output) * len(x)
    tile = tile_for(*sizes[:2])
    product = weight_product(tile, window, groups, channels, filters)
    multiply(product, tile, groups, dy.flat, x.flat, None, sizes, len(x), buffers, dw.flat)


@cache
def weight_product(tile, window, groups, channels, filters):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw) = window
    taps, (rows, columns), threads = kh * kw, tile.shape, tile.threads
    weights, wide, apart = channels * taps, columns + PAD, threads // DEPTH

    def find_slopes(group, m0, batch, t):
        """The thread's first filter, where its outputs begin, and their number."""
        f, outputs = index(m0 + quotient(t, DEPTH)), index(oh * ow * batch)
        return f, index((group * filters + f) * outputs), outputs

    def fill_slopes(panel, dy, found, k0, last, t):
        """a(f, (i,j,n)) = dy[f, (i,j,n)]: threads along the images."""
        (f, start, outputs), k = found, index(k0 + remainder(t, DEPTH))
        for e in range(0, rows, apart):
            inside = k < last and f + e < filters
            to = index(remainder(t, DEPTH) * (rows + PAD) + quotient(t, DEPTH) + e)
            panel[to] = value_or_zero(dy, start + e * outputs + k, inside)

    def find_pixels(group, n0, batch, t):
        """The thread's first tap, its group's pixels, and the batch."""
        return index(n0 + quotient(t, DEPTH)), index(group * channels * height * width), batch

    def fill_pixels(panel, x, found, k0, last, t):
        """b((i,j,n), (c,u,v)) = x[c, i·s+u·d−p, j·s+v·d−p, n]: threads along the images."""
        (first, start, batch), k = found, index(k0 + remainder(t, DEPTH))
        place, n = quotient(k, batch), remainder(k, batch)
        i, j = quotient(place, ow), remainder(place, ow)
        corner_h, corner_v = signed(i * sh - top), signed(j * sw - left)
        for e in range(0, columns, apart):
            tap = index(first + e)
            c, u, v = quotient(tap, taps), remainder(quotient(tap, kw), kh), remainder(tap, kw)
            h, q = signed(corner_h + u * dh), signed(corner_v + v * dw)
            inside = k < last and tap < weights and 0 <= h < height and 0 <= q < width
            o = (start + (c * height + h) * width + q) * batch + n
            to = index(remainder(t, DEPTH) * wide + quotient(t, DEPTH) + e)
            panel[to] = value_or_zero(x, o, inside)

    name = f"convolution.conv2d_weight_gradient {kh}×{kw}"
    return tiled_product(
        name, tile, groups, device(find_slopes), device(fill_slopes), device(find_pixels),
        device(fill_pixels),
    )  # fmt: skip
