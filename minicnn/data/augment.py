"""Augmentation: every epoch sees the images a little changed, each by a draw of its own.

A transform draws first, for all images at once, and changes them then. So an image is changed in
the same way wherever and whenever it is its turn: with others in a batch, alone, or on a rank.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import prod

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from ..common.arguments import instance, number, whole_number
from .dataset import PIXELS

CHUNK = 2**18  # numbers that are computed at a time: their arrays then stay small

# change(images, which): the images at the positions `which` (int64) of those that were drawn for.
Change = Callable[[np.ndarray, np.ndarray], np.ndarray]


class Transform:
    """A random change of images, for `fit(augment=…)`. Subclasses say what they `draw`."""

    def draw(self, count: int, shape: tuple[int, ...], rng: np.random.Generator) -> Change:
        """Draw for `count` images of the shape (C, H, W); the result changes those it is given."""
        raise NotImplementedError(f"{type(self).__name__} does not state what it draws")

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """The images, each changed by a draw of its own; the argument stays as it is.

        images: uint8 or float (N, C, H, W); the result has the same shape and dtype. Raises
        TypeError for another dtype, ValueError for another shape.
        """
        self.check(images)
        change = self.draw(len(images), images.shape[1:], rng)
        changed = np.empty_like(images)
        at_a_time = max(1, CHUNK // max(1, prod(images.shape[1:])))
        for start in range(0, len(images), at_a_time):
            part = np.arange(start, min(start + at_a_time, len(images)))
            changed[part] = change(images[part], part)
        return changed

    def check(self, images: np.ndarray) -> None:
        name = type(self).__name__
        if not isinstance(images, np.ndarray) or images.dtype.newbyteorder("=") not in PIXELS:
            got = getattr(images, "dtype", type(images).__name__)
            raise TypeError(f"{name}: wanted an array of uint8, float32 or float64, got {got}")
        if images.ndim != 4:
            raise ValueError(f"{name}: wanted images (N, C, H, W), got shape {images.shape}")


class Augmented:
    """Images (N, C, H, W) that are changed when they are asked for: `augmented[indices]`."""

    def __init__(self, images: np.ndarray, transform: Transform, rng: np.random.Generator) -> None:
        transform.check(images)
        self.images, self.change = images, transform.draw(len(images), images.shape[1:], rng)

    def __getitem__(self, indices: np.ndarray) -> np.ndarray:
        return self.change(self.images[indices], indices)


@dataclass(frozen=True)
class Compose(Transform):
    """One transform after the other: `fit(augment=Compose([RandomFlip(), RandomCrop(4)]))`.

    transforms: a list or tuple of them; kept as a tuple. Raises TypeError for anything else.
    """

    transforms: Sequence[Transform]

    def __post_init__(self) -> None:
        if not isinstance(self.transforms, (list, tuple)):
            raise TypeError(f"Compose: wanted a list of transforms, got {self.transforms!r}")
        for position, transform in enumerate(self.transforms):
            name = f"transform {position}"
            instance(transform, Transform, name, "Compose", "one such as RandomFlip()")
        object.__setattr__(self, "transforms", tuple(self.transforms))

    def draw(self, count, shape, rng):
        changes = [transform.draw(count, shape, rng) for transform in self.transforms]

        def change(images, which):
            for one in changes:
                images = one(images, which)
            return images

        return change


@dataclass(frozen=True)
class RandomFlip(Transform):
    """Mirrors images: left and right change places with probability `horizontal`, top and bottom
    with probability `vertical`.

    For things that are what they are from either side: a cat is, a digit is not. Raises TypeError
    for what is no number, ValueError for one that is no probability.
    """

    horizontal: float = 0.5
    vertical: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if not 0 <= number(value, name, "RandomFlip") <= 1:
                raise ValueError(f"RandomFlip: {name} is {value!r}, wanted 0 to 1")

    def draw(self, count, shape, rng):
        across, down = rng.random((2, count)) < [[self.horizontal], [self.vertical]]

        def change(images, which):
            flipped = images.copy()
            flipped[across[which]] = flipped[across[which], :, :, ::-1]
            flipped[down[which]] = flipped[down[which], :, ::-1]
            return flipped

        return change


@dataclass(frozen=True)
class RandomCrop(Transform):
    """Cuts an image of the same size, at a random place, out of the image with `padding` rows and
    columns of zeros on every side: a shift by whole pixels, up to ±padding along each axis.

    Raises TypeError for what is no whole number, ValueError for one below 1.
    """

    padding: int = 4

    def __post_init__(self) -> None:
        whole_number(self.padding, "padding", "RandomCrop")

    def draw(self, count, shape, rng):
        top, left = rng.integers(0, 2 * self.padding + 1, (2, count))

        def change(images, which):
            p = self.padding
            padded = np.pad(images, ((0, 0), (0, 0), (p, p), (p, p)))
            crops = sliding_window_view(padded, images.shape[2:], (2, 3))  # (N, C, top, left, H, W)
            return crops[np.arange(len(images)), :, top[which], left[which]]

        return change


@dataclass(frozen=True)
class CutOut(Transform):
    """Blackens a square of size × size pixels in every image (DeVries and Taylor 2017, "Improved
    regularization of convolutional neural networks with cutout").

    Its middle is any pixel of the image, so that part of the square may lie outside. What is left
    must do: a network learns not to rely on a single mark. Raises TypeError for what is no whole
    number, ValueError for one below 1.
    """

    size: int

    def __post_init__(self) -> None:
        whole_number(self.size, "size", "CutOut")

    def draw(self, count, shape, rng):
        sides = shape[1:]
        first = [rng.integers(0, side, (count, 1)) - self.size // 2 for side in sides]

        def change(images, which):
            rows, columns = (
                (place[which] <= np.arange(side)) & (np.arange(side) < place[which] + self.size)
                for place, side in zip(first, sides)
            )
            cut = images.copy()
            np.copyto(cut, 0, where=rows[:, np.newaxis, :, np.newaxis] & columns[:, None, None])
            return cut

        return change


@dataclass(frozen=True)
class RandomAffine(Transform):
    """Moves, turns and scales every image by itself, for `fit(augment=RandomAffine(shift=2))`.

    It draws for each image a shift of up to ±shift pixels along each axis, a rotation about the
    centre of up to ±rotation degrees, and a factor between 1 − scale and 1 + scale, all uniform.
    Raises TypeError for what is no number, ValueError for a negative or infinite one, and for a
    scale of 1 and more.
    """

    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            most = 1 if name == "scale" else float("inf")
            if not 0 <= number(value, name, "RandomAffine") < most:
                raise ValueError(f"RandomAffine: {name} is {value!r}, wanted ≥ 0 and < {most:g}")

    def draw(self, count, shape, rng):
        shifts = rng.uniform(-self.shift, self.shift, (count, 2))
        angles = np.radians(rng.uniform(-self.rotation, self.rotation, count))
        factors = rng.uniform(1 - self.scale, 1 + self.scale, count)

        def change(images, which):
            return affine(images, shifts[which], angles[which], factors[which])

        return change


def affine(
    images: np.ndarray, shifts: np.ndarray, angles: np.ndarray, factors: np.ndarray
) -> np.ndarray:
    """Images turned by `angles` (radians, from the rows' axis towards the columns'), scaled by
    `factors` about the centre, then moved by `shifts` (down, right; pixels).

    A pixel of the new image is looked up where it came from in the old one, between the four pixels
    around that place ("bilinear"); what comes from outside the image is 0.

    images (N, C, H, W); shifts (N, 2); angles, factors (N,). The result has images' dtype.
    """
    height, width = images.shape[2:]
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    rows, columns = np.indices((height, width), np.float32).reshape(2, 1, -1)
    down = rows - (shifts[:, :1] + centre[0]).astype(np.float32)
    right = columns - (shifts[:, 1:] + centre[1]).astype(np.float32)
    cosine, sine = np.cos(angles) / factors, np.sin(angles) / factors
    cosine, sine = (a.astype(np.float32)[:, None] for a in (cosine, sine))
    i = cosine * down + sine * right + np.float32(centre[0])
    j = cosine * right - sine * down + np.float32(centre[1])
    return bilinear(images, i, j)


def bilinear(images: np.ndarray, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """The images at rows i and columns j, each (N, H·W), between the four pixels around each place;
    beyond the edge they are 0.

    images and the result (N, C, H, W), of the same dtype.
    """
    n, channels, height, width = images.shape
    top, left = np.floor(i), np.floor(j)
    i, j = (i - top)[:, None], (j - left)[:, None]  # between the pixels: 0 ≤ i, j < 1
    # Two rows and columns of zeros on each side: what comes from further out is clipped to them.
    across = width + 4
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2)))
    padded = padded.reshape(n, channels, (height + 4) * across)
    top = np.clip(top, -2, height).astype(np.int32) + 2
    left = np.clip(left, -2, width).astype(np.int32) + 2
    corner = (top * across + left)[:, None]

    def at(offset):
        return np.take_along_axis(padded, corner + offset, axis=2)

    upper = at(0) * (1 - j) + at(1) * j
    lower = at(across) * (1 - j) + at(across + 1) * j
    moved = (upper * (1 - i) + lower * i).reshape(images.shape)
    return (np.rint(moved) if images.dtype == np.uint8 else moved).astype(images.dtype)
