import numpy as np
from grading import book, oracles, planted
from grading.mistakes import Planted, Shown

from minicnn import Dense

TITLE, MINUTES = "dW, dX, db", 15
PAGE = "backprop/dense.md", "The formula and its derivation"
PREDICTION = "b"
BECAUSE = "dw is a sum over images; that the loss is a mean is already in dy"
HINTS = (
    "dw has the shape (outputs, inputs). Which product of dy and x has it?",
    "dW = dYᵀ X,   dX = dY W,   db = the sum of dY over images",
    "dw =",
)
LIBRARY = "minicnn/backends/numpy/dense.py", "dense_weight_gradient"
BLANK, GIVES = "dense_backward", ("dw", "dx", "db")


def dense_backward(dy, x, w):
    dw = dy.T @ x
    dx = dy @ w
    db = dy.sum(axis=0)
    return dw, dx, db


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    layer = page["layer"]
    wanted = layer.weight.grad, page["dx"], layer.bias.grad
    return (page["dy"], page["x"], layer.weight.value), wanted


def cases():
    rng = np.random.default_rng(4)
    sizes = (4, 3, 5), (3, 3, 3), (1, 2, 4)
    return [
        tuple(rng.standard_normal(shape) for shape in ((n, o), (n, i), (o, i))) for n, i, o in sizes
    ]


def measured(dy, x, w):
    b = np.zeros(len(w))
    return {
        "w": (lambda w: oracles.dense(x, w, b), w),
        "x": (lambda x: oracles.dense(x, w, b), x),
        "b": (lambda b: oracles.dense(x, w, b), b),
    }


def library(dy, x, w, kind=Dense):
    layer = kind(w.shape[1], w.shape[0]).astype("float64")
    layer.weight.value = w
    layer.forward(x, training=True)
    dx = layer.backward(dy)
    return layer.weight.grad, dx, layer.bias.grad


def mean_bias(dy, x, w):
    """the bias's gradient is a mean over the images, not their sum"""
    return dy.T @ x, dy @ w, dy.mean(axis=0)


def both_means(dy, x, w):
    """sums over images become means, though the 1/N is in dy already"""
    return dy.T @ x / len(x), dy @ w, dy.mean(axis=0)


MISTAKES = (
    Shown(PAGE[0], "Averaged"), Planted(planted.transposed_dense_gradient), mean_bias, both_means,
)  # fmt: skip
