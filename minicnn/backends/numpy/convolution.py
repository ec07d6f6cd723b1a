"""Convolution as one matrix product: lay the pixels that each output sees into a column.

    columns[(c,u,v), (n,i,j)] = x[n, c, i·s+u·d−p, j·s+v·d−p]      (im2col)

    y  = W · columns          W is w as (F, C·KH·KW), y as (F, N·OH·OW)
    dW = dy · columnsᵀ        what each weight multiplied, weighted by how much it mattered
    dcolumns = Wᵀ · dy        and every column entry goes back to its pixel    (col2im)

With groups of channels each is one product a group: the rows of W, y and columns are cut into as
many equal parts.
"""

from math import prod

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv2d_forward(x, w, b, window, groups, buffers):
    images, filters, (oh, ow) = len(x), len(w), window.output
    columns = im2col(x, window, buffers)
    y = buffers.empty("y by filter", (filters, images * oh * ow), x.dtype)
    np.matmul(by_group(w, groups), by_group(columns, groups), out=by_group(y, groups))
    if b is not None:
        y += b[:, None]
    return by_image(y.reshape(filters, images, oh, ow), buffers)


def conv2d_input_gradient(dy, w, window, groups, buffers):
    channels, (kh, kw) = groups * w.shape[1], window.kernel
    images, _, oh, ow = dy.shape
    dcolumns = buffers.empty("columns", (channels * kh * kw, images * oh * ow), dy.dtype)
    wt = by_group(w, groups).swapaxes(1, 2)
    np.matmul(wt, by_group(by_filter(dy, buffers), groups), out=by_group(dcolumns, groups))
    return col2im(dcolumns.reshape(channels, kh, kw, images, oh, ow), window, buffers)


def conv2d_weight_gradient(dy, x, window, groups, dw, buffers):
    columns = by_group(im2col(x, window, buffers), groups)
    dy = by_group(by_filter(dy, buffers), groups)
    np.matmul(dy, columns.swapaxes(1, 2), out=by_group(dw, groups))


def conv2d_way(channels, filters, window, groups):
    return "im2col"


def by_group(a, groups):
    """(rows, …) → (G, rows / G, …), all that follows the rows on one axis."""
    return a.reshape(groups, len(a) // groups, prod(a.shape[1:]))


def im2col(x, window, buffers):
    """(N, C, H, W) → (C·KH·KW, N·OH·OW)."""
    images, channels = x.shape[:2]
    (kh, kw), (dh, dw) = window.kernel, window.dilation
    (sh, sw), (oh, ow) = window.stride, window.output
    columns = buffers.empty("columns", (channels, kh, kw, images, oh, ow), x.dtype)
    seen = sliding_window_view(padded(x, window, 0, buffers), window.reach, axis=(2, 3))
    seen = seen[:, :, : oh * sh : sh, : ow * sw : sw, ::dh, ::dw]  # (N, C, OH, OW, KH, KW)
    columns[...] = seen.transpose(1, 4, 5, 0, 2, 3)
    return columns.reshape(channels * kh * kw, images * oh * ow)


def col2im(dcolumns, window, buffers):
    """(C, KH, KW, N, OH, OW) → (N, C, H, W): pixels that several columns saw add them up."""
    channels, kh, kw, images = dcolumns.shape[:4]
    dx = buffers.empty("dx", (images, channels, *padded_size(window)), dcolumns.dtype)
    dx[...] = 0
    for u in range(kh):
        for v in range(kw):
            dx[:, :, *met(u, v, window)] += dcolumns[:, u, v].swapaxes(0, 1)
    return inside(dx, window)


def met(u, v, window):
    """The rows and columns of the padded image that tap (u, v) meets, one per output."""
    (dh, dw), (sh, sw), (oh, ow) = window.dilation, window.stride, window.output
    u, v = u * dh, v * dw
    return slice(u, u + (oh - 1) * sh + 1, sh), slice(v, v + (ow - 1) * sw + 1, sw)


def padded(x, window, value, buffers):
    """x with a frame of `value`, wide enough that every window lies inside."""
    size = padded_size(window)
    if size == window.image:
        return x
    y = buffers.empty("padded", (*x.shape[:2], *size), x.dtype)
    y[...] = value
    inside(y, window)[...] = x
    return y


def inside(x, window):
    """The image without its frame."""
    (top, left), (height, width) = window.padding, window.image
    return x[:, :, top : top + height, left : left + width]


def padded_size(window):
    """Rows and columns from the padding's corner to the end of the image or of the last window."""
    reach = ((o - 1) * s + r for o, s, r in zip(window.output, window.stride, window.reach))
    image = (p + n for p, n in zip(window.padding, window.image))
    return tuple(max(r, n) for r, n in zip(reach, image))


def by_filter(y, buffers):
    """(N, F, OH, OW) → (F, N·OH·OW)."""
    images, filters, oh, ow = y.shape
    z = buffers.empty("by filter", (filters, images, oh, ow), y.dtype)
    z[...] = y.swapaxes(0, 1)
    return z.reshape(filters, -1)


def by_image(y, buffers):
    """(F, N, OH, OW) → (N, F, OH, OW)."""
    filters, images, oh, ow = y.shape
    z = buffers.empty("y", (images, filters, oh, ow), y.dtype)
    z[...] = y.swapaxes(0, 1)
    return z
