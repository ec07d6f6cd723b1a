"""A labelled set of images in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False)
class Dataset:
    """Images with their labels; the pixels stay uint8, a quarter of what float32 would take.

    - images: uint8 (N, C, H, W)
    - labels: int64 (N,), each the position of its class in `classes`
    - classes: the names of the classes

    TypeError for another dtype, ValueError for shapes that do not fit or a label that has no class.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        _require_dtype("images", self.images, np.uint8)
        _require_dtype("labels", self.labels, np.int64)
        if not isinstance(self.classes, tuple):
            raise TypeError(f"Dataset: classes must be a tuple of names, got {self.classes!r}")
        if self.images.ndim != 4:
            raise ValueError(f"Dataset: images must be (N, C, H, W), got {self.images.shape}")
        if self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"Dataset: labels must be {self.images.shape[:1]}, one for each image, "
                f"got {self.labels.shape}"
            )
        if len(self) and not 0 <= self.labels.min() <= self.labels.max() < len(self.classes):
            raise ValueError(
                f"Dataset: labels must lie in 0..{len(self.classes) - 1}, "
                f"got {self.labels.min()}..{self.labels.max()}"
            )

    def __len__(self) -> int:
        return len(self.images)

    def __getitem__(self, index: slice | np.ndarray | Sequence[int] | Sequence[bool]) -> Dataset:
        """The samples that a slice, a list or array of positions, or a boolean mask (N,) picks.

        TypeError for a single position (images[i] and labels[i] give one sample), IndexError for a
        position outside the set or a mask of another length.
        """
        if isinstance(index, slice):
            return Dataset(self.images[index], self.labels[index], self.classes)
        positions = np.asarray(index)
        if positions.ndim != 1:
            raise TypeError(
                f"Dataset: wanted a slice, a 1-D array of positions or a mask, got {index!r}; "
                "one sample is images[i], labels[i]"
            )
        if not positions.size:
            positions = positions.astype(np.intp)  # an empty list comes as float64
        return Dataset(self.images[positions], self.labels[positions], self.classes)


def _require_dtype(what: str, array: np.ndarray, dtype: type) -> None:
    if not isinstance(array, np.ndarray) or array.dtype != dtype:
        got = getattr(array, "dtype", type(array).__name__)
        raise TypeError(f"Dataset: {what} must be an array of {np.dtype(dtype)}, got {got}")
