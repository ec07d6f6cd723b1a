"""Optimiser updates and penalties, an element a thread; the formulas are in `backends/scalar.py`.

Parameters that lie together come as one array (see `join`), so an update is one launch. Intensity:
a few operations for the three to seven numbers that are read and written: as fast as memory is.
"""

from math import sqrt

from .. import scalar
from .device import Buffers, cuda, device, for_each, kernel, launch
from .sums import sum_of

sgd = device(scalar.sgd)
momentum_sgd = device(scalar.momentum_sgd)
rmsprop = device(scalar.rmsprop)
adagrad = device(scalar.adagrad)
adam = device(scalar.adam)
penalty_slope = device(scalar.penalty_slope)
scratch = Buffers()


def sgd_update(values, grads, velocities, lr, momentum, nesterov, weight_decay):
    if not momentum:
        for w, g in zip(values, grads):
            for_each(sgd_kernel, w.size, w.flat, g.flat, *numbers(w, lr, weight_decay), w.size)
        return
    for w, g, v in zip(values, grads, velocities):
        rates = numbers(w, lr, momentum, weight_decay)
        for_each(momentum_kernel, w.size, w.flat, g.flat, v.flat, int(nesterov), *rates, w.size)


@kernel("F F r r n")
def sgd_kernel(w, g, lr, weight_decay, size):
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        w[k] = sgd(w[k], g[k], lr, weight_decay)


@kernel("F F F n r r r n")
def momentum_kernel(w, g, v, nesterov, lr, keep, weight_decay, size):
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        w[k], v[k] = momentum_sgd(w[k], g[k], v[k], nesterov, lr, keep, weight_decay)


def rmsprop_update(values, grads, squares, lr, alpha, eps, weight_decay):
    for w, g, s in zip(values, grads, squares):
        rates = numbers(w, lr, alpha, 1 - alpha, eps, weight_decay)
        for_each(rmsprop_kernel, w.size, w.flat, g.flat, s.flat, *rates, w.size)


@kernel("F F F r r r r r n")
def rmsprop_kernel(w, g, s, lr, keep, fresh, eps, weight_decay, size):
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        w[k], s[k] = rmsprop(w[k], g[k], s[k], lr, keep, fresh, eps, weight_decay)


def adagrad_update(values, grads, squares, lr, eps, weight_decay):
    for w, g, s in zip(values, grads, squares):
        rates = numbers(w, lr, eps, weight_decay)
        for_each(adagrad_kernel, w.size, w.flat, g.flat, s.flat, *rates, w.size)


@kernel("F F F r r r n")
def adagrad_kernel(w, g, s, lr, eps, weight_decay, size):
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        w[k], s[k] = adagrad(w[k], g[k], s[k], lr, eps, weight_decay)


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
        for_each(adam_kernel, w.size, w.flat, g.flat, m.flat, s.flat, *rates, w.size)


@kernel("F F F F r r r r r r r r n")
def adam_kernel(
    w, g, m, s, rate, keep1, fresh1, keep2, fresh2, eps, weight_decay, shrink, size
):  # fmt: skip
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        w[k], m[k], s[k] = adam(
            w[k], g[k], m[k], s[k], rate, keep1, fresh1, keep2, fresh2, eps, weight_decay, shrink
        )


def penalty(values, l1, l2):
    return norms(values, l1, l2 / 2)


def squared_norm(arrays):
    return norms(arrays, 0, 1)


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


def scale(arrays, factor):
    for a in arrays:
        for_each(scale_kernel, a.size, a.flat, *numbers(a, factor), a.size)


@kernel("F r n")
def scale_kernel(a, factor, size):
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        a[k] *= factor


def numbers(w, *rates):
    """The rates in w's dtype, so that float32 stays float32."""
    return tuple(map(w.dtype.type, rates))
