"""The five symbols as a short drawing program makes them: how far a point lies from the line, as in
`symbols`, but in pixels. Lines end flat, corners are sharp, and each star and each wave is its own.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

SMALLEST = {"O": 3.0, "P": 3.0, "Q": 3.0, "S": 3.0, "W": 6.0}  # the half-side, in pixels
FORM = 4  # how many numbers make a sketch's form

# As in `symbols`, rounding hides what sine and cosine may differ by between machines.
_ANGLES = np.arange(10) * np.pi / 5
_RAYS = np.round(np.stack([np.sin(_ANGLES), -np.cos(_ANGLES)], axis=1), 6)


def sketch_distance(
    letter: str,
    x: np.ndarray,
    y: np.ndarray,
    half_side: np.ndarray,
    line: np.ndarray,
    form: np.ndarray,
) -> np.ndarray:
    """The distance of (x, y) from the middle of the line that draws the symbol, all in pixels.

    - x, y: from the symbol's centre, (N, H, W) or what broadcasts to it
    - half_side, line: (N, 1, 1), of the whole symbol, and how thick its line is
    - form: (N, FORM) of -1..1, what makes a card's star and waves its own

    It is infinite beside the flat ends of a line.
    """
    if letter == "O":
        return np.abs(np.sqrt(x * x + y * y) - (half_side - line / 2))
    if letter == "Q":
        return np.abs(np.maximum(np.abs(x), np.abs(y)) - (half_side - line / 2))
    reach = half_side - 0.5  # from one pixel's centre to another's
    if letter == "P":
        zero = np.zeros_like(reach)
        across, down = [(-reach, zero), (reach, zero)], [(zero, -reach), (zero, reach)]
        return np.minimum(_path_distance(x, y, across), _path_distance(x, y, down))
    numbers = (number[:, None, None] for number in form.T)
    return (_star_distance if letter == "S" else _waves_distance)(x, y, reach, *numbers)


def _star_distance(
    x: np.ndarray, y: np.ndarray, reach: np.ndarray, depth: np.ndarray, kind: np.ndarray, *_
) -> np.ndarray:
    """An outline, its inner corners 0.3 to 0.55 from the centre, or five lines that cross.

    Lines go from a whole pixel to another.
    """
    radii = reach, reach * (0.425 + 0.125 * depth)
    corners = [(np.rint(radii[k % 2] * right), np.rint(radii[k % 2] * down))
               for k, (right, down) in enumerate(_RAYS)]  # fmt: skip
    outline = _path_distance(x, y, [*corners, corners[0]])
    crossed = _path_distance(x, y, [corners[k % 10] for k in range(0, 24, 4)])
    return np.where(kind < 0, outline, crossed)


def _path_distance(x: np.ndarray, y: np.ndarray, corners: Sequence[tuple]) -> np.ndarray:
    """From straight lines between one corner and the next, each beside itself alone."""
    lines = pairwise(corners)
    return functools.reduce(np.minimum, (_line_distance(x, y, *line) for line in lines))


def _line_distance(x: np.ndarray, y: np.ndarray, start: tuple, end: tuple) -> np.ndarray:
    across, down = end[0] - start[0], end[1] - start[1]
    x, y = x - start[0], y - start[1]
    squared = np.maximum(across * across + down * down, 2.0**-60)  # corners may coincide
    along = (x * across + y * down) / squared
    beside = np.abs(x * down - y * across) / np.sqrt(squared)
    return np.where((along >= 0) & (along <= 1), beside, np.inf)


def _waves_distance(
    x: np.ndarray,
    y: np.ndarray,
    reach: np.ndarray,
    height: np.ndarray,
    rate: np.ndarray,
    phase: np.ndarray,
    spacing: np.ndarray,
) -> np.ndarray:
    """Three lines y = a·sin(2π·f·x + φ), one below the other: a 1 or 2 pixels, f 1/20 to 1/5.

    The distance from a curve is about that along y over √(1 + slope²).
    """
    amplitude = np.where(height < 0, 1, 2)
    frequency = 2 * np.pi * (0.125 + 0.075 * rate)
    angle = frequency * x + np.pi * phase
    sine, cosine = (np.rint(f(angle) * 2**20) / 2**20 for f in (np.sin, np.cos))
    slope = amplitude * frequency * cosine
    middle = reach * (0.7 + 0.25 * spacing)
    below = np.abs(y - amplitude * sine)
    nearest = np.minimum(below, np.abs(below - middle)) / np.sqrt(1 + slope * slope)
    return np.where(np.abs(x) <= reach, nearest, np.inf)
