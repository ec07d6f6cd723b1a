"""Inverted dropout: survivors are scaled up, so nothing needs scaling at inference."""

from math import prod

import numpy as np

from ..philox import keep_threshold, words
from .branches import multiply


def dropout_forward(x, p, seed, step, buffers):
    mask = buffers.empty("mask", x.shape, x.dtype)
    drawn = words(seed, int(step[0]), len(x), prod(x.shape[1:])).reshape(x.shape)
    np.multiply(drawn >= keep_threshold(p), x.dtype.type(1 / (1 - p)), out=mask)
    step += 1
    return multiply(x, mask, "y", buffers), mask


def dropout_backward(dy, mask, buffers):
    return multiply(dy, mask, "dx", buffers)
