"""Data sets and batches: picking, scaling and packing into lanes are one kernel."""

import numpy as np

from ..numpy import data as numpy_data
from .layout import Lanes, block_shape, pack
from .recording import done, on_the_host
from .runtime import take_up


class Chosen:
    """The samples of a batch: `numbers` (int64), in whose place a replay has others.

    Who else looks at them makes a step that cannot be replayed: `np.asarray` says so.
    """

    def __init__(self, numbers: np.ndarray) -> None:
        self.numbers = numbers

    def __len__(self) -> int:
        return len(self.numbers)

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        on_the_host()
        return self.numbers.copy()


def upload(array):
    take_up()
    return numpy_data.upload(array)


def gather(data, indices, dtype, buffers):
    shape = block_shape(len(indices), data.shape[1:])
    y = Lanes(buffers.empty("gather", shape, dtype), len(indices), cleared=True)
    pack(data, numbers(indices), 1 / 255 if data.dtype == np.uint8 else 1, y.data)
    return y


def pick(rows, indices, buffers):
    picked = buffers.empty("picked", (len(indices),), rows.dtype)
    # "clip", for indices that are known to be good: else NumPy goes by way of a copy.
    done(rows.take, numbers(indices), 0, picked, "clip")
    return picked


def numbers(indices):
    return indices.numbers if isinstance(indices, Chosen) else indices
