"""Activations and their slopes, an element a thread; the formulas are in `backends/scalar.py`.

Which element is which image's does not matter here, so the kernels see flat arrays. A thread takes
every gridsize-th element: neighbouring threads read neighbouring numbers. Intensity: about one
operation for two or three numbers moved, so these are as fast as memory is.
"""

from math import exp, tanh

from .. import scalar
from .arrays import empty
from .device import cuda, device, for_each, kernel

relu = device(scalar.relu)
relu_slope = device(scalar.relu_slope)
leaky_relu = device(scalar.leaky_relu)
leaky_relu_slope = device(scalar.leaky_relu_slope)
sigmoid = device(scalar.sigmoid)
sigmoid_slope = device(scalar.sigmoid_slope)
tanh_slope = device(scalar.tanh_slope)


def relu_forward(x, buffers):
    y = empty(buffers, "y", x.shape[1:], x)
    for_each(relu_elements, x.size, x.flat, x.size, y.flat)
    return y


@kernel("F n F")
def relu_elements(x, size, y):
    """y = max(x, 0)."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        y[k] = relu(x[k])


def relu_backward(dy, y, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    for_each(relu_slope_elements, dy.size, dy.flat, y.flat, dy.size, dx.flat)
    return dx


@kernel("F F n F")
def relu_slope_elements(dy, y, size, dx):
    """dx = dy where y > 0, else 0."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        dx[k] = relu_slope(dy[k], y[k])


def leaky_relu_forward(x, slope, buffers):
    y = empty(buffers, "y", x.shape[1:], x)
    for_each(leaky_relu_elements, x.size, x.flat, x.dtype.type(slope), x.size, y.flat)
    return y


@kernel("F r n F")
def leaky_relu_elements(x, slope, size, y):
    """y = x where x > 0, else slope · x."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        y[k] = leaky_relu(x[k], slope)


def leaky_relu_backward(dy, x, slope, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    slope = dy.dtype.type(slope)
    for_each(leaky_relu_slope_elements, dy.size, dy.flat, x.flat, slope, dy.size, dx.flat)
    return dx


@kernel("F F r n F")
def leaky_relu_slope_elements(dy, x, slope, size, dx):
    """dx = dy where x > 0, else slope · dy."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        dx[k] = leaky_relu_slope(dy[k], x[k], slope)


def sigmoid_forward(x, buffers):
    y = empty(buffers, "y", x.shape[1:], x)
    for_each(sigmoid_elements, x.size, x.flat, x.size, y.flat)
    return y


@kernel("F n F")
def sigmoid_elements(x, size, y):
    """y = 1 / (1 + e^−x)."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        y[k] = sigmoid(x[k], exp(-abs(x[k])))


def sigmoid_backward(dy, y, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    for_each(sigmoid_slope_elements, dy.size, dy.flat, y.flat, dy.size, dx.flat)
    return dx


@kernel("F F n F")
def sigmoid_slope_elements(dy, y, size, dx):
    """dx = dy · y · (1 − y)."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        dx[k] = sigmoid_slope(dy[k], y[k])


def tanh_forward(x, buffers):
    y = empty(buffers, "y", x.shape[1:], x)
    for_each(tanh_elements, x.size, x.flat, x.size, y.flat)
    return y


@kernel("F n F")
def tanh_elements(x, size, y):
    """y = tanh x."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        y[k] = tanh(x[k])


def tanh_backward(dy, y, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    for_each(tanh_slope_elements, dy.size, dy.flat, y.flat, dy.size, dx.flat)
    return dx


@kernel("F F n F")
def tanh_slope_elements(dy, y, size, dx):
    """dx = dy · (1 − y²)."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        dx[k] = tanh_slope(dy[k], y[k])
