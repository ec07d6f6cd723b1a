"""Losses from logits, with their gradients: no exponent is ever positive, so nothing overflows.

The kernels see a batch as (blocks, elements of an image, B). One iteration of the parallel loop is
one block; it visits the lanes that hold an image and none of the padding. Each block leaves its
part of the loss, and the parts are added in the order of the blocks.
"""

from math import log, log1p, prod

import numpy as np
from numba import prange

from .. import scalar
from ..scalar import decay, relu, sigmoid
from .activation import rows
from .dropout import elements
from .layout import clear_padding, empty
from .runtime import device, kernel
from .sums import squared_distance

takes_over = device(scalar.takes_over)


def softmax_cross_entropy_forward(logits, target, divisor, buffers):
    p = empty(buffers, "p", logits.shape[1:], logits)
    per_image = buffers.empty("per image", (3, len(p.data), p.data.shape[-1]), logits.dtype)
    softmax(logits.data, target.data, p.data, *per_image)
    return per_image[2].reshape(-1)[: logits.count].sum(dtype=np.float64) / divisor, p


@kernel
def softmax(logits, target, p, highest, total, losses):
    """p = softmax(logits) and losses = −Σ target · log p of every image, padded lanes too."""
    for n in prange(len(logits)):
        lanes = logits.shape[2]
        for b in range(lanes):  # assigning whole rows would take three times as long to compile
            highest[n, b] = logits[n, 0, b]
            total[n, b] = 0
            losses[n, b] = 0
        for c in range(1, logits.shape[1]):
            for b in range(lanes):
                highest[n, b] = max(highest[n, b], logits[n, c, b])
        for c in range(logits.shape[1]):
            for b in range(lanes):
                p[n, c, b] = decay(logits[n, c, b] - highest[n, b])
                total[n, b] += p[n, c, b]
        for b in range(lanes):
            highest[n, b] += log(total[n, b])  # now log Σ_k e^z[k]
        for c in range(logits.shape[1]):
            for b in range(lanes):
                p[n, c, b] /= total[n, b]
                if target[n, c, b] != 0:  # 0 · ∞ would be NaN
                    losses[n, b] += target[n, c, b] * (highest[n, b] - logits[n, c, b])


def softmax_cross_entropy_backward(p, target, divisor, buffers):
    dlogits = empty(buffers, "dlogits", p.shape[1:], p)
    softmax_slope(p.data, target.data, p.dtype.type(divisor), dlogits.data)
    return dlogits


@kernel
def softmax_slope(p, target, divisor, dlogits):
    """dlogits = (p · Σ_k target − target) / divisor."""
    for n in prange(len(p)):
        for b in range(p.shape[2]):
            mass = p.dtype.type(0)
            for c in range(p.shape[1]):
                mass += target[n, c, b]
            for c in range(p.shape[1]):
                dlogits[n, c, b] = (p[n, c, b] * mass - target[n, c, b]) / divisor


def sigmoid_cross_entropy_forward(logits, target, buffers):
    p = empty(buffers, "p", logits.shape[1:], logits)
    parts = buffers.empty("parts", (len(p.data),), np.float64)
    sigmoid_loss(elements(logits), elements(target), logits.count, elements(p), parts)
    return parts.sum() / prod(p.shape), p


@kernel
def sigmoid_loss(logits, target, images, p, parts):
    """p = sigmoid(z) and parts = Σ max(z, 0) − z · t + log(1 + e^−|z|)."""
    for n in prange(len(logits)):
        parts[n] = 0
        for k in range(logits.shape[1]):
            for b in range(images_in(n, images, logits)):
                z = logits[n, k, b]
                p[n, k, b] = sigmoid(z)
                parts[n] += relu(z) - z * target[n, k, b] + log1p(decay(z))


def sigmoid_cross_entropy_backward(p, target, buffers):
    dlogits = empty(buffers, "dlogits", p.shape[1:], p)
    scaled_difference(rows(p), rows(target), p.dtype.type(1 / prod(p.shape)), rows(dlogits))
    return dlogits


def mean_squared_error_forward(x, target, buffers):
    clear_padding(x)
    clear_padding(target)
    parts = buffers.empty("parts", (len(rows(x)),), np.float64)
    squared_error(rows(x), rows(target), parts)
    return parts.sum() / prod(x.shape)


@kernel
def squared_error(x, target, parts):
    """parts = Σ (x − target)², row by row as in `activation.py`; padding is 0 in both."""
    for row in prange(len(x)):
        parts[row] = squared_distance(x[row], target[row])


def mean_squared_error_backward(x, target, buffers):
    dx = empty(buffers, "dx", x.shape[1:], x)
    scaled_difference(rows(x), rows(target), x.dtype.type(2 / prod(x.shape)), rows(dx))
    return dx


@kernel
def scaled_difference(a, b, factor, y):
    """y = factor · (a − b), row by row as in `activation.py`."""
    for row in prange(len(a)):
        for k in range(a.shape[1]):
            y[row, k] = factor * (a[row, k] - b[row, k])


def count_correct(logits, labels, buffers):
    return count(logits.data, labels)


@kernel
def count(logits, labels):
    """How many images have their first maximum (or, with one logit, its sign) at their label."""
    correct = 0  # whole numbers: they add up to the same in any order
    for n in prange(len(logits)):
        for b in range(images_in(n, len(labels), logits)):
            best = 0
            for c in range(1, logits.shape[1]):
                if takes_over(logits[n, c, b], logits[n, best, b]):
                    best = c
            if logits.shape[1] == 1 and logits[n, 0, b] > 0:
                best = 1
            correct += best == labels[n * logits.shape[2] + b]
    return correct


@device
def images_in(n, images, x):
    """How many lanes of block n hold an image: all, but for the last block."""
    return min(x.shape[2], images - n * x.shape[2])
