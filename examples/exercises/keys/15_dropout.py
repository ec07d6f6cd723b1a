import numpy as np
from grading import book
from grading.mistakes import Shown

from minicnn import Dropout

TITLE, MINUTES = "dropout", 5
PAGE = "backprop/dropout.md", "The formula and its derivation"
PREDICTION = "b"
BECAUSE = "a quarter stays, and must make up for the rest"
HINTS = (
    "If a quarter of the numbers stays, how large must each become for the sum to stay on average?",
    "m = keep / (1 − p),   y = m · x,   dx = m · dy",
    "mask =",
)
LIBRARY = "minicnn/backends/numpy/dropout.py", "dropout_forward"
BLANK, GIVES = "dropout", ("y", "dx")
SEED = 1  # the page's: the library draws the masks


def dropout(x, dy, keep, p):
    mask = keep / (1 - p)
    return x * mask, dy * mask


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    arguments = page["x"], page["dy"], page["mask"] > 0, page["layer"].p
    return arguments, (page["y"], page["dx"])


def cases():
    rng = np.random.default_rng(15)
    return [case(rng.standard_normal((2, 3, 7)), p) for p in (0.25, 0.8, 0.0)]


def case(drawn, p):
    x, dy = drawn
    x[:, 0] = 0  # whether it stays or not, its y is 0
    return x, dy, Dropout(p, seed=SEED).forward(np.ones(x.shape), training=True) > 0, p


def measured(x, dy, keep, p):
    return {"x": (lambda x: x * np.where(keep, 1 / (1 - p), 0), x)}


def library(x, dy, keep, p, kind=Dropout):
    layer = kind(p, seed=SEED)  # draws `keep` again
    y = layer.forward(x, training=True)
    return y, layer.backward(dy)


def never_scaled(x, dy, keep, p):
    """what stays is not scaled by 1 / (1 − p)"""
    return x * keep, dy * keep


def scaled_by_p(x, dy, keep, p):
    """what stays is scaled by 1 / p, the share that is thrown away"""
    return x * keep / p, dy * keep / p


def mask_of_y(x, dy, keep, p):
    """the mask is read off y: a number that stays may be 0 itself"""
    y = x * keep / (1 - p)
    return y, dy * (y != 0) / (1 - p)


def inverted(x, dy, keep, p):
    """what should be kept is thrown away"""
    return x * ~keep / (1 - p), dy * ~keep / (1 - p)


MISTAKES = (
    Shown(PAGE[0], "NoMask"), Shown(PAGE[0], "NoScale"), never_scaled, scaled_by_p, mask_of_y,
    inverted,
)  # fmt: skip
