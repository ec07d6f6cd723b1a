"""A labelled set of images, in memory or in a memory-mapped file."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from numbers import Integral
from typing import Any, overload

import numpy as np

from ..common.arguments import as_array, number, whole_number

PIXELS = (np.uint8, np.float32, np.float64)
SHOWN = 10  # of many classes, as many are named

Several = slice | np.ndarray | Sequence[int] | Sequence[bool]


@dataclass(frozen=True, eq=False, repr=False)
class Dataset:
    """Images with their labels, and the names of the classes.

    - images: (N, C, H, W), uint8 pixels (a quarter of what float32 takes), float32 or float64; may
      be memory-mapped, np.load("photos.npy", mmap_mode="r"), where they are larger than the memory
    - labels: whole numbers (N,), each the position of its class in `classes`; kept as int64
    - classes: a tuple or list of names; kept as a tuple

    len, an index and a loop are about samples: `image, label = dataset[0]`, `for image, label in
    dataset`, and `dataset[:100]` is the Dataset of the first hundred.

    TypeError for another dtype, ValueError for shapes that do not fit or a label that has no class.
    """

    images: np.ndarray
    labels: np.ndarray
    classes: tuple[str, ...]

    def __post_init__(self) -> None:
        as_array(self.images, "Dataset: images")
        dtype: Any = getattr(self.images, "dtype", type(self.images).__name__)
        if not isinstance(self.images, np.ndarray) or dtype.newbyteorder("=") not in PIXELS:
            raise TypeError(
                f"Dataset: images must be an array of uint8, float32 or float64, got {dtype}"
            )
        if not isinstance(self.classes, (tuple, list)):
            raise TypeError(f"Dataset: classes must be a tuple of names, got {self.classes!r}")
        labels = as_array(self.labels, "Dataset: labels")
        if labels.dtype.kind not in "iu":
            raise TypeError(f"Dataset: labels must be integers, got {labels.dtype}")
        if self.images.ndim != 4:
            hint = "; images[:, None] adds the axis of channels" if self.images.ndim == 3 else ""
            raise ValueError(f"Dataset: images must be (N, C, H, W), got {self.images.shape}{hint}")
        if labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"Dataset: labels must be {self.images.shape[:1]}, one for each image, "
                f"got {labels.shape}"
            )
        if len(self) and not 0 <= labels.min() <= labels.max() < len(self.classes):
            raise ValueError(
                f"Dataset: labels must lie in 0..{len(self.classes) - 1}, "
                f"got {labels.min()}..{labels.max()}"
            )
        object.__setattr__(self, "labels", labels.astype(np.int64, copy=False))
        object.__setattr__(self, "classes", tuple(self.classes))

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.images.shape[1:]))
        names = " ".join(map(str, self.classes[:SHOWN])) + (" ..." if self.classes[SHOWN:] else "")
        return (
            f"Dataset of {len(self):,} images {shape} of {self.images.dtype}, "
            f"{len(self.classes)} classes {names}"
        )

    def __len__(self) -> int:
        return len(self.images)

    def __iter__(self) -> Iterator[tuple[np.ndarray, int]]:
        return zip(self.images, self.labels.tolist())

    @overload
    def __getitem__(self, index: int) -> tuple[np.ndarray, int]: ...
    @overload
    def __getitem__(self, index: Several) -> Dataset: ...

    def __getitem__(self, index: int | Several) -> tuple[np.ndarray, int] | Dataset:
        """The (image, label) at one position, or the Dataset of several samples: those that a
        slice, a list or array of positions, or a boolean mask (N,) picks.

        IndexError for a position outside the set or a mask of another length.
        """
        if isinstance(index, (int, np.integer)) and not isinstance(index, bool):
            return self.images[index], int(self.labels[index])
        if isinstance(index, slice):
            return Dataset(self.images[index], self.labels[index], self.classes)
        positions = as_array(index, "Dataset: the index")
        if positions.ndim != 1:
            raise TypeError(
                f"Dataset: wanted a position, a slice, a 1-D array of positions or a mask, "
                f"got {index!r}"
            )
        if not positions.size and positions.dtype.kind == "f":  # as an empty list comes
            positions = positions.astype(np.intp)
        return Dataset(self.images[positions], self.labels[positions], self.classes)


def split(dataset: Dataset, first: float | int, seed: int = 0) -> tuple[Dataset, Dataset]:
    """Two parts of a set, drawn at random: `train, validation = split(cards, 0.9)`.

    first: how many samples the first part has: a share of all of them between 0 and 1, or a whole
    number. seed: which samples. The classes are not balanced: each part has of each class what
    chance gives it. Both are copies in memory; a slice of a set, `photos[:9000]`, is a view of it,
    also where its images lie in a memory-mapped file. Raises TypeError for what is no Dataset or no
    number, ValueError where a part would be empty.
    """
    if not isinstance(dataset, Dataset):
        raise TypeError(f"split: wanted a Dataset, got {type(dataset).__name__}")
    count = number(first, "first", "split")
    if not isinstance(first, Integral):
        count = round(first * len(dataset)) if 0 < first < 1 else 0
    if not 0 < count < len(dataset):
        raise ValueError(
            f"split: first is {first!r} of {len(dataset)} samples, wanted a share between 0 and 1 "
            "or a whole number, so that neither part is empty"
        )
    if seed is not None:
        whole_number(seed, "seed", "split", at_least=0)
    order = np.random.default_rng(seed).permutation(len(dataset))
    return dataset[order[: int(count)]], dataset[order[int(count) :]]
