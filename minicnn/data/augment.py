"""Augmentation: every epoch sees the images a little moved, turned and scaled.

A pixel of the new image is looked up where it came from in the old one, between the four pixels
around that place ("bilinear"); what comes from outside the image is 0.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil

import numpy as np

from ..common.arguments import number

CHUNK = 2_000  # images that are computed at a time: their arrays then stay small


@dataclass(frozen=True)
class RandomAffine:
    """Moves, turns and scales every image by itself, for `fit(augment=RandomAffine(shift=2))`.

    Called with (images, rng), it draws for each image a shift of up to ±shift pixels along each
    axis, a rotation about the centre of up to ±rotation degrees, and a factor between 1 − scale and
    1 + scale, all uniform. images: uint8 or float (N, C, H, W); the result has the same shape and
    dtype. Raises TypeError for what is no number, ValueError for a negative or infinite one, for a
    scale of 1 and more, and for images of another shape.
    """

    shift: float = 0.0
    rotation: float = 0.0
    scale: float = 0.0

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            most = 1 if name == "scale" else float("inf")
            if not 0 <= number(value, name, "RandomAffine") < most:
                raise ValueError(f"RandomAffine: {name} is {value!r}, wanted ≥ 0 and < {most:g}")

    def __call__(self, images: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        if images.ndim != 4:
            raise ValueError(f"RandomAffine: wanted images (N, C, H, W), got shape {images.shape}")
        count = len(images)
        shifts = rng.uniform(-self.shift, self.shift, (count, 2))
        angles = np.radians(rng.uniform(-self.rotation, self.rotation, count))
        factors = rng.uniform(1 - self.scale, 1 + self.scale, count)
        moved = np.empty_like(images)
        for part in np.array_split(np.arange(count), max(1, ceil(count / CHUNK))):
            moved[part] = affine(images[part], shifts[part], angles[part], factors[part])
        return moved


def affine(
    images: np.ndarray, shifts: np.ndarray, angles: np.ndarray, factors: np.ndarray
) -> np.ndarray:
    """Images turned by `angles` (radians, from the rows' axis towards the columns'), scaled by
    `factors` about the centre, then moved by `shifts` (down, right; pixels).

    images (N, C, H, W); shifts (N, 2); angles, factors (N,). The result has images' dtype.
    """
    n, channels, height, width = images.shape
    centre = np.array([(height - 1) / 2, (width - 1) / 2])
    rows, columns = np.indices((height, width), np.float32).reshape(2, 1, -1)
    down = rows - (shifts[:, :1] + centre[0]).astype(np.float32)
    right = columns - (shifts[:, 1:] + centre[1]).astype(np.float32)
    cosine, sine = np.cos(angles) / factors, np.sin(angles) / factors
    cosine, sine = (a.astype(np.float32)[:, None] for a in (cosine, sine))
    i = cosine * down + sine * right + np.float32(centre[0])
    j = cosine * right - sine * down + np.float32(centre[1])
    top, left = np.floor(i), np.floor(j)
    i, j = (i - top)[:, None], (j - left)[:, None]  # between the pixels: 0 ≤ i, j < 1
    # Two rows and columns of zeros on each side: what comes from further out is clipped to them.
    padded = np.pad(images, ((0, 0), (0, 0), (2, 2), (2, 2))).reshape(n, channels, -1)
    across = width + 4
    top = np.clip(top, -2, height).astype(np.int32) + 2
    left = np.clip(left, -2, width).astype(np.int32) + 2
    corner = (top * across + left)[:, None]

    def at(offset):
        return np.take_along_axis(padded, corner + offset, axis=2)

    upper = at(0) * (1 - j) + at(1) * j
    lower = at(across) * (1 - j) + at(across + 1) * j
    moved = (upper * (1 - i) + lower * i).reshape(images.shape)
    return (np.rint(moved) if images.dtype == np.uint8 else moved).astype(images.dtype)
