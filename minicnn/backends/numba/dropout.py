"""Inverted dropout. Each lane draws its own image's words, four elements of the image at a time."""

import numpy as np
from numba import prange

from .. import scalar
from ..philox import keep_threshold
from .branches import multiply
from .layout import elements, empty
from .runtime import device, kernel

philox4x32 = device(scalar.philox4x32)


def dropout_forward(x, p, seed, step, buffers):
    mask = empty(buffers, "mask", x.shape[1:], x)
    y = empty(buffers, "y", x.shape[1:], x)
    kept = x.dtype.type(1 / (1 - p))
    draw(elements(x), keep_threshold(p), kept, *seed, step, elements(mask), elements(y))
    return y, mask


@kernel
def draw(x, threshold, kept, seed_0, seed_1, step, mask, y):
    """y = x · mask, and mask = kept where the element's word ≥ threshold, else 0; step += 1.

    x, mask, y (blocks, elements of an image, B); one iteration is four elements of a block.
    """
    elements, lanes = x.shape[1:]
    quads = (elements + 3) // 4
    key_0, key_1, moment = np.uint64(seed_0), np.uint64(seed_1), np.uint64(step[0])
    limit, zero, dropped = np.uint64(threshold), np.uint64(0), x.dtype.type(0)
    for job in prange(len(x) * quads):
        g, quad = job // quads, job % quads
        for b in range(lanes):
            image = np.uint64(g * lanes + b)
            words = philox4x32(np.uint64(quad), image, moment, zero, key_0, key_1)
            for e in range(4):
                k = 4 * quad + e
                if k < elements:
                    mask[g, k, b] = kept if words[e] >= limit else dropped
                    y[g, k, b] = x[g, k, b] * mask[g, k, b]
    step[0] += 1


def dropout_backward(dy, mask, buffers):
    return multiply(dy, mask, "dx", buffers)
