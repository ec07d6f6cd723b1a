"""Data sets on a backend, and the batches that are picked from them."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from .names import Batch, Data, Indices


class Operations(Protocol):
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
