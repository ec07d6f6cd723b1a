import numpy as np
from grading import book, oracles
from grading.mistakes import Like, Shown

from minicnn import AvgPool2D

TITLE, MINUTES = "mean pool", 10
PAGE = "backprop/pooling.md", "The formula and its derivation"
PREDICTION = "b"
BECAUSE = "four pixels, each with a quarter"
HINTS = (
    "By how much does the mean of K numbers move if one of them moves by 1?",
    "dx[n, c, i·s : i·s+size, j·s : j·s+size] += dy[n,c,i,j] / K",
    "+=",
)
LIBRARY = "minicnn/backends/numpy/pooling.py", "avg_pool_backward"
BLANK, GIVES = "mean_pool", ("y", "dx")


def mean_pool(x, dy, size, stride):
    y, dx = np.zeros(dy.shape), np.zeros(x.shape)
    for n, c, i, j in np.ndindex(dy.shape):
        rows, columns = (slice(k * stride, k * stride + size) for k in (i, j))
        y[n, c, i, j] = x[n, c, rows, columns].mean()
        dx[n, c, rows, columns] += dy[n, c, i, j] / size**2
    return y, dx


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    layer = page["mean"]
    return (page["x"], page["dy"], 2, 1), (layer.forward(page["x"]), layer.backward(page["dy"]))


def cases():
    rng = np.random.default_rng(12)
    return [
        (rng.standard_normal((2, 2, 4, 5)), rng.standard_normal((2, 2, 3, 4)), 2, 1),
        (rng.standard_normal((1, 2, 7, 5)), rng.standard_normal((1, 2, 3, 2)), 3, 2),
        (rng.standard_normal((1, 2, 4, 6)), rng.standard_normal((1, 2, 2, 3)), 2, 2),
    ]


def loops(x, dy, size, stride):
    y = oracles.avg_pool(x, (size, size), (stride, stride), (0, 0), dy.shape[2:], True)
    return y, None


def measured(x, dy, size, stride):
    return {"x": (lambda x: loops(x, dy, size, stride)[0], x)}


def library(x, dy, size, stride):
    layer = AvgPool2D(size, stride)
    y = layer.forward(x, training=True)
    return y, layer.backward(dy)


def whole(x, dy, size, stride):
    """every pixel gets all of dy, not its share of 1/K"""
    y, dx = mean_pool(x, dy, size, stride)
    return y, dx * size**2


def assigning(x, dy, size, stride):
    y, dx = mean_pool(x, dy, size, stride)
    for n, c, i, j in np.ndindex(dy.shape):
        rows, columns = (slice(k * stride, k * stride + size) for k in (i, j))
        dx[n, c, rows, columns] = dy[n, c, i, j] / size**2
    return y, dx


def summed(x, dy, size, stride):
    """y is the window's sum, not its mean"""
    y, dx = mean_pool(x, dy, size, stride)
    return y * size**2, dx * size**2


def side(x, dy, size, stride):
    """a window of size × size is divided by its side, not by its K pixels"""
    y, dx = mean_pool(x, dy, size, stride)
    return y * size, dx * size


MISTAKES = whole, Like(Shown("backprop/convolution.md", "Assigning"), assigning), summed, side
