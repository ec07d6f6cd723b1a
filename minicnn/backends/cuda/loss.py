"""Losses from logits, with their gradients: no exponent is ever positive, so nothing overflows.

A kernel leaves every image's (or element's) loss in an array, and `sum_of` adds them up. The sum
stays on the device until somebody asks for it.

Where an image has many classes, several threads share them: a block's threads stand in rows of
`width` along the images, and each row takes its share of the classes.
"""

from math import exp, log

import numpy as np

from .. import scalar
from .arrays import empty
from .data import on_device
from .device import THREADS, cuda, device, for_each, kernel, launch
from .sums import column_sum, sum_of, width_for

relu, sigmoid, softening = map(device, (scalar.relu, scalar.sigmoid, scalar.softening))
takes_over = device(scalar.takes_over)


def for_each_image(kernel, classes, batch, *arguments):
    """Run a kernel whose threads stand in rows along the images."""
    width = width_for(classes)
    launch(kernel, -(-batch // width), *arguments, classes, batch, width)


@device
def first_highest(logits, n, classes, batch, width, shared):
    """The class of image n with the first maximum, for all threads of its column. shared: int64.

    All threads of the block must get here together, those beyond the batch too.
    """
    t, half = cuda.threadIdx.x, THREADS // 2
    best = t // width
    if n < batch:
        for c in range(t // width, classes, THREADS // width):
            if takes_over(logits[c * batch + n], logits[best * batch + n]):
                best = c
    shared[t] = best
    cuda.syncthreads()
    while half >= width:
        if t < half and n < batch:
            mine, other = min(shared[t], shared[t + half]), max(shared[t], shared[t + half])
            if takes_over(logits[other * batch + n], logits[mine * batch + n]):
                mine = other
            shared[t] = mine
        cuda.syncthreads()
        half //= 2
    return shared[t % width]


def softmax_cross_entropy_forward(logits, target, divisor, buffers):
    p = empty(buffers, "p", logits.shape[1:], logits)
    losses = buffers.empty("losses", len(p), p.dtype)
    arguments = logits.flat, target.flat, p.flat, losses
    for_each_image(softmax, p.shape[1], len(p), *arguments)
    return sum_of(losses, len(p), 1 / divisor, buffers, "loss"), p


@kernel("F F F F n n n")
def softmax(logits, target, p, losses, classes, batch, width):
    """p = softmax(logits) and losses = −Σ target · log p."""
    sums = cuda.shared.array(THREADS, p.dtype)
    places = cuda.shared.array(THREADS, np.int64)
    row, rows = cuda.threadIdx.x // width, THREADS // width
    n = cuda.blockIdx.x * width + cuda.threadIdx.x % width
    best = first_highest(logits, n, classes, batch, width, places)
    highest = logits[best * batch + n] if n < batch else logits[0]
    total, loss = p.dtype.type(0), p.dtype.type(0)
    if n < batch:
        for c in range(row, classes, rows):
            p[c * batch + n] = exp(logits[c * batch + n] - highest)
            total += p[c * batch + n]
    total = column_sum(total, sums, width)
    if n < batch:
        log_total = highest + log(total)
        for c in range(row, classes, rows):
            p[c * batch + n] /= total
            if target[c * batch + n] != 0:  # 0 · ∞ would be NaN
                loss += target[c * batch + n] * (log_total - logits[c * batch + n])
    loss = column_sum(loss, sums, width)
    if row == 0 and n < batch:
        losses[n] = loss


def softmax_cross_entropy_backward(p, target, divisor, buffers):
    dlogits = empty(buffers, "dlogits", p.shape[1:], p)
    arguments = p.flat, target.flat, p.dtype.type(divisor), dlogits.flat
    for_each_image(softmax_slope, p.shape[1], len(p), *arguments)
    return dlogits


@kernel("F F r F n n n")
def softmax_slope(p, target, divisor, dlogits, classes, batch, width):
    """dlogits = (p · Σ_k target − target) / divisor."""
    sums = cuda.shared.array(THREADS, p.dtype)
    row, rows = cuda.threadIdx.x // width, THREADS // width
    n = cuda.blockIdx.x * width + cuda.threadIdx.x % width
    mass = p.dtype.type(0)
    if n < batch:
        for c in range(row, classes, rows):
            mass += target[c * batch + n]
    mass = column_sum(mass, sums, width)
    if n < batch:
        for c in range(row, classes, rows):
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
        losses[k] = relu(z) - z * target[k] + softening(z)


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
    arguments = logits.flat, on_device(labels, buffers), right
    for_each_image(count, logits.shape[1], len(logits), *arguments)
    return right


@kernel("I")
def clear(right):
    right[0] = 0


@kernel("F I I n n n")
def count(logits, labels, right, classes, batch, width):
    """How many images have their first maximum (or, with one logit, its sign) at their label.

    Whole numbers add up to the same in any order, so here an atomic addition is allowed.
    """
    places = cuda.shared.array(THREADS, np.int64)
    n = cuda.blockIdx.x * width + cuda.threadIdx.x % width
    best = first_highest(logits, n, classes, batch, width, places)
    if cuda.threadIdx.x < width and n < batch:
        if classes == 1 and logits[n] > 0:
            best = 1
        if best == labels[n]:
            cuda.atomic.add(right, 0, 1)
