"""The numbers that a network begins with, brought to mean 0 and deviation 1."""

from __future__ import annotations

from math import prod
from typing import Any, Self

import numpy as np

from ..common.arguments import as_array, instance, number
from .base import Layer
from .parameter import Shape
from .shapes import rows_or_images

LEAST = float(np.finfo(np.float32).tiny)  # of a std, so that 1 / std is a float32 too
MOST = float(np.finfo(np.float32).max)
CHUNK = 2**20  # numbers that are measured at a time


class Standardize(Layer):
    """Each channel with fixed numbers: y[n,c,…] = (x[n,c,…] − mean[c]) / std[c].

    x, y (N, C) or (N, C, H, W). mean, std: a number for all channels, or one for each. As the first
    layer of a network it is saved with it, and nobody has to remember how the training images were
    prepared; `Standardize.of(images)` measures them. Nothing in it is learned: dx = dy / std.

    Computed as batch normalisation with fixed statistics. Raises ValueError, naming the channel,
    for a mean that is not finite or a std that is not positive and finite in float32; TypeError for
    what is no number.
    """

    def __init__(self, mean: float | tuple[float, ...], std: float | tuple[float, ...]) -> None:
        self.mean, self.std = numbers(mean, "mean"), numbers(std, "std")
        refuse(self.mean, "mean", "finite", lambda m: abs(m) <= MOST)
        refuse(self.std, "std", "positive and finite", lambda s: LEAST <= s <= 1 / LEAST)
        super().__init__(mean=self.mean, std=self.std)
        counts = [len(given) for given in (self.mean, self.std) if isinstance(given, tuple)]
        if len({*counts}) > 1:
            raise ValueError(f"Standardize: mean is for {counts[0]} channels, std for {counts[1]}")
        self.channels = counts[0] if counts else None
        self.placed: tuple[Any, list[Any]] = None, []

    @classmethod
    def of(cls, images: np.ndarray) -> Self:
        """The layer that gives every channel of these images mean 0 and deviation 1.

        images (N, C, H, W) or (N, C): the training images. uint8 pixels are measured as `fit`
        passes them on, value / 255; float32 and float64 as they are. They are read once, a piece
        at a time, so they may be a memory map larger than the memory. A channel that is the same
        everywhere has no deviation; it gets std 1, and becomes 0. Raises TypeError for what is no
        array of such numbers, ValueError for another shape, no pixel, or NaN or Inf in a channel.
        """
        instance(images, np.ndarray, "images", "Standardize.of", "an array such as train.images")
        as_array(images, "Standardize.of: images")
        if images.dtype.newbyteorder("=") not in (np.uint8, np.float32, np.float64):
            raise TypeError(
                "Standardize.of: images must be uint8 pixels, float32 or float64, "
                f"got {images.dtype}"
            )
        if images.ndim not in (2, 4) or images.size == 0:
            raise ValueError(
                f"Standardize.of: images must be (N, C, H, W) or (N, C), got {images.shape}"
            )
        mean, variance = moments(images)
        std = np.where(variance == 0, 1, np.sqrt(variance))
        scale = 255 if images.dtype == np.uint8 else 1
        return cls(tuple((mean / scale).tolist()), tuple((std / scale).tolist()))

    def output_shape(self, input_shape: Shape) -> Shape:
        return rows_or_images(input_shape, self.channels, self)

    def forward_batch(self, x, training):
        gamma, beta, mean, variance, *_ = self.constants(x.dtype)
        y, self.x_hat, self.inv_std = self.ops.batch_norm_inference(
            self.by_channel(x), gamma, beta, mean, variance, 0.0, self.buffers
        )
        return self.ops.reshape(y, x.shape[1:])

    def backward_batch(self, dy, input_gradient=True):
        if not input_gradient:
            return None
        gamma, *_, dgamma, dbeta = self.constants(dy.dtype)
        dx = self.ops.batch_norm_inference_backward(
            self.by_channel(dy), self.x_hat, self.inv_std, gamma, dgamma, dbeta, self.buffers
        )
        return self.ops.reshape(dx, dy.shape[1:])

    def by_channel(self, x):
        """Where the same numbers are for all channels, they are one."""
        return x if self.channels else self.ops.reshape(x, (1, prod(x.shape[1:]), 1))

    def constants(self, dtype: Any) -> list[Any]:
        """Batch normalisation's gamma = 1 / std, beta, mean and variance 1, on the backend; and
        room for the gradients of gamma and beta, which nobody reads.
        """
        if self.placed[0] != (self.backend, dtype):
            zero, mean, std = np.broadcast_arrays(np.zeros(self.channels or 1), self.mean, self.std)
            values = 1 / std, zero, mean, zero + 1, zero, zero
            arrays = self.ops.allocate([value.astype(dtype) for value in values])
            self.placed = (self.backend, dtype), arrays
        return self.placed[1]


def numbers(value: Any, name: str) -> float | tuple[float, ...]:
    """A number as a float, several as a tuple of them."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if not isinstance(value, (tuple, list)):
        return number(value, name, "Standardize")
    if not value:
        raise ValueError(f"Standardize: {name} must be a number or one for each channel, got none")
    return tuple(number(one, name, "Standardize") for one in value)


def refuse(given: float | tuple[float, ...], name: str, wanted: str, is_right: Any) -> None:
    """ValueError for the first of the numbers that is not as it should be."""
    for c, value in enumerate(given if isinstance(given, tuple) else (given,)):
        if not is_right(value):
            where = f" for channel {c}" if isinstance(given, tuple) else ""
            raise ValueError(f"Standardize: {name} must be {wanted}, got {value!r}{where}")


@np.errstate(over="ignore", invalid="ignore")  # what is not finite is refused by channel
def moments(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of each channel, float64 (C,), piece by piece (Chan et al. 1983).

    Of two parts with n and m numbers, means a and b, and sums s and t of squared deviations:

        mean = a + (b − a) · m / (n + m)        sum = s + t + (b − a)² · n · m / (n + m)

    Nothing large is taken from something large. Each channel counts from its first number on, so
    one that is constant has exactly no deviation.
    """
    axes = (0, *range(2, images.ndim))
    origin = images[:1].reshape(1, images.shape[1], -1)[:, :, :1].astype(np.float64)
    origin = origin.reshape(1, -1, *[1] * (images.ndim - 2))
    together = max(1, CHUNK // prod(images.shape[1:]))
    count, mean, squares = 0, np.zeros(images.shape[1]), np.zeros(images.shape[1])
    for start in range(0, len(images), together):
        piece = images[start : start + together] - origin
        size = piece.size // images.shape[1]
        apart = piece.mean(axes) - mean
        share = size / (count + size)
        mean += apart * share
        squares += piece.var(axes) * size + apart**2 * (count * share)
        count += size
    return origin.reshape(-1) + mean, squares / count
