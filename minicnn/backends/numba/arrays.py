"""Moving data: an Array is a NumPy array, a Batch is `Lanes` (see layout.py)."""

from math import prod

import numpy as np

from ..buffers import LINE, aligned
from ..buffers import Buffers as Buffers
from ..numpy.arrays import read as read
from ..numpy.arrays import synchronize as synchronize
from ..numpy.arrays import to_float as to_float
from ..numpy.arrays import write as write
from .layout import Lanes, block_shape, pack, unpack
from .runtime import take_up


def allocate(arrays):
    """All in one piece of memory, one after the other, each from a cache line on, with zeros up to
    the next one.
    """
    starts = np.cumsum([0, *(whole_lines(array) for array in arrays)])
    memory = aligned(starts[-1], np.dtype(np.uint8))
    memory[...] = 0
    copies = []
    for start, array in zip(starts, arrays):
        copy = memory[start : start + array.nbytes].view(array.dtype).reshape(array.shape)
        copy[...] = array
        copies.append(copy)
    return copies


def join(lists):
    runs = []
    for k in range(len(lists[0])):
        alike = len({arrays[k].nbytes for arrays in lists}) == 1
        if k and alike and all(follows(arrays[k], arrays[k - 1]) for arrays in lists):
            runs[-1][1] = k
        else:
            runs.append([k, k])
    return [[span(arrays[first], arrays[last]) for first, last in runs] for arrays in lists]


def follows(b, a):
    """Whether b begins at the cache line after a's last."""
    together = b.base is a.base is not None and b.dtype == a.dtype
    return together and address(b) == address(a) + whole_lines(a)


def span(a, b):
    """The memory from a to b as one flat array, with the zeros between them."""
    if a is b:
        return a
    start = address(a) - address(a.base)
    return a.base[start : address(b) + b.nbytes - address(a.base)].view(a.dtype)


def whole_lines(array):
    return -(-array.nbytes // LINE) * LINE


def address(array):
    return array.__array_interface__["data"][0]


def from_numpy(array):
    take_up()
    shape = block_shape(len(array), array.shape[1:])
    data = aligned(prod(shape), array.dtype).reshape(shape)
    x = Lanes(data, len(array), cleared=True)
    pack(array, np.arange(len(array)), 1, x.data)
    return x


def to_numpy(batch):
    return unpack(batch)


def reshape(x, shape):
    blocks, lanes = x.data.shape[0], x.data.shape[-1]
    return Lanes(x.data.reshape(blocks, *shape, lanes), x.count, x.cleared)
