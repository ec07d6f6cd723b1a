"""Moving data: a Batch lies with its images side by side, so that neighbouring threads, which take
neighbouring images, read neighbouring numbers ("coalesced": one transfer serves all of a warp).

    x[n, c, i, j]   is   flat[((c · H + i) · W + j) · N + n]
"""

from math import prod

import numpy as np

from .device import (
    Array,
    brought_back,
    check_size,
    cuda,
    device,
    on_the_host,
    quotient,
    remainder,
    uploaded,
)
from .device import Buffers as Buffers

ALIGNED = 64  # numbers; where an array begins, so that a warp's reads begin at a cache line


class Batch:
    """A batch (N, …): `flat` holds it with the images fastest, and may be longer than it."""

    __slots__ = ("dtype", "flat", "shape", "size")

    def __init__(self, flat, shape: tuple[int, ...]) -> None:
        self.flat, self.shape = flat, shape
        self.dtype, self.size = np.dtype(flat.dtype), prod(shape)

    def __len__(self) -> int:
        return self.shape[0]

    def __reduce__(self):
        return brought_back, (from_numpy, to_numpy(self))


def empty(buffers, name, sample_shape, like, dtype=None) -> Batch:
    """A batch in a layer's buffers, uninitialised, with as many images as `like`."""
    shape = (len(like), *sample_shape)
    return Batch(buffers.empty(name, prod(shape), dtype or like.dtype), shape)


@device
def taken_apart(o, batch, height, width):
    """Channel, row, column and image of a batch's number o."""
    place, n = quotient(o, batch), remainder(o, batch)
    row = quotient(place, width)
    return quotient(row, height), remainder(row, height), remainder(place, width), n


def from_numpy(array):
    on_the_host("a batch comes from the host")
    check_size(array.size, "a batch")
    side_by_side = np.ascontiguousarray(array.reshape(len(array), -1).T)
    return Batch(cuda.to_device(side_by_side.reshape(-1)), array.shape)


def to_numpy(batch):
    on_the_host("a batch is read")
    flat = batch.flat.copy_to_host()[: batch.size]
    return np.ascontiguousarray(flat.reshape(-1, len(batch)).T).reshape(batch.shape)


def allocate(arrays):
    """Those of one dtype in one piece of memory, each from a multiple of ALIGNED on."""
    placed = {}
    for dtype in dict.fromkeys(array.dtype for array in arrays):
        alike = [(k, array) for k, array in enumerate(arrays) if array.dtype == dtype]
        starts = np.cumsum([0, *(whole_lines(array.size) for _, array in alike)]).tolist()
        host = np.zeros(max(1, starts[-1]), dtype)
        for start, (_, array) in zip(starts, alike):
            host[start : start + array.size] = array.reshape(-1)
        memory = uploaded(host)
        for start, (k, array) in zip(starts, alike):
            placed[k] = Array(memory, start, array.shape)
    return [placed[k] for k in range(len(arrays))]


def join(lists):
    runs = []
    for k in range(len(lists[0])):
        if k and all(follows(arrays[k], arrays[k - 1]) for arrays in lists):
            runs[-1][1] = k
        else:
            runs.append([k, k])
    return [[span(arrays[first], arrays[last]) for first, last in runs] for arrays in lists]


def follows(b, a):
    return b.memory is a.memory and b.start == a.start + whole_lines(a.size)


def span(a, b):
    """The memory from a to b as one flat array, with the zeros between them."""
    return a if a is b else Array(a.memory, a.start, (b.start + b.size - a.start,))


def whole_lines(size):
    return -(-size // ALIGNED) * ALIGNED


def read(array):
    on_the_host("a parameter is read")
    values = array.flat.copy_to_host().reshape(array.shape)
    values.flags.writeable = False
    return values


def write(array, values):
    on_the_host("a parameter is written")
    values = np.broadcast_to(np.asarray(values, array.dtype), array.shape)
    array.flat.copy_to_device(np.ascontiguousarray(values).reshape(-1))


def to_float(scalar):
    on_the_host("a number is read")
    return float(scalar.copy_to_host()[0])


def synchronize():
    cuda.synchronize()


def reshape(x, shape):
    return Batch(x.flat, (len(x), *shape))
