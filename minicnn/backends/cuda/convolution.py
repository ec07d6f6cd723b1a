"""Convolution as a matrix product whose second matrix is never built ("implicit im2col").

    y[f, (i,j,n)]  = b[f] + Σ_{(c,u,v)}   w[f, (c,u,v)]    · x[c, i·s+u·d−p, j·s+v·d−p, n]
    dx[c, (h,k,n)] =        Σ_{(f,u,v)}   w[f, c, u, v]    · dy[f, (h+p−u·d)/s, (k+p−v·d)/s, n]
    dw[f, (c,u,v)] =        Σ_{(i,j,n)}   dy[f, (i,j,n)]   · x[c, i·s+u·d−p, j·s+v·d−p, n]

Each is c[m, n] = Σ_k a(m, k) · b(k, n) and runs on the tile of tile.py. The `fetch` functions here
say what a(m, k) and b(k, n) are: they take an index apart and look the number up, or say that it
lies in the padding; `find` takes apart, once for all k, what does not depend on k. The window is a
constant in them, so the compiler turns the divisions by its numbers into multiplications; a kernel
is compiled once for every window.

A sum may go through its k in any order. Here a few channels that share a tap are side by side, and
a thread fetches those: it takes one index apart for all of them, they are inside the image or
outside together, and each lies one plane further than the one before.

Neighbouring threads have neighbouring images n, so their reads and writes are coalesced.

Groups of channels are as many products: below, f and c count within a group. Where they are so
small that most of a tile would have nothing to do, `grouped.py` computes the same.
"""

from functools import cache
from math import gcd, prod

from . import grouped
from .arrays import empty
from .device import device, divided, far, index, quotient, reciprocal, remainder, signed
from .tile import DEPTH, Source, along_columns, along_k, bit, multiply, tile_for, tiled_product


def conv2d_way(channels, filters, window, groups):
    few = grouped.pays(channels // groups, filters // groups, groups)
    return "grouped" if few else "implicit im2col"


# ── forward ──────────────────────────────────────────────────────────────────────────────────


def conv2d_forward(x, w, b, window, groups, buffers):
    filters, channels = w.shape[0] // groups, w.shape[1]
    if grouped.pays(channels, filters, groups):
        return grouped.conv2d_forward(x, w, b, window, groups, buffers)
    y = empty(buffers, "y", (w.shape[0], *window.output), x)
    bias = None if b is None else b.flat
    sizes = filters, prod(window.output) * len(x), prod(w.shape[1:])
    tile = tile_for(*sizes[:2], x.dtype)
    product = forward_product(tile, window, groups, channels, filters)
    multiply(product, tile, groups, w.flat, x.flat, bias, sizes, len(x), buffers, y.flat)
    return y


@cache
def forward_product(tile, window, groups, channels, filters):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw) = window
    taps, depth, beside = kh * kw, channels * kh * kw, channels_beside(tile, channels)
    columns, carried = tile.shape[1], tile.carried(tile.shape[1])
    even, inner = depth % DEPTH == 0, covers_all(window)

    def find_pixels(group, n0, batch, t):
        """The window's corner of the thread's column (i,j,n), its place in x, and the batch."""
        column = min(index(n0 + remainder(t, columns)), index(oh * ow * batch - 1))
        place, n = quotient(column, batch), remainder(column, batch)
        i, j = quotient(place, ow), remainder(place, ow)
        h, v = signed(i * sh - top), signed(j * sw - left)
        start = signed(((group * channels * height + h) * width + v) * batch + n)
        return h, v, start, batch

    def fetch_pixels(held, x, found, k0, last, t):
        """b(k, (i,j,n)) = x[c, i·s+u·d−p, j·s+v·d−p, n]: threads along the images."""
        corner_h, corner_v, start, batch = found
        row, counting = index(quotient(t, columns) * carried), index(0)
        for g in range(0, carried, beside):
            c, tap = channel_and_tap(k0, row + g, beside, taps)
            u, v = quotient(tap, kw), remainder(tap, kw)
            h, q = signed(corner_h + u * dh), signed(corner_v + v * dw)
            inside = inner or (0 <= h < height and 0 <= q < width)
            inside = inside and (even or k0 + row + g < last)
            o = start + ((c * height + u * dh) * width + v * dw) * batch
            counting |= fetch_set(held, g, beside, x, o, height * width * batch, inside)
        return counting

    weights = weights_along_k(tile, filters, channels, taps, (depth, taps))
    pixels = Source(device(find_pixels), device(fetch_pixels), along_columns(tile))
    return tiled_product(f"convolution.conv2d_forward {kh}×{kw}", tile, groups, weights, pixels)


