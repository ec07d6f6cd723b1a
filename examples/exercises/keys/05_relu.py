import numpy as np
from grading import book, planted
from grading.mistakes import Planted, Shown

from minicnn import ReLU

TITLE, MINUTES = "ReLU", 5
PAGE = "backprop/relu.md", "The formula and its derivation"
PREDICTION = "a"
BECAUSE = "the gate was closed by x; what comes back does not open it"
HINTS = (
    "Which of the two arrays decides where the gradient passes?",
    "dx = dy where x > 0, and 0 elsewhere",
    "x > 0",
)
LIBRARY = "minicnn/backends/numpy/activation.py", "relu_slope"
BLANK, GIVES = "relu", ("y", "dx")


def relu(x, dy):
    return np.maximum(x, 0), dy * (x > 0)


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    return (page["x"], page["dy"]), (page["y"], page["dx"])


def cases():
    rng = np.random.default_rng(5)
    x, dy = rng.standard_normal((2, 3, 4))
    return [(x, dy), (np.zeros((2, 2)), np.ones((2, 2)))]


def measured(x, dy):
    return {"x": (lambda x: np.maximum(x, 0), x)}


def library(x, dy, kind=ReLU):
    layer = kind()
    y = layer.forward(x, training=True)
    return y, layer.backward(dy)


def open_at_zero(x, dy):
    """a unit at exactly 0 lets the gradient through; at the kink this library takes 0"""
    return np.maximum(x, 0), dy * (x >= 0)


def mask_alone(x, dy):
    """the slope of ReLU is returned, without dy: the chain rule multiplies"""
    return np.maximum(x, 0), 1.0 * (x > 0)


MISTAKES = (
    Shown(PAGE[0], "SignOfTheGradient"), Planted(planted.relu_without_its_mask), open_at_zero,
    mask_alone,
)  # fmt: skip
