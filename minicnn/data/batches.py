"""Batches: which samples make up each step of an epoch."""

from __future__ import annotations

import mmap
from collections.abc import Iterator
from typing import Any

import numpy as np

from ..common.arguments import as_array
from ..common.errors import warn


def shuffled(count: int, seed: int, epoch: int) -> np.ndarray:
    """The order of the samples in an epoch: a function of (seed, epoch), so it needs no state."""
    return np.random.default_rng((seed, epoch)).permutation(count)


def in_batches(order: np.ndarray, batch_size: int) -> Iterator[np.ndarray]:
    """The order, cut into batches; the last one may be shorter."""
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def as_samples(array: Any, what: str) -> np.ndarray:
    """A data set (N, …) as C-contiguous native uint8, float32 or float64; TypeError otherwise.

    An array that is so already is not copied. Warns of a memory-mapped one that is not.
    """
    array = as_array(array, what)
    if array.ndim < 2:
        raise ValueError(f"{what}: wanted samples of shape (N, …), got {array.shape}")
    native = array.dtype.newbyteorder("=")
    if native not in (np.uint8, np.float32, np.float64):
        raise TypeError(f"{what}: wanted uint8 pixels, float32 or float64, got {array.dtype}")
    if memory_mapped(array) and not (array.flags.c_contiguous and array.dtype.isnative):
        warn(
            f"{what}: the memory-mapped array is read into memory as a whole, for it is not "
            "C-contiguous in native byte order (as np.save writes it, and slices [a:b] of it are)"
        )
    return np.ascontiguousarray(array, dtype=native)


def memory_mapped(array: np.ndarray) -> bool:
    """Whether the numbers lie in a file, as those of np.load(…, mmap_mode="r") and np.memmap do."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return isinstance(owner, mmap.mmap)
