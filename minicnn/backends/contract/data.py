"""Moving data, and the steps of an epoch; notation and rules are in `__init__.py`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from .names import Array, Batch, Data, Indices, Number, Scalar


class DataOperations(Protocol):
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

    def upload(self, array: np.ndarray) -> Data:
        """A data set (count, …), ready for `gather` (uint8, float) or `pick` (int64).

        It must not change after.
        """

    def gather(self, data: Data, indices: Indices, dtype: Any, buffers: Any) -> Batch:
        """Pick samples: y[n] = data[indices[n]], with uint8 pixels 0..255 scaled to 0..1.

        Gather, scale and conversion to `dtype` are one pass over the pixels.
        """

    def pick(self, rows: Data, indices: Indices, buffers: Any) -> Indices:
        """Pick whole numbers: rows[indices[n]] for every sample. rows: uploaded int64 (count,)."""

    def reshape(self, x: Batch, shape: tuple[int, ...]) -> Batch:
        """The same numbers, each sample with another shape: (N, …) → (N, *shape), row-major."""

    def Steps(self, dtype: Any) -> EpochSteps:
        """What takes the training steps of a network of that dtype."""


class EpochSteps(Protocol):
    """Takes the training steps of an epoch, without waiting for their results.

    A step is compute(indices), which leaves gradients and returns the loss and, where there are
    classes, the number of right answers; then update(lr, step). A backend may call these two, or
    replay what they did in an earlier step: so what they do may depend on their arguments alone,
    and only go through operations of this contract. After a loss that is not finite no step of the
    epoch updates anything.
    """

    def start(self, batches: Sequence[np.ndarray], rates: Sequence[float], taken: int) -> None:
        """Begin an epoch: each step's samples and learning rate; steps taken before it."""

    def take(
        self,
        compute: Callable[[Indices], tuple[Scalar, Scalar | None]],
        update: Callable[[Number, Number], None],
    ) -> None:
        """Take the next step."""

    def read(self) -> tuple[list[float], list[int]]:
        """Losses and right answers of the epoch's steps so far (on a device this waits)."""
