"""What a layer learns, and what it keeps: arrays that live on its backend."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from .. import backends
from ..arguments import as_array
from ..backends.contract import Array

Shape = tuple[int, ...]


class Parameter:
    """An array that belongs to a layer, living on the layer's backend.

    value: what it holds, as NumPy. On `numpy` and `numba` this is the memory itself, so
    `p.value *= 0.9` works; from a GPU it is a read-only copy. Assigning copies in, and keeps
    shape and dtype.
    grad: ∂L/∂value as the last backward wrote it; None for what is not learned (a running
    statistic, a counter).
    """

    backend: str
    data: Array

    def __init__(self, value: np.ndarray, learned: bool = True) -> None:
        self.learned = learned
        self.gradient: Array | None = None
        place([self], [value], "numpy")

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
        return None if self.gradient is None else backends.get(self.backend).read(self.gradient)

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


def convert(parameters: Iterable[Parameter], dtype: Any) -> None:
    """Turn floating-point parameters into another dtype; counters stay whole numbers."""
    changing = [p for p in parameters if p.dtype.kind == "f" and p.dtype != dtype]
    for backend in {p.backend for p in changing}:
        here = [p for p in changing if p.backend == backend]
        place(here, [p.value.astype(dtype) for p in here], backend)


def place(parameters: Sequence[Parameter], values: Sequence[np.ndarray], backend: str) -> None:
    """Take new memory on a backend for the values, and for the gradients of what is learned.

    What is learned is allocated together, so that a backend can lay it out as one long array, which
    an optimiser then updates in one go.
    """
    ops = backends.get(backend)
    for learned in (True, False):
        group = [(p, value) for p, value in zip(parameters, values) if p.learned == learned]
        arrays = ops.allocate([value for _, value in group])
        for (parameter, _), array in zip(group, arrays):
            parameter.backend, parameter.data = backend, array
        if learned:
            gradients = ops.allocate([np.zeros_like(value) for _, value in group])
            for (parameter, _), gradient in zip(group, gradients):
                parameter.gradient = gradient
