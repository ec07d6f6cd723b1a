"""Losses from logits, with their gradients: no exponent is ever positive, so nothing overflows.

The kernels see a batch as (blocks, elements of an image, B). One iteration of the parallel loop is
one block; it visits the lanes that hold an image and none of the padding. Each block leaves its
part of the loss, and the parts are added in the order of the blocks.
"""

from math import log, prod

import numpy as np
from numba import prange

from .. import scalar
from ..scalar import decay, relu, sigmoid, softening
from .layout import clear_padding, elements, empty, rows
from .runtime import device, kernel
from .sums import squared_distance

takes_over = device(scalar.takes_over)


def softmax_cross_entropy_forward(logits, target, divisor, buffers):
    p = empty(buffers, "p", logits.shape[1:], logits)
    per_image = buffers.empty("per image", (3, len(p.data), p.data.shape[-1]), logits.dtype)
    loss = buffers.empty("loss", (), np.float64)
    softmax(logits.data, target.data, logits.count, float(divisor), p.data, *per_image, loss)
    return loss, p


@kernel
def softmax(logits, target, images, divisor, p, highest, total, losses, loss):
    """p = softmax(logits), losses = −Σ target · log p of every image, padded lanes too, and loss =
    Σ losses / divisor.
    """
    for g in prange(len(logits)):
        lanes = logits.shape[2]
        for b in range(lanes):  # assigning whole rows would take three times as long to compile
            highest[g, b] = logits[g, 0, b]
            total[g, b] = 0
            losses[g, b] = 0
        for c in range(1, logits.shape[1]):
            for b in range(lanes):
                highest[g, b] = max(highest[g, b], logits[g, c, b])
        for c in range(logits.shape[1]):
            for b in range(lanes):
                p[g, c, b] = decay(logits[g, c, b] - highest[g, b])
                total[g, b] += p[g, c, b]
        for b in range(lanes):
            highest[g, b] += log(total[g, b])  # now log Σ_k e^z[k]
        for c in range(logits.shape[1]):
            for b in range(lanes):
                p[g, c, b] /= total[g, b]
                if target[g, c, b] != 0:  # 0 · ∞ would be NaN
                    losses[g, b] += target[g, c, b] * (highest[g, b] - logits[g, c, b])
    mean(losses.reshape(-1)[:images], divisor, loss)


def softmax_cross_entropy_backward(p, target, divisor, buffers):
    dlogits = empty(buffers, "dlogits", p.shape[1:], p)
    softmax_slope(p.data, target.data, p.dtype.type(divisor), dlogits.data)
    return dlogits


@kernel
def softmax_slope(p, target, divisor, dlogits):
    """dlogits = (p · Σ_k target − target) / divisor."""
    for g in prange(len(p)):
        for b in range(p.shape[2]):
            mass = p.dtype.type(0)
            for c in range(p.shape[1]):
                mass += target[g, c, b]
            for c in range(p.shape[1]):
                dlogits[g, c, b] = (p[g, c, b] * mass - target[g, c, b]) / divisor


def sigmoid_cross_entropy_forward(logits, target, buffers):
    p = empty(buffers, "p", logits.shape[1:], logits)
    losses = buffers.empty("losses", (len(p.data), p.data.shape[-1]), np.float64)
    loss = buffers.empty("loss", (), np.float64)
    sigmoid_loss(elements(logits), elements(target), logits.count, elements(p), losses, loss)
    return loss, p


@kernel
def sigmoid_loss(logits, target, images, p, losses, loss):
    """p = sigmoid(z), losses = Σ max(z, 0) − z · t + ln(1 + e^−|z|) of every image, padded lanes
    too, and loss = their mean.
    """
    for g in prange(len(logits)):
        lanes = logits.shape[2]
        for b in range(lanes):
            losses[g, b] = 0
        for k in range(logits.shape[1]):
            for b in range(lanes):
                z = logits[g, k, b]
                p[g, k, b] = sigmoid(z)
                losses[g, b] += relu(z) - z * target[g, k, b] + softening(z)
    mean(losses.reshape(-1)[:images], images * logits.shape[1], loss)


def sigmoid_cross_entropy_backward(p, target, buffers):
    dlogits = empty(buffers, "dlogits", p.shape[1:], p)
    scaled_difference(rows(p), rows(target), p.dtype.type(1 / prod(p.shape)), rows(dlogits))
    return dlogits


def mean_squared_error_forward(x, target, buffers):
    clear_padding(x)
    clear_padding(target)
    parts = buffers.empty("parts", (len(rows(x)),), np.float64)
    loss = buffers.empty("loss", (), np.float64)
    squared_error(rows(x), rows(target), prod(x.shape), parts, loss)
    return loss


@kernel
def squared_error(x, target, count, parts, loss):
    """parts = Σ (x − target)², row by row; padding is 0 in both. loss = Σ parts / count."""
    for row in prange(len(x)):
        parts[row] = squared_distance(x[row], target[row])
    mean(parts, count, loss)


def mean_squared_error_backward(x, target, buffers):
    dx = empty(buffers, "dx", x.shape[1:], x)
    scaled_difference(rows(x), rows(target), x.dtype.type(2 / prod(x.shape)), rows(dx))
    return dx


@kernel
def scaled_difference(a, b, factor, y):
    """y = factor · (a − b), row by row."""
    for row in prange(len(a)):
        for k in range(a.shape[1]):
            y[row, k] = factor * (a[row, k] - b[row, k])


def count_correct(logits, labels, buffers):
    right = buffers.empty("right", (), np.int64)
    count(logits.data, labels, right)
    return right


@kernel
def count(logits, labels, right):
    """How many images have their first maximum (or, with one logit, its sign) at their label."""
    correct = 0  # whole numbers: they add up to the same in any order
    for g in prange(len(logits)):
        for b in range(images_in(g, len(labels), logits)):
            best = 0
            for c in range(1, logits.shape[1]):
                if takes_over(logits[g, c, b], logits[g, best, b]):
                    best = c
            if logits.shape[1] == 1 and logits[g, 0, b] > 0:
                best = 1
            correct += best == labels[g * logits.shape[2] + b]
    right[()] = correct


@device
def mean(parts, count, loss):
    """loss = Σ parts / count, added up in order."""
    loss[()] = 0
    for part in parts:
        loss[()] += part
    loss[()] /= count


@device
def images_in(g, images, x):
    """How many lanes of block g hold an image: all, but for the last block."""
    return min(x.shape[2], images - g * x.shape[2])
