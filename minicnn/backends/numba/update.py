"""Optimiser updates and penalties, one parameter after the other; the formulas are in
`backends/scalar.py`.

The kernels see an array as one flat row and cut it into chunks of a fixed length, which threads
share out. So the same instructions meet the same elements whichever thread runs them. (Parameters
that lie one after the other come as one array: see `join`; the zeros between them stay what they
are, or become numbers that nobody reads.) In a kernel,
ws, gs … are one chunk of w (value), g (gradient), v (velocity), m (mean), s (square).
"""

from math import sqrt

import numpy as np
from numba import prange

from .. import scalar
from .runtime import device, kernel
from .sums import magnitude, product

CHUNK = 4096  # elements: 16 KB of float32, so a chunk of each slot fits into the fastest cache

sgd = device(scalar.sgd)
momentum_sgd = device(scalar.momentum_sgd)
rmsprop = device(scalar.rmsprop)
adagrad = device(scalar.adagrad)
adam = device(scalar.adam)
penalty_slope = device(scalar.penalty_slope)


@device
def chunks(a):
    """How many chunks an array has."""
    return (a.size + CHUNK - 1) // CHUNK


@device
def chunk(a, part):
    """A chunk of an array, as a view."""
    return a[part * CHUNK : (part + 1) * CHUNK]


def sgd_update(values, grads, velocities, lr, momentum, nesterov, weight_decay):
    if not momentum:
        for w, g in zip(values, grads):
            sgd_kernel(flat(w), flat(g), numbers(w, lr, weight_decay))
        return
    for w, g, v in zip(values, grads, velocities):
        rates = numbers(w, lr, momentum, weight_decay)
        momentum_kernel(flat(w), flat(g), flat(v), nesterov, rates)


@kernel
def sgd_kernel(w, g, rates):
    for part in prange(chunks(w)):
        ws, gs = chunk(w, part), chunk(g, part)
        for k in range(ws.size):
            ws[k] = sgd(ws[k], gs[k], *rates)


@kernel
def momentum_kernel(w, g, v, nesterov, rates):
    for part in prange(chunks(w)):
        ws, gs, vs = chunk(w, part), chunk(g, part), chunk(v, part)
        for k in range(ws.size):
            ws[k], vs[k] = momentum_sgd(ws[k], gs[k], vs[k], nesterov, *rates)


def rmsprop_update(values, grads, squares, lr, alpha, eps, weight_decay):
    for w, g, s in zip(values, grads, squares):
        rates = numbers(w, lr, alpha, 1 - alpha, eps, weight_decay)
        rmsprop_kernel(flat(w), flat(g), flat(s), rates)


@kernel
def rmsprop_kernel(w, g, s, rates):
    for part in prange(chunks(w)):
        ws, gs, ss = chunk(w, part), chunk(g, part), chunk(s, part)
        for k in range(ws.size):
            ws[k], ss[k] = rmsprop(ws[k], gs[k], ss[k], *rates)


def adagrad_update(values, grads, squares, lr, eps, weight_decay):
    for w, g, s in zip(values, grads, squares):
        adagrad_kernel(flat(w), flat(g), flat(s), numbers(w, lr, eps, weight_decay))


@kernel
def adagrad_kernel(w, g, s, rates):
    for part in prange(chunks(w)):
        ws, gs, ss = chunk(w, part), chunk(g, part), chunk(s, part)
        for k in range(ws.size):
            ws[k], ss[k] = adagrad(ws[k], gs[k], ss[k], *rates)


def adam_update(
    values, grads, means, squares, step, lr, beta1, beta2, eps, weight_decay, decoupled
):
    correction = sqrt(1 - beta2**step)
    rate = correction * lr / (1 - beta1**step)
    shrink, coupled = (1 - lr * weight_decay, 0.0) if decoupled else (1.0, weight_decay)
    for w, g, m, s in zip(values, grads, means, squares):
        rates = numbers(
            w, rate, beta1, 1 - beta1, beta2, 1 - beta2, correction * eps, coupled, shrink
        )
        adam_kernel(flat(w), flat(g), flat(m), flat(s), rates)


@kernel
def adam_kernel(w, g, m, s, rates):
    for part in prange(chunks(w)):
        ws, gs, ms, ss = chunk(w, part), chunk(g, part), chunk(m, part), chunk(s, part)
        for k in range(ws.size):
            ws[k], ms[k], ss[k] = adam(ws[k], gs[k], ms[k], ss[k], *rates)


def penalty(values, l1, l2):
    return sum(l1 * absolute + l2 / 2 * square for absolute, square in map(norms, values))


def norms(a):
    """Σ |a| and Σ a²."""
    return norms_kernel(flat(a))


@kernel
def norms_kernel(a):
    """Each chunk has its own sums, and these are added in order."""
    parts = np.empty((chunks(a), 2))
    for part in prange(len(parts)):
        piece = chunk(a, part)
        parts[part, 0], parts[part, 1] = magnitude(piece), product(piece, piece)
    total = 0.0, 0.0
    for part in range(len(parts)):
        total = total[0] + parts[part, 0], total[1] + parts[part, 1]
    return total


def add_penalty_gradient(values, grads, l1, l2):
    for w, g in zip(values, grads):
        add_penalty_kernel(flat(w), flat(g), numbers(w, l1, l2))


@kernel
def add_penalty_kernel(w, g, rates):
    for part in prange(chunks(w)):
        ws, gs = chunk(w, part), chunk(g, part)
        for k in range(ws.size):
            gs[k] += penalty_slope(ws[k], *rates)


def clip(arrays, max_norm):
    norm = sqrt(sum(norms(a)[1] for a in arrays))
    factor = max_norm / (norm + 1e-6)
    if factor < 1:
        for a in arrays:
            scale_kernel(flat(a), a.dtype.type(factor))
    return norm


@kernel
def scale_kernel(a, factor):
    for part in prange(chunks(a)):
        piece = chunk(a, part)
        for k in range(piece.size):
            piece[k] *= factor


def flat(a):
    """An array as one row, without a copy: one compiled kernel serves every shape."""
    return a.reshape(-1)


def numbers(w, *rates):
    """The rates in w's dtype, so that float32 stays float32."""
    return tuple(map(w.dtype.type, rates))
