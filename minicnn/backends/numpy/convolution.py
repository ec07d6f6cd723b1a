"""Convolution as one matrix product: lay the pixels that each output sees into a column.

    columns[(c,u,v), (n,i,j)] = x[n, c, i·s+u−p, j·s+v−p]          (im2col)

    y  = W · columns          W is w as (F, C·KH·KW), y as (F, N·OH·OW)
    dW = dy · columnsᵀ        what each weight multiplied, weighted by how much it mattered
    dcolumns = Wᵀ · dy        and every column entry goes back to its pixel    (col2im)
"""

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view


def conv2d_forward(x, w, b, window, buffers):
    images, filters, (oh, ow) = len(x), len(w), window.output
    columns = im2col(x, window, buffers)
    y = buffers.empty("y by filter", (filters, images * oh * ow), x.dtype)
    np.matmul(w.reshape(filters, -1), columns, out=y)
    if b is not None:
        y += b[:, None]
    return by_image(y.reshape(filters, images, oh, ow), buffers)


def conv2d_input_gradient(dy, w, window, buffers):
    channels, (kh, kw) = w.shape[1], window.kernel
    images, filters, oh, ow = dy.shape
    dcolumns = buffers.empty("columns", (channels * kh * kw, images * oh * ow), dy.dtype)
    np.matmul(w.reshape(filters, -1).T, by_filter(dy, buffers), out=dcolumns)
    return col2im(dcolumns.reshape(channels, kh, kw, images, oh, ow), window, buffers)


def conv2d_weight_gradient(dy, x, window, dw, buffers):
    columns = im2col(x, window, buffers)
    np.matmul(by_filter(dy, buffers), columns.T, out=dw.reshape(len(dw), -1))


def conv2d_way(channels, filters, window):
    return "im2col"


def im2col(x, window, buffers):
    """(N, C, H, W) → (C·KH·KW, N·OH·OW)."""
    images, channels = x.shape[:2]
    (kh, kw), (sh, sw), (oh, ow) = window.kernel, window.stride, window.output
    columns = buffers.empty("columns", (channels, kh, kw, images, oh, ow), x.dtype)
    seen = sliding_window_view(padded(x, window, 0, buffers), (kh, kw), axis=(2, 3))
    seen = seen[:, :, : oh * sh : sh, : ow * sw : sw]  # (N, C, OH, OW, KH, KW)
    columns[...] = seen.transpose(1, 4, 5, 0, 2, 3)
    return columns.reshape(channels * kh * kw, images * oh * ow)


def col2im(dcolumns, window, buffers):
    """(C, KH, KW, N, OH, OW) → (N, C, H, W): pixels that several columns saw add them up."""
    channels, kh, kw, images, oh, ow = dcolumns.shape
    (sh, sw), (top, left), (height, width) = window.stride, window.padding, window.image
    dx = buffers.empty("dx", (images, channels, *padded_size(window)), dcolumns.dtype)
    dx[...] = 0
    for u in range(kh):
        for v in range(kw):
            dx[:, :, u : u + oh * sh : sh, v : v + ow * sw : sw] += dcolumns[:, u, v].swapaxes(0, 1)
    return dx[:, :, top : top + height, left : left + width]


def padded(x, window, value, buffers):
    """x with a frame of `value`, wide enough that every window lies inside."""
    (top, left), (height, width) = window.padding, window.image
    size = padded_size(window)
    if size == (height, width):
        return x
    y = buffers.empty("padded", (*x.shape[:2], *size), x.dtype)
    y[...] = value
    y[:, :, top : top + height, left : left + width] = x
    return y


def padded_size(window):
    """Rows and columns from the padding's corner to the end of the image or of the last window."""
    reach = ((o - 1) * s + k for o, s, k in zip(window.output, window.stride, window.kernel))
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
