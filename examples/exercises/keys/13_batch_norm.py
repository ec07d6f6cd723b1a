import numpy as np
from grading import book, oracles

from minicnn import BatchNorm

TITLE, MINUTES = "BatchNorm forward", 15
PAGE = "backprop/batch-norm.md", "The formula and its derivation"
PREDICTION = "c"
BECAUSE = "of two different numbers the smaller always becomes −1 and the larger 1"
HINTS = (
    "Over which of the four axes does a channel's mean run, and what keeps its shape for the "
    "subtraction?",
    "axis=(0, 2, 3), keepdims=True; gamma and beta as (C, 1, 1)",
    "mean(",
)
LIBRARY = "minicnn/backends/numpy/normalization.py", "normalize"
BLANK, GIVES = "batch_norm", ("y",)


def batch_norm(x, gamma, beta, eps):
    mean = x.mean(axis=(0, 2, 3), keepdims=True)
    var = x.var(axis=(0, 2, 3), keepdims=True)
    return gamma[:, None, None] * (x - mean) / np.sqrt(var + eps) + beta[:, None, None]


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    layer = page["layer"]
    x, y = (page[name].reshape(2, 1, 1, 1) for name in "xy")
    return (x, layer.gamma.value, layer.beta.value, layer.eps), y


def cases():
    rng = np.random.default_rng(13)
    shapes = (3, 2, 2, 3), (2, 3, 1, 2)
    return [
        (rng.standard_normal(shape), *rng.uniform(0.5, 2, (2, shape[1])), 0.1) for shape in shapes
    ]


def loops(x, gamma, beta, eps):
    return oracles.batch_norm(x, gamma, beta, eps)


def library(x, gamma, beta, eps):
    layer = BatchNorm(len(gamma), eps=eps).astype("float64")
    layer.gamma.value, layer.beta.value = gamma, beta
    return layer.forward(x, training=True)


def with_statistics(x, gamma, beta, eps, axes, ddof=0):
    mean, var = x.mean(axes, keepdims=True), x.var(axes, keepdims=True, ddof=ddof)
    return gamma[:, None, None] * (x - mean) / np.sqrt(var + eps) + beta[:, None, None]


def over_images(x, gamma, beta, eps):
    """μ and σ² are taken over images alone, for each position: they run over positions too"""
    return with_statistics(x, gamma, beta, eps, (0,))


def over_positions(x, gamma, beta, eps):
    """μ and σ² are taken in each image by itself: they run over the batch"""
    return with_statistics(x, gamma, beta, eps, (2, 3))


def over_channels(x, gamma, beta, eps):
    """μ and σ² are taken over all channels together: each has its own"""
    return with_statistics(x, gamma, beta, eps, (0, 1, 2, 3))


def unbiased(x, gamma, beta, eps):
    """σ² is divided by M − 1; only what is remembered for inference is"""
    return with_statistics(x, gamma, beta, eps, (0, 2, 3), ddof=1)


def eps_outside(x, gamma, beta, eps):
    """eps is added to σ, not to σ²"""
    mean, std = x.mean((0, 2, 3), keepdims=True), x.std((0, 2, 3), keepdims=True)
    return gamma[:, None, None] * (x - mean) / (std + eps) + beta[:, None, None]


def no_root(x, gamma, beta, eps):
    """the root is forgotten: what is divided by is σ², not σ"""
    mean, var = x.mean((0, 2, 3), keepdims=True), x.var((0, 2, 3), keepdims=True)
    return gamma[:, None, None] * (x - mean) / (var + eps) + beta[:, None, None]


MISTAKES = over_images, over_positions, over_channels, unbiased, eps_outside, no_root
