"""Zener cards: random images of the five symbols, drawn from signed distances.

How far a pixel's centre lies from a symbol's line tells whether it is ink; that is all the drawing
there is. The symbols are those of Karl Zener's cards (Duke University, 1930s): circle, plus, square,
star and waves.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np

from .dataset import Dataset
from .strokes import STROKES, reach, segment_distance

CLASSES = ("O", "P", "Q", "S", "W")  # circle, plus, square, star, waves
SMALLEST_SIDE = 16  # pixels; the three waves of a small card run together below

HALF_SIDE = 0.68  # a symbol's middle half-side, as a part of half the image's shorter side
LINE = 0.09  # the middle thickness of a line, as a part of the image's shorter side
# The thickest line, as a part of the symbol's half-side: a thicker one fills the gaps between waves
# or the inside of an outline.
THICKEST = {"O": 0.5, "P": 0.6, "Q": 0.5, "S": 0.3, "W": 0.26}
MARK_LENGTH = 0.14  # the longest stray mark, as a part of the image's shorter side
MARK_LINE = 0.04  # the thickness of a stray mark, likewise
PIXELS_AT_ONCE = 2**16  # the arrays of one block of cards then fit the processor's cache


@dataclass(frozen=True)
class ZenerStyle:
    """How much the cards vary: each amount is 0 for a property that is the same on every card.

    - position: 0..1, how far the symbol may leave the centre, as a part of the room it has
    - size: 0..0.3, how far its half-side may leave 0.68 of half the image's shorter side, as a part
      of that half; the half-side is that of the upright box around the tilted symbol
    - thickness: 0..0.8, how far its line may leave 0.09 of the shorter side, as a part of those
      0.09; no line is thinner than a pixel or thick enough to fill the symbol
    - orientation: 0..180, how far it may tilt either way, in degrees; tilted by 45 a square is a
      diamond and a plus an X
    - stray_marks: 0..100, the most short pen marks beside or on the symbol; a whole number
    - antialiased: grey edges instead of pure black and white

    ValueError, naming the field, for an amount outside its range or NaN.
    """

    position: float = 1.0
    size: float = 0.24
    thickness: float = 0.6
    orientation: float = 45.0
    stray_marks: int = 3
    antialiased: bool = False

    def __post_init__(self) -> None:
        largest = {"position": 1, "size": 0.3, "thickness": 0.8, "orientation": 180}
        for field, limit in (largest | {"stray_marks": 100}).items():
            if not 0 <= getattr(self, field) <= limit:
                got = getattr(self, field)
                raise ValueError(f"ZenerStyle: {field} must lie in 0..{limit}, got {got!r}")
        if self.stray_marks != int(self.stray_marks):
            raise ValueError(
                f"ZenerStyle: stray_marks must be a whole number, got {self.stray_marks!r}"
            )
