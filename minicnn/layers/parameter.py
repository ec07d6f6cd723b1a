"""What a layer learns, and what it keeps: arrays that live on its backend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import backends
from ..backends.contract import Array
from ..common.arguments import as_array, float_dtype

Shape = tuple[int, ...]


class Parameter:
    """An array that belongs to a layer, living on the layer's backend.

    value: what it holds, as NumPy. On `numpy` and `numba` this is the memory itself, so
    `p.value *= 0.9` works; from a GPU it is a read-only copy. Assigning copies in, and keeps
    shape and dtype.
    grad: ∂L/∂value as the last backward wrote it; None for what is not learned.
    learned: False for a running statistic or a counter, and for a parameter that is frozen: set
    it, and no backward computes the gradient, no optimiser moves the value.
    """

    backend: str
    data: Array

    def __init__(self, value: np.ndarray, learned: bool = True) -> None:
        self.statistic = not learned  # for good: there is no gradient of it
        self._learned = learned
        self.gradient: Array | None = None
        place([self], [value], "numpy")

    @property
    def learned(self) -> bool:
        return self._learned

    @learned.setter
    def learned(self, learned: bool) -> None:
        if not isinstance(learned, bool):
            raise TypeError(f"a parameter's learned must be True or False, got {learned!r}")
        if learned and self.statistic:
            raise ValueError("a running statistic or a counter has no gradient to be learned from")
        self._learned = learned

    @property
    def value(self) -> np.ndarray:
        return backends.get(self.backend).read(self.data)

    @value.setter
    def value(self, array: Any) -> None:
        array = as_array(array, "a parameter's value")
        if array.shape != self.shape:
            raise ValueError(f"a parameter of shape {self.shape} got an array of {array.shape}")
        if array.dtype.kind not in "biuf":
            raise TypeError(f"a parameter's value must be numbers, got {array.dtype}")
        backends.get(self.backend).write(self.data, array)

    @property
    def grad(self) -> np.ndarray | None:
        if self.gradient is None or not self.learned:
            return None
        return backends.get(self.backend).read(self.gradient)

    @property
    def shape(self) -> Shape:
        return tuple(self.data.shape)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.data.dtype)

    def to(self, backend: str) -> None:
        move([self], backend)

    def astype(self, dtype: Any) -> None:
        convert([self], dtype)


def move(parameters: Iterable[Parameter], backend: str) -> None:
    """Bring parameters to a backend."""
    moving = [p for p in parameters if p.backend != backend]
    place(moving, [p.value for p in moving], backend)


def convert(parameters: Iterable[Parameter], dtype: Any, what: str = "a parameter") -> None:
    """Turn floating-point parameters into another dtype; counters stay whole numbers.

    TypeError, which names `what`, for a dtype other than float32 and float64.
    """
    dtype = float_dtype(dtype, what)
    changing = [p for p in parameters if p.dtype.kind == "f" and p.dtype != dtype]
    for backend in {p.backend for p in changing}:
        here = [p for p in changing if p.backend == backend]
        place(here, [p.value.astype(dtype) for p in here], backend)


def place(parameters: Sequence[Parameter], values: Sequence[np.ndarray], backend: str) -> None:
    """Take new memory on a backend for the values, and for gradients (not of statistics).

    What is learned is allocated together, so that a backend can lay it out as one long array, which
    an optimiser then updates in one go.
    """
    ops = backends.get(backend)
    for statistic in (False, True):
        group = [k for k, p in enumerate(parameters) if p.statistic == statistic]
        for k, array in zip(group, ops.allocate([values[k] for k in group])):
            parameters[k].backend, parameters[k].data = backend, array
            parameters[k].gradient = None
    del values  # where they were is free before the gradients take as much again
    learned = [p for p in parameters if not p.statistic]
    gradients = ops.allocate([np.zeros(p.shape, p.dtype) for p in learned])
    for parameter, gradient in zip(learned, gradients):
        parameter.gradient = gradient
