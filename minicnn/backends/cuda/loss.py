"""Losses from logits, with their gradients: no exponent is ever positive, so nothing overflows.

A kernel leaves every image's (or element's) loss in an array, and `sum_of` adds them up. The sum
stays on the device until somebody asks for it.
"""

from math import exp, log, log1p

import numpy as np

from .. import scalar
from .arrays import empty
from .data import on_device
from .device import cuda, device, for_each, kernel, launch
from .sums import sum_of

decay, relu, sigmoid = map(device, (scalar.decay, scalar.relu, scalar.sigmoid))
takes_over = device(scalar.takes_over)


def softmax_cross_entropy_forward(logits, target, divisor, buffers):
    p = empty(buffers, "p", logits.shape[1:], logits)
    losses = buffers.empty("losses", len(p), p.dtype)
    arguments = logits.flat, target.flat, p.shape[1], len(p), p.flat, losses
    for_each(softmax, len(p), *arguments)
    return sum_of(losses, len(p), 1 / divisor, buffers, "loss"), p


@kernel("F F n n F F")
def softmax(logits, target, classes, batch, p, losses):
    """p = softmax(logits) and losses = −Σ target · log p; an image a thread, class by class."""
    for n in range(cuda.grid(1), batch, cuda.gridsize(1)):
        highest, total = logits[n], p.dtype.type(0)
        for c in range(1, classes):
            z = logits[c * batch + n]
            highest = z if takes_over(z, highest) else highest
        for c in range(classes):
            p[c * batch + n] = exp(logits[c * batch + n] - highest)
            total += p[c * batch + n]
        log_total, loss = highest + log(total), p.dtype.type(0)
        for c in range(classes):
            p[c * batch + n] /= total
            if target[c * batch + n] != 0:  # 0 · ∞ would be NaN
                loss += target[c * batch + n] * (log_total - logits[c * batch + n])
        losses[n] = loss


def softmax_cross_entropy_backward(p, target, divisor, buffers):
    dlogits = empty(buffers, "dlogits", p.shape[1:], p)
    arguments = p.flat, target.flat, p.dtype.type(divisor), p.shape[1], len(p), dlogits.flat
    for_each(softmax_slope, len(p), *arguments)
    return dlogits


@kernel("F F r n n F")
def softmax_slope(p, target, divisor, classes, batch, dlogits):
    """dlogits = (p · Σ_k target − target) / divisor; an image a thread."""
    for n in range(cuda.grid(1), batch, cuda.gridsize(1)):
        mass = p.dtype.type(0)
        for c in range(classes):
            mass += target[c * batch + n]
        for c in range(classes):
            k = c * batch + n
            dlogits[k] = (p[k] * mass - target[k]) / divisor


def sigmoid_cross_entropy_forward(logits, target, buffers):
    p = empty(buffers, "p", logits.shape[1:], logits)
    losses = buffers.empty("losses", p.size, p.dtype)
    for_each(sigmoid_loss, p.size, logits.flat, target.flat, p.size, p.flat, losses)
    return sum_of(losses, p.size, 1 / p.size, buffers, "loss"), p


@kernel("F F n F F")
def sigmoid_loss(logits, target, size, p, losses):
    """p = sigmoid(z) and losses = max(z, 0) − z · t + log(1 + e^−|z|)."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        z = logits[k]
        p[k] = sigmoid(z)
        losses[k] = relu(z) - z * target[k] + log1p(decay(z))


def sigmoid_cross_entropy_backward(p, target, buffers):
    dlogits = empty(buffers, "dlogits", p.shape[1:], p)
    factor = p.dtype.type(1 / p.size)
    for_each(scaled_difference, p.size, p.flat, target.flat, factor, p.size, dlogits.flat)
    return dlogits


@kernel("F F r n F")
def scaled_difference(a, b, factor, size, y):
    """y = factor · (a − b)."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        y[k] = factor * (a[k] - b[k])


def mean_squared_error_forward(x, target, buffers):
    losses = buffers.empty("losses", x.size, x.dtype)
    for_each(squared_error, x.size, x.flat, target.flat, x.size, losses)
    return sum_of(losses, x.size, 1 / x.size, buffers, "loss")


@kernel("F F n F")
def squared_error(x, target, size, losses):
    """losses = (x − target)²."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        losses[k] = (x[k] - target[k]) * (x[k] - target[k])


def mean_squared_error_backward(x, target, buffers):
    dx = empty(buffers, "dx", x.shape[1:], x)
    factor = x.dtype.type(2 / x.size)
    for_each(scaled_difference, x.size, x.flat, target.flat, factor, x.size, dx.flat)
    return dx


def count_correct(logits, labels, buffers):
    right = buffers.empty("right", 1, np.int64)
    launch(clear, 1, right, threads=1)
    arguments = logits.flat, on_device(labels, buffers), logits.shape[1], len(logits), right
    for_each(count, len(logits), *arguments)
    return right


@kernel("I")
def clear(right):
    right[0] = 0


@kernel("F I n n I")
def count(logits, labels, classes, batch, right):
    """How many images have their first maximum (or, with one logit, its sign) at their label.

    Whole numbers add up to the same in any order, so here an atomic addition is allowed.
    """
    for n in range(cuda.grid(1), batch, cuda.gridsize(1)):
        best = 0
        for c in range(1, classes):
            if takes_over(logits[c * batch + n], logits[best * batch + n]):
                best = c
        if classes == 1 and logits[n] > 0:
            best = 1
        if best == labels[n]:
            cuda.atomic.add(right, 0, 1)
