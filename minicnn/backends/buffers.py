"""Memory that is taken once and used again on every step."""

from math import prod

import numpy as np

LINE = 64  # bytes of a cache line


def aligned(size: int, dtype: np.dtype) -> np.ndarray:
    """`size` uninitialised numbers that begin at a cache line.

    A register of 16 float32 is a whole line: were the array to begin anywhere else (NumPy's large
    ones do), every load of a register would read two of them.
    """
    memory = np.empty(size * dtype.itemsize + LINE, np.uint8)
    first = -memory.__array_interface__["data"][0] % LINE
    return memory[first : first + size * dtype.itemsize].view(dtype)


class Buffers:
    """A layer's own memory: the same name gives the same memory again, whatever it last held.

    A fresh 6 MB array costs more in page faults than the convolution that fills it, so a training
    step must allocate nothing. Each name holds one flat array as long as the longest request so
    far; a shorter one (the last batch of an epoch) gets the front of it.
    """

    def __init__(self) -> None:
        self._flat: dict[tuple[str, np.dtype], np.ndarray] = {}
        self._last: dict[str, np.ndarray] = {}

    def empty(self, name: str, shape: tuple[int, ...], dtype) -> np.ndarray:
        """An uninitialised C-contiguous array that is valid until `name` is asked for again."""
        array = self._last.get(name)
        if array is not None and array.shape == shape and array.dtype == dtype:
            return array
        key, size = (name, np.dtype(dtype)), prod(shape)
        flat = self._flat.get(key)
        if flat is None or flat.size < size:
            flat = self._flat[key] = aligned(size, key[1])
        array = self._last[name] = flat[:size].reshape(shape)
        return array

    def __reduce__(self):
        """A copied or pickled layer starts with buffers of its own."""
        return Buffers, ()
