"""Optimiser updates and penalties: every formula once, applied to each parameter in turn."""

from math import sqrt

import numpy as np


def sgd_update(values, grads, velocities, lr, momentum, nesterov, weight_decay):
    for k, (w, g) in enumerate(zip(values, grads)):
        if weight_decay:
            g = g + weight_decay * w
        if momentum:
            v = velocities[k]
            v *= momentum
            v += g
            g = g + momentum * v if nesterov else v
        w -= lr * g


def rmsprop_update(values, grads, squares, lr, alpha, eps, weight_decay):
    for w, g, s in zip(values, grads, squares):
        if weight_decay:
            g = g + weight_decay * w
        s *= alpha
        s += (1 - alpha) * g * g
        w -= lr * g / (np.sqrt(s) + eps)


def adagrad_update(values, grads, squares, lr, eps, weight_decay):
    for w, g, s in zip(values, grads, squares):
        if weight_decay:
            g = g + weight_decay * w
        s += g * g
        w -= lr * g / (np.sqrt(s) + eps)


def adam_update(
    values, grads, means, squares, step, lr, beta1, beta2, eps, weight_decay, decoupled
):
    rate = lr / (1 - beta1**step)  # both moments start at 0: these undo their bias towards it
    correction = sqrt(1 - beta2**step)
    for w, g, m, s in zip(values, grads, means, squares):
        if decoupled:
            w *= 1 - lr * weight_decay
        elif weight_decay:
            g = g + weight_decay * w
        m += (1 - beta1) * (g - m)
        s *= beta2
        s += (1 - beta2) * g * g
        w -= rate * m / (np.sqrt(s) / correction + eps)


def penalty(values, l1, l2):
    return sum(l1 * np.abs(w).sum() + l2 / 2 * np.square(w).sum() for w in values)


def add_penalty_gradient(values, grads, l1, l2):
    for w, g in zip(values, grads):
        g += l1 * np.sign(w) + l2 * w


def clip(arrays, max_norm):
    norm = sqrt(sum(float(np.square(a).sum()) for a in arrays))
    factor = max_norm / (norm + 1e-6)
    if factor < 1:
        for a in arrays:
            a *= factor
    return norm
