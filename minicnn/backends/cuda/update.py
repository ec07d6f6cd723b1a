"""Optimiser updates and penalties, an element a thread; the formulas are in `backends/scalar.py`.

Parameters that lie together come as one array (see `join`), so an update is one launch. Intensity:
a few operations for the three to seven numbers that are read and written: as fast as memory is.

The learning rate, and Adam's step number, are arrays of one number on the device: `Steps` changes
them there from step to step. A negative rate says that nothing is to be updated.
"""

import threading
from math import expm1, inf, log, sqrt

import numpy as np

from .. import scalar
from .device import Buffers, cuda, device, for_each, kernel, launch
from .sums import sum_of

sgd = device(scalar.sgd)
momentum_sgd = device(scalar.momentum_sgd)
rmsprop = device(scalar.rmsprop)
adagrad = device(scalar.adagrad)
adam = device(scalar.adam)
penalty_slope = device(scalar.penalty_slope)


class Scratch(threading.local, Buffers):
    """Memory for the moment, a thread's own."""


scratch = Scratch()


def sgd_update(values, grads, velocities, lr, momentum, nesterov, weight_decay):
    for k, (w, g) in enumerate(zip(values, grads)):
        arguments = on_device("lr", lr, w.dtype), *numbers(w, momentum, weight_decay), w.size
        if momentum:
            v = velocities[k]
            for_each(momentum_kernel, w.size, w.flat, g.flat, v.flat, int(nesterov), *arguments)
        else:
            for_each(sgd_kernel, w.size, w.flat, g.flat, *arguments)


@kernel("F F F r r n")
def sgd_kernel(w, g, lr, momentum, weight_decay, size):
    if lr[0] >= 0:
        for k in range(cuda.grid(1), size, cuda.gridsize(1)):
            w[k] = sgd(w[k], g[k], lr[0], weight_decay)


@kernel("F F F n F r r n")
def momentum_kernel(w, g, v, nesterov, lr, keep, weight_decay, size):
    if lr[0] >= 0:
        for k in range(cuda.grid(1), size, cuda.gridsize(1)):
            w[k], v[k] = momentum_sgd(w[k], g[k], v[k], nesterov, lr[0], keep, weight_decay)


def rmsprop_update(values, grads, squares, lr, alpha, eps, weight_decay):
    for w, g, s in zip(values, grads, squares):
        rates = on_device("lr", lr, w.dtype), *numbers(w, alpha, 1 - alpha, eps, weight_decay)
        for_each(rmsprop_kernel, w.size, w.flat, g.flat, s.flat, *rates, w.size)


@kernel("F F F F r r r r n")
def rmsprop_kernel(w, g, s, lr, keep, fresh, eps, weight_decay, size):
    if lr[0] >= 0:
        for k in range(cuda.grid(1), size, cuda.gridsize(1)):
            w[k], s[k] = rmsprop(w[k], g[k], s[k], lr[0], keep, fresh, eps, weight_decay)


def adagrad_update(values, grads, squares, lr, eps, weight_decay):
    for w, g, s in zip(values, grads, squares):
        rates = on_device("lr", lr, w.dtype), *numbers(w, eps, weight_decay)
        for_each(adagrad_kernel, w.size, w.flat, g.flat, s.flat, *rates, w.size)


@kernel("F F F F r r n")
def adagrad_kernel(w, g, s, lr, eps, weight_decay, size):
    if lr[0] >= 0:
        for k in range(cuda.grid(1), size, cuda.gridsize(1)):
            w[k], s[k] = adagrad(w[k], g[k], s[k], lr[0], eps, weight_decay)


