"""A layer that only Python knows: its local slopes, by central differences of its forward.

    ∂y/∂x ≈ (y(x + h) − y(x − h)) / 2h

With them the page goes back through the layer, whatever its `backward_batch` says. Where a slope is
another on either side, as that of a ReLU at 0, backward may take any of them. Near the point where
they were measured the layer is y = Σ slope · x + rest.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..layers.base import Layer
from ..network import restore, snapshot
from .encoded import encoded

MOVE = 1e-5  # small enough for a slope, large enough for double precision
MOST_NUMBERS = 600  # of an image, or learned: each is moved to and fro
MOST_SLOPES = 50_000  # other than 0, of all images


class Measured(NamedTuple):
    """slopes (N, outputs, inputs). rest (N, outputs): what is added to Σ slope · x. shares: of each
    array that is learned, what each image adds to its gradient, (N, numbers).
    """

    slopes: np.ndarray
    rest: np.ndarray
    shares: dict[str, np.ndarray]


def measured(layer: Layer, name: str, heard: dict[str, np.ndarray]) -> Measured:
    """The slopes of a float64 layer in a step of which `twin.overheard` left x, y, dy and dx, and
    what dy makes of those of its parameters.

    Raises ValueError for a layer that is too large, that ties the images of a batch together, or
    that makes another y the second time.
    """
    who = f"microscope: layer {name}, {type(layer).__name__}, which the page can only measure,"
    count, before = len(heard["x"]), snapshot(layer)
    # Where no gradient came there is no dy and no dx, and it makes no difference which.
    flat, base = (heard[each].reshape(count, -1).copy() for each in "xy")
    dy, dx = (
        heard.get(each, 0 * like).reshape(count, -1) for each, like in (("dy", base), ("dx", flat))
    )
    x = flat.reshape(heard["x"].shape)
    learned = {array: p.value for array, p in layer.state().items() if p.grad is not None}
    numbers = max(a.size for a in (flat[0], base[0], *learned.values()))
    if numbers > MOST_NUMBERS:
        raise ValueError(f"{who} has {numbers:,} numbers, and may have {MOST_NUMBERS:,}")

    def after(array: np.ndarray, place: tuple[slice | int, ...], move: float) -> np.ndarray:
        """By how much y moves with the numbers at this place; counters begin again."""
        restore(layer, before)
        still = array[place].copy()
        array[place] = still + move
        moved = np.array(type(layer).forward_batch(layer, x.copy(), True)).reshape(count, -1)
        array[place] = still
        return moved - base

    def of_input(i: int) -> np.ndarray:
        """∂y/∂x[:, i], of three slopes at a kink the one from which backward's dx is made."""
        place = slice(None), i
        up, down = after(flat, place, MOVE), after(flat, place, -MOVE)
        bent = np.abs(up + down) > 1e-3 * (np.abs(up) + np.abs(down)) + 1e-9
        slopes = np.stack([up - down, 2 * up, -2 * down]) / (2 * MOVE)
        off = np.abs((slopes * dy).sum(axis=2) - dx[:, i])
        nearest = np.where(bent.any(axis=1), off.argmin(axis=0), 0)
        return slopes[nearest, np.arange(count)]

    def of_parameter(array: np.ndarray, p: int) -> np.ndarray:
        slopes = (after(array, (p,), MOVE) - after(array, (p,), -MOVE)) / (2 * MOVE)
        return (slopes * dy).sum(axis=1)

    if after(flat, (slice(0, 0),), 0.0).any():
        raise ValueError(f"{who} makes another output of the same images the second time")
    if not np.allclose(after(flat, (0,), 0.1)[1:], 0, atol=1e-12 * np.abs(base).max()):
        raise ValueError(f"{who} ties the images of a batch together")
    slopes = np.stack([of_input(i) for i in range(flat.shape[1])], axis=2)
    if np.count_nonzero(slopes) > MOST_SLOPES:
        raise ValueError(
            f"{who} has {np.count_nonzero(slopes):,} slopes that are not 0, and may have "
            f"{MOST_SLOPES:,}: pass fewer or smaller images"
        )
    shares = {
        array: np.stack([of_parameter(value.reshape(-1), p) for p in range(value.size)], axis=1)
        for array, value in learned.items()
    }
    restore(layer, before)
    return Measured(slopes, base - np.einsum("nyx,nx->ny", slopes, flat), shares)


def wired(steps: list[Measured]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The wires that a layer has in any of the steps, and what is stored of them for each."""
    y, x = np.nonzero(np.any([one.slopes.any(axis=0) for one in steps], axis=0))
    ends = {"y": encoded(y.astype(np.int32)), "x": encoded(x.astype(np.int32))}
    stored = []
    for slopes, rest, shares in steps:
        arrays = {"slopes": slopes[:, y, x], "rest": rest}
        arrays |= {f"share of {name}": share for name, share in shares.items()}
        stored.append({name: encoded(array) for name, array in arrays.items()})
    return ends, stored
