"""Memory, and moving arrays to a backend and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from .names import Array, Batch, Scalar


class Operations(Protocol):
    def Buffers(self) -> Any:
        """Memory of one layer, used again on every step (see `backends/buffers.py`)."""

    def from_numpy(self, array: np.ndarray) -> Batch:
        """A copy of a C-contiguous float array (N, …) as a Batch of the same dtype."""

    def to_numpy(self, batch: Batch) -> np.ndarray:
        """A copy of a Batch as a NumPy array (N, …)."""

    def allocate(self, arrays: Sequence[np.ndarray]) -> list[Array]:
        """Copies of NumPy arrays as Arrays. Those of one call may share one piece of memory."""

    def join(self, lists: Sequence[Sequence[Array]]) -> list[list[Array]]:
        """The same Arrays for an update, in all lists alike, with neighbours in memory as one."""

    def read(self, array: Array) -> np.ndarray:
        """An Array as NumPy: its own memory on the host, a read-only copy from a device."""

    def write(self, array: Array, values: np.ndarray) -> None:
        """Set an Array's elements; the dtype stays the Array's."""

    def to_float(self, scalar: Scalar) -> float:
        """Read a Scalar (on a device this waits for it)."""

    def synchronize(self) -> None:
        """Wait until all that was asked for is computed; a clock is read after this."""

    def reshape(self, x: Batch, shape: tuple[int, ...]) -> Batch:
        """The same numbers, each sample with another shape: (N, …) → (N, *shape), row-major."""
