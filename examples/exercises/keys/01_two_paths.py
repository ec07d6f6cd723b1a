import numpy as np
from grading import book
from grading.mistakes import Shown

from minicnn import Dense, Residual

TITLE, MINUTES = "two paths", 5
PAGE = "backprop/branches.md", "The formula and its derivation"
PREDICTION = "a"
BECAUSE = "it goes around f whole: that is why very deep networks learn"
HINTS = (
    "On the path around f, by how much does y move when x moves by 1? And on the path through f?",
    "dx = dy · 1 + dy · w",
    "return",
)
LIBRARY = "minicnn/network/branches.py", "Residual.backward_batch"
BLANK, GIVES = "two_paths", ("dx",)


def two_paths(dy, w):
    return dy + dy * w


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    return (np.array([[5.0]]), page["triple"].weight.value[0].astype(float)), np.array([[20.0]])


def cases():
    rng = np.random.default_rng(1)
    return [(rng.standard_normal((3, 4)), rng.standard_normal(4))]


def measured(dy, w):
    return {"x": (lambda x: x + w * x, np.ones(dy.shape))}


def library(dy, w, kind=Residual):
    through = Dense(len(w), len(w), bias=False).astype("float64")
    through.weight.value = np.diag(w)
    block = kind(through)
    block.forward(np.ones(dy.shape))
    return block.backward(dy)


def only_around(dy, w):
    """the way through f is forgotten"""
    return dy


MISTAKES = Shown(PAGE[0], "Forgetful"), only_around
