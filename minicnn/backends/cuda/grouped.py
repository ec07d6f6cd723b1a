"""Convolution in groups of a few channels and filters, depthwise above all: a thread per number.

    y[f, i,j,n]  = b[f] + Σ_{c,u,v}   w[f, c, u, v] · x[c', i·s+u·d−p, j·s+v·d−p, n]
    dx[c', h,k,n] =       Σ_{f,u,v}   w[f, c, u, v] · dy[f, (h+p−u·d)/s, (k+p−v·d)/s, n]
    dw[f, c,u,v]  =       Σ_{i,j,n}   dy[f, i,j,n]  · x[c', i·s+u·d−p, j·s+v·d−p, n]

c' is channel c of the group that f is in. There is little to keep in shared memory: a pixel meets
the few filters of one group, and its neighbours find it in the cache. Window and group are
constants, so the loops are unrolled; neighbouring threads have neighbouring images, so all reads
are coalesced. Intensity: about one multiply-add for each number that is read.
"""

from functools import cache

from .arrays import empty, taken_apart
from .device import SIMULATED, THREADS, cuda, for_each, kernel, launch
from .sums import block_sum

FEW = 3 if SIMULATED else 8  # channels and filters of a group: half of the smallest tile's rows


def pays(channels, filters, groups):
    """Whether most of a tile would have nothing to do. channels, filters: of each group."""
    return groups > 1 and max(channels, filters) < FEW


def conv2d_forward(x, w, b, window, groups, buffers):
    y = empty(buffers, "y", (w.shape[0], *window.output), x)
    outputs = forward_outputs(window, w.shape[1], w.shape[0] // groups, b is not None)
    bias = w.flat if b is None else b.flat
    for_each(outputs, y.size, x.flat, w.flat, bias, len(x), y.size, y.flat)
    return y


@cache
def forward_outputs(window, channels, filters, biased):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw) = window

    def run(x, w, b, batch, size, y):
        for o in range(cuda.grid(1), size, cuda.gridsize(1)):
            f, i, j, n = taken_apart(o, batch, oh, ow)
            total = b[f] if biased else y.dtype.type(0)
            for c in range(channels):
                plane = f // filters * channels + c
                for u in range(kh):
                    for v in range(kw):
                        h, k = i * sh + u * dh - top, j * sw + v * dw - left
                        if 0 <= h < height and 0 <= k < width:
                            weight = w[((f * channels + c) * kh + u) * kw + v]
                            total += weight * x[((plane * height + h) * width + k) * batch + n]
            y[o] = total

    name = f"grouped.forward {kh}×{kw}, {channels} to {filters}"
    return kernel("F F F n n F", name)(run)


def conv2d_input_gradient(dy, w, window, groups, buffers):
    dx = empty(buffers, "dx", (groups * w.shape[1], *window.image), dy)
    pixels = input_pixels(window, w.shape[1], w.shape[0] // groups)
    for_each(pixels, dx.size, dy.flat, w.flat, len(dy), dx.size, dx.flat)
    return dx


@cache
def input_pixels(window, channels, filters):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw) = window

    def run(dy, w, batch, size, dx):
        for o in range(cuda.grid(1), size, cuda.gridsize(1)):
            c, h, k, n = taken_apart(o, batch, height, width)
            total = dx.dtype.type(0)
            for r in range(filters):
                f = c // channels * filters + r
                for u in range(kh):
                    for v in range(kw):
                        down, right = h + top - u * dh, k + left - v * dw
                        i, j = down // sh, right // sw
                        if down % sh == 0 and right % sw == 0 and 0 <= i < oh and 0 <= j < ow:
                            weight = w[((f * channels + c % channels) * kh + u) * kw + v]
                            total += weight * dy[((f * oh + i) * ow + j) * batch + n]
            dx[o] = total

    name = f"grouped.input_gradient {kh}×{kw}, {channels} to {filters}"
    return kernel("F F n n F", name)(run)


def conv2d_weight_gradient(dy, x, window, groups, dw, buffers):
    weights = weight_sums(window, dw.shape[1], dw.shape[0] // groups)
    launch(weights, dw.size, dy.flat, x.flat, len(x), dw.flat)


@cache
def weight_sums(window, channels, filters):
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw_) = window

    def run(dy, x, batch, dw):
        """A block per weight: its threads share out the images of all outputs."""
        shared = cuda.shared.array(THREADS, dw.dtype)
        o = cuda.blockIdx.x
        f, u, v = o // (channels * kh * kw), o // kw % kh, o % kw
        c = f // filters * channels + o // (kh * kw) % channels
        total = dw.dtype.type(0)
        for e in range(cuda.threadIdx.x, oh * ow * batch, THREADS):
            place, n = e // batch, e % batch
            h, k = place // ow * sh + u * dh - top, place % ow * sw + v * dw_ - left
            if 0 <= h < height and 0 <= k < width:
                slope = dy[f * oh * ow * batch + e]
                total += slope * x[((c * height + h) * width + k) * batch + n]
        total = block_sum(total, shared)
        if cuda.threadIdx.x == 0:
            dw[o] = total

    name = f"grouped.weight_gradient {kh}×{kw}, {channels} to {filters}"
    return kernel("F F n F", name)(run)
