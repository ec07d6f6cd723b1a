import numpy as np
from grading import book, oracles

from minicnn import Conv2D

TITLE, MINUTES = "convolution", 25
PAGE = "backprop/convolution.md", "The formula and its derivation"
PREDICTION = "b"
BECAUSE = "the window's corner has 28 − 5 + 1 places"
HINTS = (
    "Which pixel does output (i, j) meet through tap (u, v) if the window moves by s at a time?",
    "y[n,f,i,j] += w[f,c,u,v] · x[n, c, i·s+u, j·s+v], for all seven indices",
    "+=",
)
LIBRARY = "minicnn/backends/numpy/convolution.py", "conv2d_forward"
BLANK, GIVES = "convolution", ("y",)


def convolution(x, w, b, stride):
    filters, channels, kh, kw = w.shape
    oh, ow = (x.shape[2] - kh) // stride + 1, (x.shape[3] - kw) // stride + 1
    y = np.zeros((len(x), filters, oh, ow))
    for n, f, i, j in np.ndindex(y.shape):
        y[n, f, i, j] = b[f]
        for c, u, v in np.ndindex(channels, kh, kw):
            y[n, f, i, j] += w[f, c, u, v] * x[n, c, i * stride + u, j * stride + v]
    return y


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    return (page["x"], page["layer"].weight.value, np.zeros(1), 1), page["y"]


def cases():
    rng = np.random.default_rng(7)
    sizes = (
        ((2, 3, 5, 4), (2, 3, 3, 2), 1),
        ((1, 2, 6, 7), (3, 2, 3, 3), 2),
        ((2, 2, 3, 3), (2, 2, 3, 3), 1),
    )
    return [
        (rng.standard_normal(x), rng.standard_normal(w), rng.standard_normal(w[0]), stride)
        for x, w, stride in sizes
    ]


def loops(x, w, b, stride):
    oh, ow = (x.shape[2] - w.shape[2]) // stride + 1, (x.shape[3] - w.shape[3]) // stride + 1
    return oracles.conv2d(x, w, b, (stride, stride), (0, 0), (1, 1), 1, (oh, ow))


def library(x, w, b, stride):
    layer = Conv2D(w.shape[1], w.shape[0], w.shape[2:], stride=stride).astype("float64")
    layer.weight.value, layer.bias.value = w, b
    return layer.forward(x)


def turned(x, w, b, stride):
    """the kernel is turned by 180°, as in the mathematicians' convolution"""
    return convolution(x, w[:, :, ::-1, ::-1], b, stride)


def no_bias(x, w, b, stride):
    """the bias is forgotten"""
    return convolution(x, w, np.zeros(len(w)), stride)


def bias_for_each_tap(x, w, b, stride):
    """the bias is added for each product, not once for each output"""
    return convolution(x, w, b * w[0].size, stride)


def one_channel(x, w, b, stride):
    """only the last channel counts: the sum runs over channels too"""
    return convolution(x[:, -1:], w[:, -1:], b, stride)


def crossed_taps(x, w, b, stride):
    """the kernel's rows and columns change places"""
    if w.shape[2] != w.shape[3]:
        raise ValueError("there are no such taps")
    return convolution(x, w.swapaxes(2, 3), b, stride)


def stride_one(x, w, b, stride):
    """the stride moves the output's size, but not the window"""
    y = library(x, w, b, stride)
    return convolution(x, w, b, 1)[:, :, : y.shape[2], : y.shape[3]]


MISTAKES = turned, no_bias, bias_for_each_tap, one_channel, crossed_taps, stride_one
