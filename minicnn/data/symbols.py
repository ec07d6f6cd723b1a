"""The five Zener symbols as distances: how far a point lies from the line that draws a symbol.

A symbol spans about -1..1; x points right and y down, as in an image. The distances are put
together from +, -, ×, /, square roots and comparisons, which IEEE 754 rounds the same way on every
machine. Source of the method: Hart, "Sphere tracing: a geometric method for the antialiased ray
tracing of implicit surfaces" (1996), which draws from distances alone.
"""

from __future__ import annotations

import functools

import numpy as np

CLASSES = ("O", "P", "Q", "S", "W")  # circle, plus, square, star, waves

# Every second corner of the star lies on the unit circle, beginning at the top; the others lie
# where the sides of a pentagram cross. The rounding hides what sine and cosine may differ by.
_ANGLES = np.arange(10) * np.pi / 5
_RADII = np.where(np.arange(10) % 2, (3 - np.sqrt(5)) / 2, 1)
_STAR = np.round(np.stack([_RADII * np.sin(_ANGLES), -_RADII * np.cos(_ANGLES)], axis=1), 6)
_SQUARE = np.array([(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)])
_PLUS_ENDS = np.array([(-1.0, 0.0), (1.0, 0.0), (0.0, -1.0), (0.0, 1.0)])

# A wave is three circular arcs one below the other, which bulge left, right and left.
_ARC_HEIGHT = 2 / 3
_BULGE = 0.15
_ARC_RADIUS = (_ARC_HEIGHT**2 / 4 + _BULGE**2) / (2 * _BULGE)
_ARC_CENTRE = _ARC_RADIUS - _BULGE  # how far the arc's centre is from the wave's middle line
_WAVE_SPACING = 0.72

# The points of a symbol that reach farthest, however it is tilted; those of a circle reach 1.
_CORNERS = {
    "P": _PLUS_ENDS,
    "Q": _SQUARE,
    "S": _STAR[::2],
    "W": _SQUARE * (_WAVE_SPACING + _BULGE, 1),
}


def segment_distance(x: np.ndarray, y: np.ndarray, start: tuple, end: tuple) -> np.ndarray:
    """The distance of (x, y) from the segment between two different points; all broadcast."""
    x, y = x - start[0], y - start[1]
    across, down = end[0] - start[0], end[1] - start[1]
    nearest = np.clip((x * across + y * down) / (across * across + down * down), 0, 1)
    return _length(x - nearest * across, y - nearest * down)


def symbol_distance(letter: str, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The distance of (x, y) from the middle of the line that draws the symbol."""
    if letter == "O":
        return np.abs(_length(x, y) - 1)
    if letter == "P":
        return np.minimum(
            segment_distance(x, y, *_PLUS_ENDS[:2]), segment_distance(x, y, *_PLUS_ENDS[2:])
        )
    if letter == "W":
        arcs = (
            _arc_distance(side * (x - wave * _WAVE_SPACING), y - row * _ARC_HEIGHT)
            for wave in (-1, 0, 1)
            for row, side in ((-1, -1), (0, 1), (1, -1))
        )
        return functools.reduce(np.minimum, arcs)
    corners = _SQUARE if letter == "Q" else _STAR
    sides = zip(corners, np.roll(corners, -1, axis=0), strict=True)
    return functools.reduce(np.minimum, (segment_distance(x, y, *side) for side in sides))


def symbol_reach(letter: str, cosine: np.ndarray, sine: np.ndarray) -> np.ndarray:
    """Half the side of the smallest upright square, about the centre, that holds the tilted symbol.

    cosine and sine: (N,) of the tilt. Returns (N,).
    """
    if letter == "O":
        return np.ones_like(cosine)
    x, y = _CORNERS[letter].T
    across = np.abs(np.outer(cosine, x) - np.outer(sine, y))
    down = np.abs(np.outer(sine, x) + np.outer(cosine, y))
    return np.maximum(across, down).max(axis=1)


def _arc_distance(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """The distance from the arc that bulges right, its ends on the y axis."""
    from_centre, y = x + _ARC_CENTRE, np.abs(y)
    # Within the angle that its ends make at its centre the arc is a circle; outside it is its ends.
    beside = y * _ARC_CENTRE <= from_centre * _ARC_HEIGHT / 2
    circle = np.abs(_length(from_centre, y) - _ARC_RADIUS)
    return np.where(beside, circle, _length(x, y - _ARC_HEIGHT / 2))


def _length(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    return np.sqrt(x * x + y * y)  # np.hypot may differ in the last bit between machines
