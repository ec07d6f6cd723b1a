import numpy as np
from grading import book, oracles

from minicnn import Dense

TITLE, MINUTES = "dense forward", 5
PAGE = "backprop/dense.md", "The formula and its derivation"
PREDICTION = "c"
BECAUSE = "each of the 5 · 2 outputs is a sum of 3 products"
HINTS = (
    "Which axis of x and which of w does the sum run over? They must meet in the product.",
    "Y = X Wᵀ + b",
    "return",
)
LIBRARY = "minicnn/backends/numpy/dense.py", "dense_forward"
BLANK, GIVES = "dense", ("y",)


def dense(x, w, b):
    return x @ w.T + b


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    layer = page["layer"]
    return (page["x"], layer.weight.value, layer.bias.value), page["y"]


def cases():
    rng = np.random.default_rng(3)
    sizes = (4, 3, 5), (3, 3, 3), (1, 2, 4)
    return [
        tuple(rng.standard_normal(shape) for shape in ((n, i), (o, i), (o,))) for n, i, o in sizes
    ]


def loops(x, w, b):
    return oracles.dense(x, w, b)


def library(x, w, b):
    layer = Dense(w.shape[1], w.shape[0]).astype("float64")
    layer.weight.value, layer.bias.value = w, b
    return layer.forward(x)


def no_bias(x, w, b):
    """the bias is forgotten"""
    return x @ w.T


def untransposed(x, w, b):
    """w is not transposed: its rows are outputs, and x wants them as columns"""
    return x @ w + b


MISTAKES = no_bias, untransposed