def adam_update(
    values, grads, means, squares, step, lr, beta1, beta2, eps, weight_decay, decoupled
):
    coupled, apart = (0.0, weight_decay) if decoupled else (weight_decay, 0.0)
    w = values[0]
    of_step = scratch.empty("adam", 3, w.dtype)
    fixed = numbers(w, log_of(beta1), log_of(beta2), eps, apart)
    now = on_device("lr", lr, w.dtype), on_device("step", step, np.int64)
    launch(adam_step, 1, *now, *fixed, of_step, threads=1)
    fixed = numbers(w, beta1, 1 - beta1, beta2, 1 - beta2, coupled)
    for w, g, m, s in zip(values, grads, means, squares):
        for_each(adam_kernel, w.size, w.flat, g.flat, m.flat, s.flat, of_step, *fixed, w.size)


@kernel("F I r r r r F")
def adam_step(lr, step, log_beta1, log_beta2, eps, weight_decay, of_step):
    """What changes from step to step (see `scalar.adam`): rate, eps and shrink, by one thread.

    1 − beta^step = −expm1(step · log beta) keeps all its digits in float32.
    """
    number = lr.dtype.type(step[0])
    correction = sqrt(-expm1(number * log_beta2))
    of_step[0] = correction * lr[0] / -expm1(number * log_beta1)
    of_step[1] = correction * eps
    of_step[2] = lr.dtype.type(1) - lr[0] * weight_decay


@kernel("F F F F F r r r r r n")
def adam_kernel(w, g, m, s, of_step, keep1, fresh1, keep2, fresh2, weight_decay, size):
    rate, eps, shrink = of_step[0], of_step[1], of_step[2]
    if rate >= 0:
        for k in range(cuda.grid(1), size, cuda.gridsize(1)):
            w[k], m[k], s[k] = adam(
                w[k], g[k], m[k], s[k],
                rate, keep1, fresh1, keep2, fresh2, eps, weight_decay, shrink,
            )  # fmt: skip


def log_of(beta):
    return log(beta) if beta else -inf


def penalty(values, l1, l2):
    return norms(values, l1, l2 / 2)


def norms(arrays, l1, l2):
    """l1 · Σ |w| + l2 · Σ w² over all arrays, a Scalar."""
    total = scratch.empty("total", 1, arrays[0].dtype)
    for k, w in enumerate(arrays):
        terms = scratch.empty("terms", w.size, w.dtype)
        for_each(size_of_weights, w.size, w.flat, *numbers(w, l1, l2), w.size, terms)
        one = sum_of(terms, w.size, 1, scratch, "sum")
        launch(add_scalar, 1, one, k, total, threads=1)
    return total


@kernel("F n F")
def add_scalar(x, position, total):
    """total = x for the first, else total + x."""
    total[0] = x[0] if position == 0 else total[0] + x[0]


@kernel("F r r n F")
def size_of_weights(w, l1, l2, size, terms):
    """terms = l1 · |w| + l2 · w²."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        terms[k] = l1 * abs(w[k]) + l2 * w[k] * w[k]


def add_penalty_gradient(values, grads, l1, l2):
    for w, g in zip(values, grads):
        for_each(add_penalty_kernel, w.size, w.flat, g.flat, *numbers(w, l1, l2), w.size)


@kernel("F F r r n")
def add_penalty_kernel(w, g, l1, l2, size):
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        g[k] += penalty_slope(w[k], l1, l2)


def clip(arrays, max_norm):
    norm = norms(arrays, 0, 1)
    launch(root, 1, norm, threads=1)
    for a in arrays:
        for_each(clip_kernel, a.size, a.flat, norm, *numbers(a, max_norm, 1e-6), a.size)
    return norm


@kernel("F")
def root(x):
    x[0] = sqrt(x[0])


@kernel("F F r r n")
def clip_kernel(a, norm, max_norm, little, size):
    factor = max_norm / (norm[0] + little)
    if factor < 1:
        for k in range(cuda.grid(1), size, cuda.gridsize(1)):
            a[k] *= factor


def on_device(name, number, dtype):
    """A number where kernels find it, whether `Steps` hands it out or a user calls with it."""
    if not np.isscalar(number):
        return number
    return scratch.constant(f"{name} {dtype}", np.array([number], dtype))


def numbers(w, *rates):
    """The rates in w's dtype, so that float32 stays float32."""
    return tuple(map(w.dtype.type, rates))
