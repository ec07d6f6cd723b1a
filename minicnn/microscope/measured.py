"""A layer that only Python knows: its local slopes, by central differences of its forward.

    ∂y/∂x ≈ (y(x + h) − y(x − h)) / 2h

With them the page goes back through the layer, whatever its `backward_batch` says. Near the point
where they were measured it is y = Σ slope · x + rest.
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
    array that is learned, what each image adds to its gradient, (N, numbers). kinks: how many of
    the slopes are others to the left than to the right.
    """

    slopes: np.ndarray
    rest: np.ndarray
    shares: dict[str, np.ndarray]
    kinks: int


def measured(layer: Layer, name: str, x: np.ndarray, y: np.ndarray, dy: np.ndarray) -> Measured:
    """The slopes of a float64 layer that made y of the batch x, and what dy makes of those of its
    parameters.

    Raises ValueError for a layer that is too large, that ties the images of a batch together, or
    that makes another y the second time.
    """
    who = f"microscope: layer {name}, {type(layer).__name__}, which the page can only measure,"
    count, before = len(x), snapshot(layer)
    learned = {array: p.value for array, p in layer.state().items() if p.grad is not None}
    numbers = max(a.size for a in (x[0], y[0], *learned.values()))
    if numbers > MOST_NUMBERS:
        raise ValueError(f"{who} has {numbers:,} numbers, and may have {MOST_NUMBERS:,}")
    x, base = x.copy(), y.reshape(count, -1)

    def after(array: np.ndarray, place: tuple[slice | int, ...], move: float) -> np.ndarray:
        """y when the numbers at this place are moved; counters begin again."""
        restore(layer, before)
        still = array[place].copy()
        array[place] = still + move
        moved = np.array(type(layer).forward_batch(layer, x.copy(), True)).reshape(count, -1)
        array[place] = still
        return moved

    def slope(array: np.ndarray, place: tuple[slice | int, ...]) -> tuple[np.ndarray, np.ndarray]:
        """∂y/∂ of the numbers at this place, and where it is another on either side."""
        up, down = (after(array, place, move) - base for move in (MOVE, -MOVE))
        bent = np.abs(up + down) > 1e-3 * (np.abs(up) + np.abs(down)) + 1e-9
        return (up - down) / (2 * MOVE), bent

    flat = x.reshape(count, -1)
    if not np.array_equal(after(flat, (slice(0, 0),), 0.0), base):
        raise ValueError(f"{who} makes another output of the same images the second time")
    if not np.allclose(after(flat, (0,), 0.1)[1:], base[1:], rtol=1e-12, atol=1e-12):
        raise ValueError(f"{who} ties the images of a batch together")
    of_inputs = [slope(flat, (slice(None), i)) for i in range(flat.shape[1])]
    slopes = np.stack([one for one, _ in of_inputs], axis=2)
    if np.count_nonzero(slopes) > MOST_SLOPES:
        raise ValueError(
            f"{who} has {np.count_nonzero(slopes):,} slopes that are not 0, and may have "
            f"{MOST_SLOPES:,}: pass fewer or smaller images"
        )
    shares = {}
    for array, value in learned.items():
        numbered = value.reshape(-1)
        each = [slope(numbered, (i,))[0] * dy.reshape(count, -1) for i in range(numbered.size)]
        shares[array] = np.stack([one.sum(axis=1) for one in each], axis=1)
    restore(layer, before)
    kinks = sum(int(bent.sum()) for _, bent in of_inputs)
    rest = base - np.einsum("nyx,nx->ny", slopes, flat)
    return Measured(slopes, rest, shares, kinks)


def wired(steps: list[Measured]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The wires that a layer has in any of the steps, and what is stored of them for each."""
    y, x = np.nonzero(np.any([one.slopes.any(axis=0) for one in steps], axis=0))
    ends = {"y": encoded(y.astype(np.int32)), "x": encoded(x.astype(np.int32))}
    stored = []
    for slopes, rest, shares, _ in steps:
        arrays = {"slopes": slopes[:, y, x], "rest": rest}
        arrays |= {f"share of {name}": share for name, share in shares.items()}
        stored.append({name: encoded(array) for name, array in arrays.items()})
    return ends, stored
