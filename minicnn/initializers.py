"""Initial weights: noise, scaled so that signals neither grow nor fade from layer to layer.

A unit sums fan_in products. If weights and inputs are independent and the weights have mean 0, the
sum's variance is fan_in · var(w) · mean(x²); every recipe below chooses var(w) to keep that, or the
same thing for the gradients on their way back (which meet fan_out products), about constant.

Each is `name(shape, rng, dtype=np.float32) -> array` of that shape and dtype:

- shape: of the weight, as in PyTorch: convolution (out, in, kh, kw), dense (out, in)
- rng: an np.random.Generator; its float64 draws are rounded to `dtype` at the end, so that float32
  and float64 networks of one seed start from the same weights

ValueError when the shape has fewer than two axes or an axis below 1; TypeError when `rng` is no
Generator (np.random.default_rng(seed) makes one), or `dtype` neither float32 nor float64.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from .common.arguments import float_dtype

Initializer = Callable[..., np.ndarray]


def fans(shape: Sequence[int]) -> tuple[int, int]:
    """(fan_in, fan_out) of a weight: what enters one output and what one input goes to.

    fan_in = shape[1] · kh · kw and fan_out = shape[0] · kh · kw; a dense weight has no kh, kw. As
    in PyTorch this holds for a transposed convolution too, whose (in, out, kh, kw) swaps the two.

    ValueError when there are fewer than two axes or an axis is below 1.
    """
    whole = isinstance(shape, Sequence) and all(isinstance(n, int | np.integer) for n in shape)
    if not whole or len(shape) < 2 or min(shape) < 1:
        raise ValueError(
            f"shape: got {shape!r}, wanted two axes or more, each a whole number of at least 1"
        )
    taps = math.prod(shape[2:])
    return shape[1] * taps, shape[0] * taps


def he_normal(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> np.ndarray:
    """w ~ Normal(0, 2 / fan_in): the 2 makes up for the half of its inputs that ReLU sets to 0.

    He et al. 2015, "Delving Deep into Rectifiers".
    """
    fan_in, _ = fans(shape)
    return _normal(2.0 / fan_in, shape, rng, dtype)


def he_uniform(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> np.ndarray:
    """w ~ Uniform(±√(6 / fan_in)), which has the variance of `he_normal`, 2 / fan_in."""
    fan_in, _ = fans(shape)
    return _uniform(2.0 / fan_in, shape, rng, dtype)


def glorot_normal(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> np.ndarray:
    """w ~ Normal(0, 2 / (fan_in + fan_out)): a compromise between forward and backward.

    Glorot & Bengio 2010, "Understanding the difficulty of training deep feedforward neural
    networks" (for units that are about linear near 0, such as tanh). Also called Xavier.
    """
    return _normal(2.0 / sum(fans(shape)), shape, rng, dtype)


def glorot_uniform(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> np.ndarray:
    """w ~ Uniform(±√(6 / (fan_in + fan_out))), which has the variance of `glorot_normal`."""
    return _uniform(2.0 / sum(fans(shape)), shape, rng, dtype)


def lecun_normal(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> np.ndarray:
    """w ~ Normal(0, 1 / fan_in): the forward variance is kept by a linear unit.

    LeCun, Bottou, Orr & Müller 1998, "Efficient BackProp", section 4.6.
    """
    fan_in, _ = fans(shape)
    return _normal(1.0 / fan_in, shape, rng, dtype)


def lecun_uniform(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> np.ndarray:
    """w ~ Uniform(±√(3 / fan_in)), which has the variance of `lecun_normal`, 1 / fan_in."""
    fan_in, _ = fans(shape)
    return _uniform(1.0 / fan_in, shape, rng, dtype)


def torch_default(
    shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> np.ndarray:
    """w ~ Uniform(±1 / √fan_in): what PyTorch's Conv2d and Linear draw for their weights.

    Its variance, 1 / (3 fan_in), is a third of LeCun's and a sixth of He's.
    """
    fan_in, _ = fans(shape)
    return _uniform(1.0 / (3.0 * fan_in), shape, rng, dtype)


def _normal(
    variance: float, shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike
) -> np.ndarray:
    _check_generator(rng)
    deviation = math.sqrt(variance)
    return _by_rows(lambda size: rng.normal(0.0, deviation, size), shape, dtype)


def _uniform(
    variance: float, shape: Sequence[int], rng: np.random.Generator, dtype: DTypeLike
) -> np.ndarray:
    _check_generator(rng)
    bound = math.sqrt(3.0 * variance)  # Uniform(±bound) has the variance bound² / 3
    return _by_rows(lambda size: rng.uniform(-bound, bound, size), shape, dtype)


def _by_rows(draw: Callable[..., Any], shape: Sequence[int], dtype: DTypeLike) -> np.ndarray:
    """What is drawn is float64: of all weights at once it would take three times their memory."""
    weights = np.empty(tuple(shape), float_dtype(dtype, "dtype"))
    for row in weights:
        row[...] = draw(row.shape)
    return weights


def _check_generator(rng: np.random.Generator) -> None:
    if not isinstance(rng, np.random.Generator):
        raise TypeError(f"rng: got {rng!r}, wanted an np.random.Generator")
