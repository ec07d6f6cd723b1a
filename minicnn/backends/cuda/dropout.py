"""Inverted dropout. A thread draws four elements of one image, all words of one Philox call: about
a hundred integer operations for four numbers, and no state that threads would share."""

from math import prod

import numpy as np

from .. import scalar
from ..philox import keep_threshold
from .arrays import empty
from .branches import multiply
from .device import cuda, device, for_each, kernel, launch

philox4x32 = device(scalar.philox4x32)


def dropout_forward(x, p, seed, step, buffers):
    y, mask = (empty(buffers, name, x.shape[1:], x) for name in ("y", "mask"))
    elements, kept = prod(x.shape[1:]), x.dtype.type(1 / (1 - p))
    for_each(
        draw, -(-elements // 4) * len(x), x.flat, keep_threshold(p), kept, *seed, step.flat,
        elements, len(x), mask.flat, y.flat,
    )  # fmt: skip
    launch(advance, 1, step.flat, threads=1)
    return y, mask


@kernel("F n r n n I n n F F")
def draw(x, threshold, kept, seed_0, seed_1, step, elements, batch, mask, y):
    """y = x · mask, and mask = kept where the element's word ≥ threshold, else 0."""
    key_0, key_1, moment = np.uint64(seed_0), np.uint64(seed_1), np.uint64(step[0])
    limit, zero = np.uint64(threshold), np.uint64(0)
    for job in range(cuda.grid(1), (elements + 3) // 4 * batch, cuda.gridsize(1)):
        quad, n = job // batch, job % batch
        words = philox4x32(np.uint64(quad), np.uint64(n), moment, zero, key_0, key_1)
        for e in range(4):
            k = 4 * quad + e
            if k < elements:
                o = k * batch + n
                mask[o] = kept if words[e] >= limit else x.dtype.type(0)
                y[o] = x[o] * mask[o]


@kernel("I")
def advance(step):
    """step + 1, when all have drawn: a kernel begins when the one before it has ended."""
    step[0] += 1


def dropout_backward(dy, mask, buffers):
    return multiply(dy, mask, "dx", buffers)
