"""Activations and their slopes, for all elements at once; `backends/scalar.py` has them for one."""

import math
import sys

import numpy as np

from .. import scalar


def activation_forward(x, formula, numbers, buffers):
    return of_arrays(formula)(x, *numbers, out=buffers.empty("y", x.shape, x.dtype))


def activation_backward(dy, kept, slope, numbers, buffers):
    return of_arrays(slope)(dy, kept, *numbers, out=buffers.empty("dx", dy.shape, dy.dtype))


def of_arrays(formula):
    """The function below of a formula's name, or else the formula itself, element by element."""
    if formula.__module__ == scalar.__name__:
        return getattr(sys.modules[__name__], formula.__name__)

    def slow(*arguments, out):
        out[...] = np.vectorize(formula, otypes=[out.dtype])(*arguments)
        return out

    return slow


def relu(x, out):
    return np.maximum(x, 0, out=out)


def relu_slope(dy, y, out):
    out[...] = 0
    np.copyto(out, dy, where=y > 0)
    return out


def leaky_relu(x, slope, out):
    np.multiply(x, slope, out=out)
    np.copyto(out, x, where=x > 0)
    return out


def leaky_relu_slope(dy, x, slope, out):
    np.multiply(dy, slope, out=out)
    np.copyto(out, dy, where=x > 0)
    return out


def sigmoid(x, out):
    small = np.exp(-np.abs(x))  # e^−|x| ≤ 1
    return np.divide(np.where(x >= 0, 1, small), 1 + small, out=out)


def sigmoid_slope(dy, y, out):
    np.multiply(dy, y, out=out)
    out *= 1 - y
    return out


def tanh(x, out):
    return np.tanh(x, out=out)


def tanh_slope(dy, y, out):
    return np.multiply(dy, 1 - y * y, out=out)


def silu(x, out):
    return np.multiply(x, sigmoid(x, out), out=out)


def silu_slope(dy, x, out):
    s = sigmoid(x, out)
    return np.multiply(dy, s + x * s * (1 - s), out=out)


def gelu(x, out):
    return np.multiply(x, normal_share(x), out=out)


def gelu_slope(dy, x, out):
    density = np.exp(-x * x / 2) / math.sqrt(2 * math.pi)
    return np.multiply(dy, normal_share(x) + x * density, out=out)


def normal_share(x):
    """NumPy has no erf, so Python's is called for each element."""
    erf = map(math.erf, (x * math.sqrt(0.5)).ravel().tolist())
    return 0.5 + 0.5 * np.fromiter(erf, x.dtype, x.size).reshape(x.shape)


def gelu_tanh(x, out):
    u = math.sqrt(2 / math.pi) * (x + 0.044715 * x**3)
    return np.multiply(x / 2, 1 + np.tanh(u), out=out)


def gelu_tanh_slope(dy, x, out):
    c = math.sqrt(2 / math.pi)
    t = np.tanh(c * (x + 0.044715 * x**3))
    bend = 1 - t * t
    rest = x * bend * c * (1 + 0.134145 * x * x)
    return np.multiply(dy / 2, 1 + t + np.where(bend > 0, rest, 0), out=out)


def elu(x, alpha, out):
    np.multiply(alpha, np.expm1(np.minimum(x, 0)), out=out)
    np.copyto(out, x, where=x > 0)
    return out


def elu_slope(dy, x, alpha, out):
    np.multiply(dy * alpha, np.exp(np.minimum(x, 0)), out=out)
    np.copyto(out, dy, where=x > 0)
    return out


def softplus(x, out):
    return np.add(np.maximum(x, 0), np.log1p(np.exp(-np.abs(x))), out=out)


def softplus_slope(dy, x, out):
    return np.multiply(dy, sigmoid(x, out), out=out)