def covers_all(window):
    """Whether no tap ever lies in the padding."""
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw) = window
    down, right = (oh - 1) * sh + (kh - 1) * dh, (ow - 1) * sw + (kw - 1) * dw
    return top == left == 0 and down < height and right < width


def channels_beside(tile, channels):
    """How many channels that share a tap are side by side, so that a thread fetches whole sets."""
    return gcd(channels, tile.carried(tile.shape[1]))


@device
def channel_and_tap(k0, k, beside, taps):
    """Of k0 + k, where k counts (c // beside, tap, c % beside); k0 is a multiple of `beside`."""
    block = index(quotient(k0, beside) + quotient(k, beside))
    return index(quotient(block, taps) * beside + remainder(k, beside)), remainder(block, taps)


@device
def fetch_set(held, g, beside, a, o, plane, inside):
    """held[g + e] = a[o + e · plane], for the channels of a set; bits g on of `inside`."""
    first, counting = far(index(o) if inside else index(0)), index(0)
    for e in range(beside):
        held[g + e] = a[first + far(e) * far(plane)]
        counting |= bit(g + e, inside)
    return counting


def weights_along_k(tile, count, summed, taps, steps):
    """a(m, k) = w[m · steps[0] + c · steps[1] + tap], m < count and c < summed: threads along k."""
    carried, apart = tile.carried(tile.shape[0]), tile.threads // DEPTH
    beside, (step, far_step) = channels_beside(tile, summed), steps
    full, even = count % tile.shape[0] == 0, summed * taps % DEPTH == 0

    def find(group, m0, batch, t):
        """The thread's first row, and its group's first weight."""
        return index(m0 + quotient(t, DEPTH)), index(group * count * summed * taps)

    def fetch(held, w, found, k0, last, t):
        (m, start), lane = found, remainder(t, DEPTH)
        c, tap = channel_and_tap(k0, lane, beside, taps)
        o, counting = index(start + m * step + c * far_step + tap), index(0)
        for e in range(carried):
            counts = (even or k0 + lane < last) and (full or m + e * apart < count)
            held[e] = w[far(o) + far(e * apart * step) if counts else far(0)]
            counting |= bit(e, counts)
        return counting

    return Source(device(find), device(fetch), along_k(tile))


# ── input gradient ───────────────────────────────────────────────────────────────────────────


def conv2d_input_gradient(dy, w, window, groups, buffers):
    filters, channels = w.shape[0] // groups, w.shape[1]
    if grouped.pays(channels, filters, groups):
        return grouped.conv2d_input_gradient(dy, w, window, groups, buffers)
    dx = empty(buffers, "dx", (groups * w.shape[1], *window.image), dy)
    sizes = channels, prod(window.image) * len(dy), filters * prod(window.kernel)
    tile = tile_for(*sizes[:2], dy.dtype)
    product = input_product(tile, window, groups, channels, filters)
    multiply(product, tile, groups, w.flat, dy.flat, None, sizes, len(dy), buffers, dx.flat)
    return dx


@cache
def input_product(tile, window, groups, channels, filters):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw) = window
    taps, depth, beside = kh * kw, filters * kh * kw, channels_beside(tile, filters)
    columns, carried = tile.shape[1], tile.carried(tile.shape[1])
    even = depth % DEPTH == 0
    inner = taps == sh == sw == 1 and (top, left) == (0, 0) and (height, width) == (oh, ow)

    def find_slopes(group, n0, batch, t):
        """The pixel of the thread's column (h,k,n), its image, its group's outputs, the batch."""
        column = min(index(n0 + remainder(t, columns)), index(height * width * batch - 1))
        place, n = quotient(column, batch), remainder(column, batch)
        h, v = quotient(place, width), remainder(place, width)
        start = index(group * filters * oh * ow * batch + n)
        return signed(h + top), signed(v + left), start, batch

    def fetch_slopes(held, dy, found, k0, last, t):
        """b(k, (h,k,n)) = dy[f, (h+p−u·d)/s, (k+p−v·d)/s, n], both whole and inside."""
        pixel_h, pixel_v, start, batch = found
        row, counting = index(quotient(t, columns) * carried), index(0)
        for g in range(0, carried, beside):
            f, tap = channel_and_tap(k0, row + g, beside, taps)
            u, v = quotient(tap, kw), remainder(tap, kw)
            down, right = signed(pixel_h - u * dh), signed(pixel_v - v * dw)
            inside = inner or (0 <= down < oh * sh and 0 <= right < ow * sw)
            i, j = quotient(down, sh), quotient(right, sw)
            if sh * sw > 1:
                inside = inside and i * sh == down and j * sw == right
            inside = inside and (even or k0 + row + g < last)
            o = start + ((f * oh + i) * ow + j) * batch
            counting |= fetch_set(held, g, beside, dy, o, oh * ow * batch, inside)
        return counting

    weights = weights_along_k(tile, channels, filters, taps, (taps, channels * taps))
    slopes = Source(device(find_slopes), device(fetch_slopes), along_columns(tile))
    name = f"convolution.conv2d_input_gradient {kh}×{kw}"
    return tiled_product(name, tile, groups, weights, slopes)


