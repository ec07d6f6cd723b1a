"""Winograd's convolution in matrices: what `backends/minimal.py` derives, line by line.

For reading, and as the twin that tests hold the compiled kernels against. The numpy backend itself
takes im2col: at its size a matrix product is hard to beat.
"""

import numpy as np

from ..minimal import M, matrices


def conv2d_forward(x, w, b, window, buffers):
    y = convolution(x, w, window.padding, window.output)
    return y if b is None else y + b[:, None, None]


def conv2d_input_gradient(dy, w, window, buffers):
    turned = w[:, :, ::-1, ::-1].swapaxes(0, 1)
    padding = [k - 1 - p for k, p in zip(window.kernel, window.padding)]
    return convolution(dy, turned, padding, window.image)


def convolution(x, w, padding, output):
    """y = Aᵀ [Σ_c U ⊙ V] A, patch by patch; (N, F, *output)."""
    k, (oh, ow) = w.shape[2], output
    t = transforms(k, x.dtype)
    u = along_both(t["G"], w)
    v = along_both(t["B"], patches(x, k + M - 1, padding, output))
    products = np.einsum("fcuv,nijcuv->nijfuv", u, v)
    tiles = along_both(t["A"].T, products)  # (N, patches down, patches right, F, M, M)
    images, down, right, filters = tiles.shape[:4]
    y = tiles.transpose(0, 3, 1, 4, 2, 5).reshape(images, filters, down * M, right * M)
    return y[:, :, :oh, :ow]


def conv2d_weight_gradient(dy, x, window, dw, buffers):
    """dw = Gᵀ [Σ_{patches, images} D ⊙ V] G; dy beyond the last output counts as 0."""
    k = window.kernel[0]
    t = transforms(k, x.dtype)
    v = along_both(t["B"], patches(x, k + M - 1, window.padding, window.output))
    d = along_both(t["A"], patches(dy, M, (0, 0), window.output))
    dw[...] = along_both(t["G"].T, np.einsum("nijfuv,nijcuv->fcuv", d, v))


def transforms(k, dtype):
    return {name: matrix.astype(dtype) for name, matrix in matrices(M, k).items()}


def along_both(matrix, x):
    """matrix · x · matrixᵀ for every square x[..., :, :]."""
    return matrix @ x @ matrix.T


def patches(x, size, padding, output):
    """Squares of `size` pixels, M apart, 0 outside the image: (N, down, right, C, size, size)."""
    down, right = (-(-n // M) for n in output)
    wide = np.zeros((*x.shape[:2], down * M + size, right * M + size), x.dtype)
    rows, columns = (place(p, n, room) for p, n, room in zip(padding, x.shape[2:], wide.shape[2:]))
    wide[:, :, rows[0], columns[0]] = x[:, :, rows[1], columns[1]]
    seen = np.lib.stride_tricks.sliding_window_view(wide, (size, size), axis=(2, 3))
    seen = seen[:, :, : down * M : M, : right * M : M]
    return seen.transpose(0, 2, 3, 1, 4, 5)


def place(padding, pixels, room):
    """Where the pixels of one axis stand behind a padding, which may be negative, and which do."""
    first, last = max(0, padding), min(room, padding + pixels)
    return slice(first, last), slice(first - padding, last - padding)
