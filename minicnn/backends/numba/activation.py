"""Activations and their slopes, element by element; the formulas are in `backends/scalar.py`.

The kernels see a batch as rows, one per channel (or feature) of a block of images: (blocks · C,
H · W · B). A thread takes whole rows. Padded lanes are computed like the others and never read.
"""

from math import prod

from numba import prange

from .. import scalar
from .exponential import decay, tanh
from .layout import empty
from .runtime import device, kernel

relu = device(scalar.relu)
relu_slope = device(scalar.relu_slope)
leaky_relu = device(scalar.leaky_relu)
leaky_relu_slope = device(scalar.leaky_relu_slope)
sigmoid = device(scalar.sigmoid)
sigmoid_slope = device(scalar.sigmoid_slope)
tanh_slope = device(scalar.tanh_slope)


def relu_forward(x, buffers):
    y = empty(buffers, "y", x.shape[1:], x)
    relu_rows(rows(x), rows(y))
    return y


@kernel
def relu_rows(x, y):
    """y = max(x, 0)."""
    for row in prange(len(x)):
        for k in range(x.shape[1]):
            y[row, k] = relu(x[row, k])


def relu_backward(dy, y, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    relu_slope_rows(rows(dy), rows(y), rows(dx))
    return dx


@kernel
def relu_slope_rows(dy, y, dx):
    """dx = dy where y > 0, else 0."""
    for row in prange(len(dy)):
        for k in range(dy.shape[1]):
            dx[row, k] = relu_slope(dy[row, k], y[row, k])


def leaky_relu_forward(x, slope, buffers):
    y = empty(buffers, "y", x.shape[1:], x)
    leaky_relu_rows(rows(x), x.dtype.type(slope), rows(y))
    return y


@kernel
def leaky_relu_rows(x, slope, y):
    """y = x where x > 0, else slope · x."""
    for row in prange(len(x)):
        for k in range(x.shape[1]):
            y[row, k] = leaky_relu(x[row, k], slope)


def leaky_relu_backward(dy, x, slope, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    leaky_relu_slope_rows(rows(dy), rows(x), dy.dtype.type(slope), rows(dx))
    return dx


@kernel
def leaky_relu_slope_rows(dy, x, slope, dx):
    """dx = dy where x > 0, else slope · dy."""
    for row in prange(len(dy)):
        for k in range(dy.shape[1]):
            dx[row, k] = leaky_relu_slope(dy[row, k], x[row, k], slope)


def sigmoid_forward(x, buffers):
    y = empty(buffers, "y", x.shape[1:], x)
    sigmoid_rows(rows(x), rows(y))
    return y


@kernel
def sigmoid_rows(x, y):
    """y = 1 / (1 + e^−x)."""
    for row in prange(len(x)):
        for k in range(x.shape[1]):
            y[row, k] = sigmoid(x[row, k], decay(x[row, k]))


def sigmoid_backward(dy, y, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    sigmoid_slope_rows(rows(dy), rows(y), rows(dx))
    return dx


@kernel
def sigmoid_slope_rows(dy, y, dx):
    """dx = dy · y · (1 − y)."""
    for row in prange(len(dy)):
        for k in range(dy.shape[1]):
            dx[row, k] = sigmoid_slope(dy[row, k], y[row, k])


def tanh_forward(x, buffers):
    y = empty(buffers, "y", x.shape[1:], x)
    tanh_rows(rows(x), rows(y))
    return y


@kernel
def tanh_rows(x, y):
    """y = tanh x."""
    for row in prange(len(x)):
        for k in range(x.shape[1]):
            y[row, k] = tanh(x[row, k])


def tanh_backward(dy, y, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    tanh_slope_rows(rows(dy), rows(y), rows(dx))
    return dx


@kernel
def tanh_slope_rows(dy, y, dx):
    """dx = dy · (1 − y²)."""
    for row in prange(len(dy)):
        for k in range(dy.shape[1]):
            dx[row, k] = tanh_slope(dy[row, k], y[row, k])


def rows(x):
    """A batch as (blocks · C, H · W · B), or (blocks · F, B), without a copy."""
    blocks, channels, *positions = x.data.shape
    return x.data.reshape(blocks * channels, prod(positions))