# ── weight gradient ──────────────────────────────────────────────────────────────────────────


def conv2d_weight_gradient(dy, x, window, groups, dw, buffers):
    filters, channels = dw.shape[0] // groups, dw.shape[1]
    if grouped.pays(channels, filters, groups):
        grouped.conv2d_weight_gradient(dy, x, window, groups, dw, buffers)
        return
    sizes = filters, prod(dw.shape[1:]), prod(window.output) * len(x)
    tile = tile_for(*sizes[:2], dw.dtype)
    product = weight_product(tile, window, groups, channels, filters)
    multiply(product, tile, groups, dy.flat, x.flat, None, sizes, len(x), buffers, dw.flat)


@cache
def weight_product(tile, window, groups, channels, filters):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw) = window
    taps, (rows, columns), spot = kh * kw, tile.shape, along_k(tile)
    # One tap leaves nothing to share, and channels in order are written side by side.
    beside = channels_beside(tile, channels) if taps > 1 else 1
    carried_a, carried_b, apart = tile.carried(rows), tile.carried(columns), tile.threads // DEPTH
    full, even, inner = filters % rows == 0, channels * taps % columns == 0, covers_all(window)

    def find_slopes(group, m0, batch, t):
        """The thread's first filter, where its outputs begin, and their number."""
        f, outputs = index(m0 + quotient(t, DEPTH)), index(oh * ow * batch)
        return f, index((group * filters + f) * outputs), outputs

    def fetch_slopes(held, dy, found, k0, last, t):
        """a(f, (i,j,n)) = dy[f, (i,j,n)]: threads along the images."""
        (f, start, outputs), lane = found, remainder(t, DEPTH)
        k = index(k0 + lane)
        inside = k < last
        first = far(index(start + k) if inside else index(0))
        counting = index(0)
        for e in range(carried_a):
            counts = inside and (full or f + e * apart < filters)
            held[e] = dy[first + far(e * apart) * far(outputs) if counts else far(0)]
            counting |= bit(e, counts)
        return counting

    def column_at(n):
        """Column n of the product is column (c,u,v) of dw. A block's columns lie `apart` in turns:
        so many turns side by side are as many channels at the same tap.
        """
        turn, lane = quotient(remainder(n, columns), apart), remainder(n, apart)
        first = index(quotient(n, columns) * columns + quotient(turn, beside) * apart * beside)
        c, tap = channel_and_tap(first, lane * beside + remainder(turn, beside), beside, taps)
        return index(c * taps + tap)

    def find_pixels(group, n0, batch, t):
        """Where the thread's columns begin, its group's pixels, and the batch."""
        start = index(group * channels * height * width)
        return index(n0 + quotient(t, DEPTH) * beside), start, batch, reciprocal(batch)

    def fetch_pixels(held, x, found, k0, last, t):
        """b((i,j,n), (c,u,v)) = x[c, i·s+u·d−p, j·s+v·d−p, n]: threads along the images."""
        (columns_from, start, batch, inverse), k = found, index(k0 + remainder(t, DEPTH))
        place, n = divided(k, batch, inverse)
        i, j = quotient(place, ow), remainder(place, ow)
        plane, counting = height * width * batch, index(0)
        for g in range(0, carried_b, beside):
            c, tap = channel_and_tap(columns_from, index(g * apart), beside, taps)
            u, v = quotient(tap, kw), remainder(tap, kw)
            h, q = signed(i * sh - top + u * dh), signed(j * sw - left + v * dw)
            inside = k < last and (even or c < channels)
            inside = inside and (inner or (0 <= h < height and 0 <= q < width))
            o = (start + (c * height + h) * width + q) * batch + n
            counting |= fetch_set(held, g, beside, x, o, plane, inside)
        return counting

    slopes = Source(device(find_slopes), device(fetch_slopes), spot)
    pixels = Source(device(find_pixels), device(fetch_pixels), spot)
    name = f"convolution.conv2d_weight_gradient {kh}×{kw}"
    return tiled_product(name, tile, groups, slopes, pixels, device(column_at))
