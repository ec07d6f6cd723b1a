import numpy as np
from grading import book

from minicnn.common.differences import Checked

TITLE, MINUTES = "a measured slope", 10
PAGE = "gradient-checking.md", "The idea"
PREDICTION = "c"
BECAUSE = "the errors of both sides cancel up to h²"
HINTS = (
    "How do you make an x that is larger by h at k only, and leave x itself alone?",
    "step is 0 but at k, where it is h; then f at x + step and at x − step",
    "return",
)
LIBRARY = "minicnn/common/differences.py", "Checked.differences"
BLANK, GIVES = "slope", ("slope",)


def slope(f, x, k, h):
    step = np.zeros(len(x))
    step[k] = h
    return (f(x + step) - f(x - step)) / (2 * h)


def cube(x):
    return x[0] ** 3


def mixed(x):
    return x[0] * x[1] ** 2 - x[2] ** 3


def paper():
    page = book.names(*PAGE)
    return (cube, np.array([1.0, 7.0]), 0, page["h"]), page["measured"]


def cases():
    x = np.array([0.5, -1.5, 2.0])
    return [(mixed, x, k, h) for k in range(3) for h in (0.25, 1e-3)]


def library(f, x, k, h):
    found = Checked("x", x, x, lambda: f(moved[0]), 1.0, lambda value: moved.insert(0, value))
    moved = [x]
    return found.differences(k, 1.0, h)[0]


def one_sided(f, x, k, h):
    """f is moved to one side only: the error is then about h, not h²"""
    step = np.zeros(len(x))
    step[k] = h
    return (f(x + step) - f(x)) / h


def divided_by_h(f, x, k, h):
    """the difference is divided by h, though both sides together are 2h apart"""
    return 2 * slope(f, x, k, h)


def everywhere(f, x, k, h):
    """all of x is moved, not coordinate k alone"""
    return (f(x + h) - f(x - h)) / (2 * h)


MISTAKES = one_sided, divided_by_h, everywhere
