import numpy as np
from grading import book, oracles
from grading.mistakes import Shown

from minicnn import ConvTranspose2D

TITLE, MINUTES = "transposed convolution", 25
PAGE = "backprop/transposed-convolution.md", "The formula and its derivation"
PREDICTION = "c"
BECAUSE = "(4 − 1) · 2 + 2: sixteen paintings of 2 × 2, side by side"
HINTS = (
    "Pixel (i, j) and tap (u, v) meet one output. What does forward add there, and what do dx and "
    "dw find there?",
    "with h, k = i·s+u, j·s+v:   y[n,f,h,k] += w·x,   dx[n,c,i,j] += w·dy,   dw[c,f,u,v] += x·dy",
    "y[n, f, h, k] +=",
)
LIBRARY = "minicnn/layers/convolution.py", "ConvTranspose2D.forward_batch"
BLANK, GIVES = "conv_transpose", ("y", "dx", "dw")


def conv_transpose(x, w, dy, stride):
    y, dx, dw = np.zeros(dy.shape), np.zeros(x.shape), np.zeros(w.shape)
    for n, c, i, j in np.ndindex(x.shape):
        for f, u, v in np.ndindex(w.shape[1:]):
            h, k = i * stride + u, j * stride + v
            y[n, f, h, k] += w[c, f, u, v] * x[n, c, i, j]
            dx[n, c, i, j] += w[c, f, u, v] * dy[n, f, h, k]
            dw[c, f, u, v] += x[n, c, i, j] * dy[n, f, h, k]
    return y, dx, dw


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    weight = page["layer"].weight
    return (page["x"], weight.value, page["dy"], 2), (page["y"], page["dx"], weight.grad)


def cases():
    rng = np.random.default_rng(16)
    sizes = (
        ((2, 2, 2, 3), (2, 3, 3, 2), (2, 3, 4, 4), 1),
        ((1, 2, 3, 2), (2, 2, 3, 3), (1, 2, 7, 5), 2),
    )
    return [
        (rng.standard_normal(x), rng.standard_normal(w), rng.standard_normal(dy), stride)
        for x, w, dy, stride in sizes
    ]


def loops(x, w, dy, stride):
    y = oracles.conv_transpose2d(
        x, w, None, (stride, stride), (0, 0), (1, 1), 1, dy.shape[2:]
    )
    return y, None, None


def measured(x, w, dy, stride):
    return {
        "x": (lambda x: loops(x, w, dy, stride)[0], x),
        "w": (lambda w: loops(x, w, dy, stride)[0], w),
    }


def library(x, w, dy, stride, kind=ConvTranspose2D):
    layer = kind(*w.shape[:2], w.shape[2:], stride=stride, bias=False).astype("float64")
    layer.weight.value = w
    y = layer.forward(x, training=True)
    dx = layer.backward(dy)
    return y, dx, layer.weight.grad


def painted_over(x, w, dy, stride):
    """paintings assign where they should add"""
    y, dx, dw = conv_transpose(x, w, dy, stride)
    for n, c, i, j in np.ndindex(x.shape):
        for f, u, v in np.ndindex(w.shape[1:]):
            y[n, f, i * stride + u, j * stride + v] = w[c, f, u, v] * x[n, c, i, j]
    return y, dx, dw


def axes_of_a_convolution(x, w, dy, stride):
    """w is taken as (out, in, …), as in a convolution; that of a transposed one is (in, out, …)"""
    if w.shape[0] != w.shape[1]:
        raise ValueError("there are no such channels")
    y, dx, _ = conv_transpose(x, w.swapaxes(0, 1), dy, stride)
    return y, dx, conv_transpose(x, w, dy, stride)[2].swapaxes(0, 1)


MISTAKES = Shown(PAGE[0], "MixedUp"), painted_over, axes_of_a_convolution
