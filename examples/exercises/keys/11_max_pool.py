import numpy as np
from grading import book, oracles, planted
from grading.mistakes import Planted, Shown

from minicnn import MaxPool2D

TITLE, MINUTES = "max pool", 20
PAGE = "backprop/pooling.md", "The formula and its derivation"
PREDICTION = "a"
BECAUSE = "what comes in must go out: one of the equal pixels gets it"
HINTS = (
    "Where in its window does the largest pixel stand? np.argmax counts in reading order, and of "
    "equals it takes the first.",
    "(u, v) = divmod(argmax of the window, size);   dx[n, c, i·s+u, j·s+v] += dy[n,c,i,j]",
    "+=",
)
LIBRARY = "minicnn/backends/numpy/pooling.py", "max_pool_backward"
BLANK, GIVES = "max_pool", ("y", "dx")


def max_pool(x, dy, size, stride):
    y, dx = np.zeros(dy.shape), np.zeros(x.shape)
    for n, c, i, j in np.ndindex(dy.shape):
        top, left = i * stride, j * stride
        window = x[n, c, top : top + size, left : left + size]
        y[n, c, i, j] = window.max()
        u, v = divmod(window.argmax(), size)
        dx[n, c, top + u, left + v] += dy[n, c, i, j]
    return y, dx


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    layer = page["largest"]
    return (page["x"], page["dy"], 2, 1), (layer.forward(page["x"]), layer.backward(page["dy"]))


def cases():
    rng = np.random.default_rng(11)
    drawn = [
        (rng.standard_normal((2, 2, 4, 5)), rng.standard_normal((2, 2, 3, 4)), 2, 1),
        (rng.standard_normal((1, 2, 7, 5)), rng.standard_normal((1, 2, 3, 2)), 3, 2),
        (rng.standard_normal((1, 2, 4, 6)) - 5, rng.standard_normal((1, 2, 2, 3)), 2, 2),
    ]
    after_relu = np.maximum(rng.integers(-3, 2, (2, 1, 4, 4)), 0).astype(float)
    return [*drawn, (after_relu, rng.standard_normal((2, 1, 2, 2)), 2, 2)]


def loops(x, dy, size, stride):
    y, _ = oracles.max_pool(x, (size, size), (stride, stride), (0, 0), dy.shape[2:])
    return y, None


def measured(x, dy, size, stride):
    return {"x": (lambda x: loops(x, dy, size, stride)[0], x)}


def library(x, dy, size, stride, kind=MaxPool2D):
    layer = kind(size, stride)
    y = layer.forward(x, training=True)
    return y, layer.backward(dy)


def everywhere(x, dy, size, stride):
    """every pixel of the window gets the gradient, not the largest alone"""
    y, dx = max_pool(x, dy, size, stride)
    dx[...] = 0
    for n, c, i, j in np.ndindex(dy.shape):
        window = dx[n, c, i * stride : i * stride + size, j * stride : j * stride + size]
        window += dy[n, c, i, j]
    return y, dx


MISTAKES = (
    Shown(PAGE[0], "EveryEqual"), Planted(planted.assigned_instead_of_added),
    Planted(planted.wrong_pooling_index), everywhere,
)  # fmt: skip
