import numpy as np
from grading import book, oracles, planted
from grading.mistakes import Planted, Shown

from minicnn import Conv2D

TITLE, MINUTES = "conv dx", 25
PAGE = "backprop/convolution.md", "The formula and its derivation"
PREDICTION = "a"
BECAUSE = "such windows lie side by side; with stride 1 it would be 4"
HINTS = (
    "Stand at output (i, j). Which pixel did its tap (u, v) see, and what does it send there?",
    "dx[n, c, i·s+u, j·s+v] += dy[n,f,i,j] · w[f,c,u,v], for all seven indices",
    "+=",
)
LIBRARY = "minicnn/backends/numpy/convolution.py", "col2im"
BLANK, GIVES = "conv_dx", ("dx",)


def conv_dx(dy, w, shape, stride):
    dx = np.zeros(shape)
    for n, f, i, j in np.ndindex(dy.shape):
        for c, u, v in np.ndindex(w.shape[1:]):
            dx[n, c, i * stride + u, j * stride + v] += dy[n, f, i, j] * w[f, c, u, v]
    return dx


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    return (page["dy"], page["layer"].weight.value, page["x"].shape, 1), page["dx"]


def cases():
    rng = np.random.default_rng(9)
    sizes = (
        ((2, 3, 3, 3), (3, 2, 3, 2), (2, 2, 5, 4), 1),
        ((2, 2, 2, 3), (2, 3, 3, 3), (2, 3, 6, 8), 2),  # no window meets the last row and column
        ((1, 2, 2, 2), (2, 2, 2, 2), (1, 2, 4, 4), 2),
    )
    return [
        (rng.standard_normal(dy), rng.standard_normal(w), shape, stride)
        for dy, w, shape, stride in sizes
    ]


def measured(dy, w, shape, stride):
    def forward(x):
        b, output = np.zeros(len(w)), dy.shape[2:]
        return oracles.conv2d(x, w, b, (stride, stride), (0, 0), (1, 1), 1, output)

    return {"x": (forward, np.ones(shape))}


def library(dy, w, shape, stride, kind=Conv2D):
    layer = kind(w.shape[1], w.shape[0], w.shape[2:], stride=stride).astype("float64")
    layer.weight.value = w
    layer.forward(np.zeros(shape), training=True)
    return layer.backward(dy)


def sized_by_windows(dy, w, shape, stride):
    """dx ends where the last window does: x may be larger"""
    rows, columns = ((n - 1) * stride + k for n, k in zip(dy.shape[2:], w.shape[2:]))
    return conv_dx(dy, w, shape, stride)[:, :, :rows, :columns]


def one_filter(dy, w, shape, stride):
    """only the last filter sends something back: the sum runs over filters too"""
    return conv_dx(dy[:, -1:], w[-1:], shape, stride)


def assigning_each_product(dy, w, shape, stride):
    """products assign where they should add"""
    dx = np.zeros(shape)
    for n, f, i, j in np.ndindex(dy.shape):
        for c, u, v in np.ndindex(w.shape[1:]):
            dx[n, c, i * stride + u, j * stride + v] = dy[n, f, i, j] * w[f, c, u, v]
    return dx


MISTAKES = (
    Shown(PAGE[0], "Assigning"), Planted(planted.turned_kernel), assigning_each_product, one_filter,
    sized_by_windows,
)  # fmt: skip
