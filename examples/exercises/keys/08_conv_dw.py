import numpy as np
from grading import book, oracles, planted
from grading.mistakes import Like, Planted, Shown

from minicnn import Conv2D

TITLE, MINUTES = "conv dw", 20
PAGE = "backprop/convolution.md", "The formula and its derivation"
PREDICTION = "c"
BECAUSE = "every tap meets about four times as many pixels, and adds up what they say"
HINTS = (
    "Which outputs does w[f,c,u,v] affect, and with which factor each?",
    "dw[f,c,u,v] += dy[n,f,i,j] · x[n, c, i·s+u, j·s+v], for all seven indices",
    "+=",
)
LIBRARY = "minicnn/backends/numpy/convolution.py", "conv2d_weight_gradient"
BLANK, GIVES = "conv_dw", ("dw",)


def conv_dw(dy, x, kernel, stride):
    dw = np.zeros((dy.shape[1], x.shape[1], *kernel))
    for f, c, u, v in np.ndindex(dw.shape):
        for n, i, j in np.ndindex(len(dy), *dy.shape[2:]):
            dw[f, c, u, v] += dy[n, f, i, j] * x[n, c, i * stride + u, j * stride + v]
    return dw


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    return (page["dy"], page["x"], (2, 2), 1), page["layer"].weight.grad


def cases():
    rng = np.random.default_rng(8)
    sizes = ((2, 3, 3, 3), (2, 2, 5, 4), (3, 2), 1), ((2, 2, 2, 3), (2, 3, 5, 7), (3, 3), 2)
    return [
        (rng.standard_normal(dy), rng.standard_normal(x), kernel, stride)
        for dy, x, kernel, stride in sizes
    ]


def measured(dy, x, kernel, stride):
    def forward(w):
        b, output = np.zeros(len(w)), dy.shape[2:]
        return oracles.conv2d(x, w, b, (stride, stride), (0, 0), (1, 1), 1, output)

    return {"w": (forward, np.ones((dy.shape[1], x.shape[1], *kernel)))}


def library(dy, x, kernel, stride, kind=Conv2D):
    layer = kind(x.shape[1], dy.shape[1], kernel, stride=stride).astype("float64")
    layer.forward(x, training=True)
    layer.backward(dy)
    return layer.weight.grad


def assigning(dy, x, kernel, stride):
    return conv_dw(dy[-1:, :, -1:, -1:], at_the_end(dy, x, kernel, stride), kernel, stride)


def at_the_end(dy, x, kernel, stride):
    """What the last window of the last image sees."""
    top, left = ((n - 1) * stride for n in dy.shape[2:])
    return x[-1:, :, top : top + kernel[0], left : left + kernel[1]]


def mean(dy, x, kernel, stride):
    """the sum over images becomes a mean, though the 1/N is in dy already"""
    return conv_dw(dy, x, kernel, stride) / len(x)


def mean_of_positions(dy, x, kernel, stride):
    """the sum over positions becomes a mean"""
    return conv_dw(dy, x, kernel, stride) / dy[0, 0].size


def turned(dy, x, kernel, stride):
    """the kernel is turned by 180°"""
    return conv_dw(dy, x, kernel, stride)[:, :, ::-1, ::-1]


MISTAKES = (
    Like(Shown("backprop/convolution.md", "Assigning"), assigning),
    Planted(planted.lost_image), mean, mean_of_positions, turned,
)
