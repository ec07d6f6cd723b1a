"""Star and waves as a short drawing program makes them, each a little different; as in `symbols`,
how far a point lies from the line.
"""

from __future__ import annotations

import functools

import numpy as np

from .symbols import segment_distance, symbol_distance

SMALLEST = {"O": 3.0, "P": 3.0, "Q": 3.0, "S": 3.0, "W": 6.0}  # the half-side, in pixels
NUMBERS = 4  # that a sketch's form takes

# As in `symbols`, rounding hides what sine and cosine may differ by between machines.
_ANGLES = np.arange(10) * np.pi / 5
_TIPS = np.round(np.stack([np.sin(_ANGLES), -np.cos(_ANGLES)], axis=1), 6)


def sketch_distance(
    letter: str, x: np.ndarray, y: np.ndarray, scale: np.ndarray, form: np.ndarray
) -> np.ndarray:
    """The distance of (x, y) from the middle of the line that draws the symbol, all in pixels.

    - x, y: from the symbol's centre, (N, H, W) or what broadcasts to it
    - scale: (N, 1, 1), how far the symbol reaches
    - form: (N, NUMBERS) of -1..1, what makes a card's star and waves its own
    """
    numbers = [number[:, None, None] for number in form.T]
    if letter == "S":
        return _star_distance(x, y, scale, *numbers[:2])
    if letter == "W":
        return _waves_distance(x, y, scale, *numbers)
    return symbol_distance(letter, x / scale, y / scale) * scale


def _star_distance(
    x: np.ndarray, y: np.ndarray, reach: np.ndarray, depth: np.ndarray, kind: np.ndarray
) -> np.ndarray:
    """An outline, its inner corners 0.3 to 0.55 from the centre, or five lines that cross.

    Lines go from a whole pixel to another.
    """
    radii = reach, reach * (0.425 + 0.125 * depth)
    corners = [(np.rint(radii[k % 2] * right), np.rint(radii[k % 2] * down))
               for k, (right, down) in enumerate(_TIPS)]  # fmt: skip
    outline = _nearest(x, y, zip(corners, corners[1:] + corners[:1], strict=True))
    tips = corners[::4] + corners[2::4]  # every second of five, twice around
    crossed = _nearest(x, y, zip(tips, tips[1:] + tips[:1], strict=True))
    return np.where(kind < 0.5, outline, crossed)


def _nearest(x: np.ndarray, y: np.ndarray, sides) -> np.ndarray:
    return functools.reduce(np.minimum, (segment_distance(x, y, *side) for side in sides))


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
    along = np.clip(x, -reach, reach)
    angle = frequency * along + np.pi * phase
    sine, cosine = (np.rint(f(angle) * 2**20) / 2**20 for f in (np.sin, np.cos))
    slope = amplitude * frequency * cosine
    middle = reach * (0.75 + 0.2 * spacing)
    below = y - amplitude * sine
    across = np.minimum(np.abs(below), np.abs(np.abs(below) - middle)) / np.sqrt(1 + slope * slope)
    return np.sqrt(np.square(x - along) + across * across)
