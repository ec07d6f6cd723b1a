"""A dense layer is a convolution of images of one pixel: the same three products, the same tile.

    y[o, n] = b[o] + Σ_i w[o, i] · x[i, n]

A vector of I features is an image with I channels, 1 × 1 pixels, under a kernel of one tap.
"""

from ..window import Window
from .arrays import reshape
from .convolution import conv2d_forward, conv2d_input_gradient, conv2d_weight_gradient
from .device import Array

POINT = Window(kernel=(1, 1), stride=(1, 1), padding=(0, 0), image=(1, 1), output=(1, 1))


def dense_forward(x, w, b, buffers):
    y = conv2d_forward(as_image(x), as_kernel(w), b, POINT, 1, buffers)
    return reshape(y, y.shape[1:2])


def dense_input_gradient(dy, w, buffers):
    dx = conv2d_input_gradient(as_image(dy), as_kernel(w), POINT, 1, buffers)
    return reshape(dx, dx.shape[1:2])


def dense_weight_gradient(dy, x, dw, buffers):
    conv2d_weight_gradient(as_image(dy), as_image(x), POINT, 1, as_kernel(dw), buffers)


def as_image(x):
    return reshape(x, (x.shape[1], 1, 1))


def as_kernel(w):
    return Array(w.memory, w.start, (*w.shape, 1, 1), w.flat)
