"""Bugs to plant into the numpy backend's operations: tests/test_gradcheck.py shows that gradcheck
catches each, and the grader names them.

A bug gets `right`, the operation as it should be, and its arguments. Its docstring ends the
sentence "This is what you get when …".
"""

from collections.abc import Callable
from math import prod

import numpy as np

OPERATION: dict[Callable, str] = {}  # the one that each bug breaks


def breaks(operation: str):
    def note(bug: Callable) -> Callable:
        OPERATION[bug] = operation
        return bug

    return note


@breaks("conv2d_input_gradient")
def swapped_stride(right, dy, w, window, groups, buffers):
    """the strides down and across change places"""
    return right(dy, w, window._replace(stride=window.stride[::-1]), groups, buffers)


@breaks("conv2d_input_gradient")
def turned_kernel(right, dy, w, window, groups, buffers):
    """the kernel is turned by 180°"""
    return right(dy, w[:, :, ::-1, ::-1], window, groups, buffers)


@breaks("conv2d_weight_gradient")
def swapped_padding(right, dy, x, window, groups, dw, buffers):
    """the paddings above and to the left change places"""
    top, left = window.padding
    right(dy, x, window._replace(padding=(left + 1, top)), groups, dw, buffers)


@breaks("conv2d_weight_gradient")
def lost_image(right, dy, x, window, groups, dw, buffers):
    """the first image of the batch is left out"""
    right(dy[1:], x[1:], window, groups, dw, buffers)


@breaks("bias_gradient")
def forgotten_bias_sum(right, dy, db, buffers):
    """the sum for the bias leaves rows out"""
    right(dy[:, :, :1], db, buffers)


@breaks("bias_gradient")
def accumulated_bias(right, dy, db, buffers):
    """a gradient is added to the one of the step before"""
    db += dy.sum((0, 2, 3))


@breaks("max_pool_backward")
def wrong_pooling_index(right, dy, winner, window, buffers):
    """the gradient goes to the pixel after the largest"""
    return right(dy, (winner + 1) % prod(window.kernel), window, buffers)


@breaks("max_pool_backward")
def assigned_instead_of_added(right, dy, winner, window, buffers):
    """a pixel that wins several windows keeps the gradient of the last alone"""
    dx = np.zeros((*dy.shape[:2], *window.image))
    (top, left), (sh, sw) = window.padding, window.stride
    for n, c, i, j in np.ndindex(dy.shape):
        u, v = divmod(winner[n, c, i, j], window.kernel[1])
        dx[n, c, i * sh + u - top, j * sw + v - left] = dy[n, c, i, j]
    return dx


@breaks("avg_pool_backward")
def divisor_that_counts_padding(right, dy, window, divisor, buffers):
    """padding counts as pixels"""
    return right(dy, window, np.full_like(divisor, prod(window.kernel)), buffers)


@breaks("activation_backward")
def relu_without_its_mask(right, dy, *arguments):
    """the gradient goes through as if every unit were on"""
    return dy.copy()


@breaks("activation_backward")
def slope_of_y_only(right, dy, y, *arguments):
    """the slope y · (1 − y) is taken for y"""
    return dy * y


@breaks("dense_weight_gradient")
def transposed_dense_gradient(right, dy, x, dw, buffers):
    """inputs and outputs change places in dw"""
    right(dy, x, dw, buffers)
    dw[...] = dw.T.copy()


@breaks("batch_norm_backward")
def gamma_forgotten(right, dy, x_hat, inv_std, gamma, *rest):
    """gamma is left out of dx"""
    return right(dy, x_hat, inv_std, np.ones_like(gamma), *rest)


@breaks("reshape")
def height_for_width(right, x, shape):
    """height and width change places"""
    if len(shape) == 3:  # the way back
        return right(x, (shape[0], shape[2], shape[1])).swapaxes(2, 3)
    return right(x, shape)
