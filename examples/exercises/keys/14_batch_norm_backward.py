import numpy as np
from grading import book, oracles, planted
from grading.mistakes import Planted, Shown

from minicnn import BatchNorm

TITLE, MINUTES = "BatchNorm backward", 30
PAGE = "backprop/batch-norm.md", "The formula and its derivation"
PREDICTION = "a"
BECAUSE = "the mean of dy is taken away, and dy = 1 has nothing else"
HINTS = (
    "Which two sums over a channel do all three gradients share? Write them down first.",
    "dbeta = Σ dy,   dgamma = Σ dy · x̂,   dx = gamma · r · (dy − dbeta/M − x̂ · dgamma/M)",
    "dx =",
)
LIBRARY = "minicnn/backends/numpy/normalization.py", "batch_norm_backward"
BLANK, GIVES = "batch_norm_backward", ("dx", "dgamma", "dbeta")


def batch_norm_backward(dy, x, gamma, eps):
    axes, count = (0, 2, 3), x.size // x.shape[1]
    r = 1 / np.sqrt(x.var(axis=axes, keepdims=True) + eps)
    x_hat = (x - x.mean(axis=axes, keepdims=True)) * r
    dbeta = dy.sum(axis=axes)
    dgamma = (dy * x_hat).sum(axis=axes)
    mean, share = dbeta[:, None, None] / count, dgamma[:, None, None] / count
    dx = gamma[:, None, None] * r * (dy - mean - x_hat * share)
    return dx, dgamma, dbeta


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    layer = page["layer"]
    dy, x, dx = (page[name].reshape(2, 1, 1, 1) for name in ("dy", "x", "dx"))
    dx = dx.round(9) + 0.0  # 0 on paper, where eps is 0; the sum makes 0 of −0
    return (dy, x, layer.gamma.value, layer.eps), (dx, layer.gamma.grad, layer.beta.grad)


def cases():
    rng = np.random.default_rng(14)
    shapes = (3, 2, 2, 3), (2, 3, 1, 2)
    return [
        (*rng.standard_normal((2, *shape)), rng.uniform(0.5, 2, shape[1]), 0.1) for shape in shapes
    ]


def measured(dy, x, gamma, eps):
    beta = np.zeros(len(gamma))
    return {
        "x": (lambda x: oracles.batch_norm(x, gamma, beta, eps), x),
        "gamma": (lambda gamma: oracles.batch_norm(x, gamma, beta, eps), gamma),
        "beta": (lambda beta: oracles.batch_norm(x, gamma, beta, eps), beta),
    }


def library(dy, x, gamma, eps, kind=BatchNorm):
    layer = kind(len(gamma), eps=eps).astype("float64")
    layer.gamma.value = gamma
    layer.forward(x, training=True)
    dx = layer.backward(dy)
    return dx, layer.gamma.grad, layer.beta.grad


def fixed_deviation(dy, x, gamma, eps):
    """σ is taken for a constant, though it moves with x: only the mean of dy is taken away"""
    dx, dgamma, dbeta = batch_norm_backward(dy, x, gamma, eps)
    r = 1 / np.sqrt(x.var(axis=(0, 2, 3), keepdims=True) + eps)
    dx = gamma[:, None, None] * r * (dy - dy.mean(axis=(0, 2, 3), keepdims=True))
    return dx, dgamma, dbeta


def means(dy, x, gamma, eps):
    """the weights' gradients are means over a channel's numbers, not their sums"""
    dx, dgamma, dbeta = batch_norm_backward(dy, x, gamma, eps)
    count = x.size // x.shape[1]
    return dx, dgamma / count, dbeta / count


def x_for_x_hat(dy, x, gamma, eps):
    """dgamma is made of x, not of x̂"""
    dx, _, dbeta = batch_norm_backward(dy, x, gamma, eps)
    return dx, (dy * x).sum(axis=(0, 2, 3)), dbeta


MISTAKES = (
    Shown(PAGE[0], "Fixed"), Planted(planted.gamma_forgotten), fixed_deviation, means, x_for_x_hat,
)  # fmt: skip
