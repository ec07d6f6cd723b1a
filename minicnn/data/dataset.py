"""A data set of labelled images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np


@dataclass(frozen=True)
class Dataset:
    """Images and what they show.

    images: uint8 (N, C, H, W), kept as bytes. labels: int64 (N,), an index into `classes`.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        if self.images.dtype != np.uint8 or self.images.ndim != 4:
            raise ValueError(
                f"Dataset: images must be uint8 (N, C, H, W), got {self.images.dtype} "
                f"{self.images.shape}"
            )
        if self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"Dataset: {len(self.images)} images but labels of shape {self.labels.shape}"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, indices: Any) -> Dataset:
        """The samples at `indices`: a slice, an integer array or a boolean mask."""
        return Dataset(self.images[indices], self.labels[indices], self.classes)
