"""Moving data: an Array is a NumPy array, a Batch is `Lanes` (see layout.py)."""

import numpy as np

from ..numpy.arrays import allocate, read, to_float, upload, write
from .layout import Lanes, block_shape, pack, unpack

__all__ = [
    "allocate",
    "from_numpy",
    "gather",
    "read",
    "reshape",
    "to_float",
    "to_numpy",
    "upload",
    "write",
]


def from_numpy(array):
    data = np.empty(block_shape(len(array), array.shape[1:]), array.dtype)
    x = Lanes(data, len(array), cleared=True)
    pack(array, np.arange(len(array)), 1, x.data)
    return x


def to_numpy(batch):
    return unpack(batch)


def gather(data, indices, dtype, buffers):
    shape = block_shape(len(indices), data.shape[1:])
    y = Lanes(buffers.empty("gather", shape, dtype), len(indices), cleared=True)
    pack(data, indices, 1 / 255 if data.dtype == np.uint8 else 1, y.data)
    return y


def reshape(x, shape):
    blocks, lanes = x.data.shape[0], x.data.shape[-1]
    return Lanes(x.data.reshape(blocks, *shape, lanes), x.count, x.cleared)
