"""Batches through a layer, which may be of the user's own: does it keep to the shapes it states?"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from ..backends.contract import Batch
from .parameter import Shape


def is_own(method: Callable[..., object]) -> bool:
    """Whether a method is written in minicnn, be its class so or not."""
    function = getattr(method, "__func__", method)
    written_in = getattr(function, "__globals__", {}).get("__name__", "")
    return written_in.partition(".")[0] == __name__.partition(".")[0]


@cache
def of_the_user(kind: Any) -> bool:
    return not (is_own(kind.forward_batch) and is_own(kind.backward_batch))


def forward(layer: Any, x: Batch, training: bool) -> Batch:
    """`forward_batch` of a layer; a user's must return what its `output_shape` says."""
    y = layer.forward_batch(x, training)
    if of_the_user(layer.__class__):
        layer._x_shape = tuple(x.shape)
        check_batch(layer, "forward_batch", y, x, (x.shape[0], *layer.output_shape(x.shape[1:])))
    return y


def backward(layer: Any, dy: Batch, input_gradient: bool = True) -> Batch | None:
    """`backward_batch` of a layer; a user's must return a gradient of the shape of its input."""
    dx = layer.backward_batch(dy) if input_gradient else layer.backward_batch(dy, False)
    if input_gradient and of_the_user(layer.__class__):
        check_batch(layer, "backward_batch", dx, dy, layer._x_shape)
    return dx


def check_batch(layer: Any, name: str, batch: Any, like: Batch, shape: Shape) -> None:
    """Kernels ask no array how long it is: of a wrong one they would read what lies behind it."""
    if isinstance(batch, np.ndarray) != isinstance(like, np.ndarray) or not hasattr(batch, "shape"):
        raise TypeError(
            f"{layer}: {name} returned {type(batch).__name__}, wanted a batch of the backend "
            f"{layer.backend!r}, {type(like).__name__}"
        )
    if tuple(batch.shape) != shape:
        raise ValueError(f"{layer}: {name} returned a batch {tuple(batch.shape)}, wanted {shape}")
