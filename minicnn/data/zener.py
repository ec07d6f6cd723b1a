"""Zener cards: random images of the five symbols, drawn from signed distances.

How far a pixel's centre lies from a symbol's line tells whether it is ink; that is all the drawing
there is. The symbols are those of Karl Zener's cards (Duke University, 1930s): circle, plus,
square, star and waves.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np

from .dataset import Dataset
from .symbols import CLASSES, segment_distance, symbol_distance, symbol_reach

SMALLEST_SIDE = 16  # pixels
SMALLEST_HALF_SIDE = 4.75  # pixels; the waves of a smaller symbol run together
HALF_SIDE = 0.68  # a symbol's middle half-side, as a part of half the image's shorter side
LINE = 0.09  # the middle thickness of a line, as a part of the image's shorter side
# The thickest line, as a part of the symbol's half-side: a thicker one would fill the gaps between
# the waves or the inside of an outline.
THICKEST = {"O": 0.5, "P": 0.6, "Q": 0.5, "S": 0.3, "W": 0.25}
MARK_LENGTH = 0.14  # how far a stray mark goes across and down, as a part of the shorter side
MARK_LINE = 0.04  # the thickness of a stray mark, likewise
PIXELS_AT_ONCE = 2**16  # the arrays of one block of cards then fit the processor's cache


@dataclass(frozen=True)
class ZenerStyle:
    """How much the cards vary: each amount is 0 for a property that is the same on every card.

    - position: 0..1, how far the symbol may leave the centre, as a part of the room it has
    - size: 0..0.3, how far its half-side may leave 0.68 of half the image's shorter side, as a part
      of that half; the half-side is that of the upright square around the tilted symbol and at
      least 4.75 pixels
    - thickness: 0..0.8, how far its line may leave 0.09 of the shorter side, as a part of those
      0.09; no line is thinner than a pixel or thick enough to fill the symbol
    - orientation: 0..180, how far it may tilt either way, in degrees; tilted by 45 a square is a
      diamond and a plus an X
    - stray_marks: 0..100, the most short pen marks beside or on the symbol; a whole number
    - antialiased: grey edges instead of pure black and white

    ValueError, naming the field, for an amount outside its range or NaN.
    """

    position: float = 0.35
    size: float = 0.2
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


DEFAULT_STYLE = ZenerStyle()


def zener_cards(
    count: int, seed: int, style: ZenerStyle = DEFAULT_STYLE, size: int | tuple[int, int] = 25
) -> Dataset:
    """Random Zener cards: circle O, plus P, square Q, star S and waves W, in black on white.

    - count: how many; no class has two cards more than another, and their order is random
    - size: the side of the square images in pixels, or (height, width); at least 16

    The images are uint8 (count, 1, height, width), 0 for ink and 255 for paper. Every symbol lies
    whole inside its image.

    The same arguments give the same bytes on every machine and with every version of NumPy: the
    random numbers are the raw ones of PCG64, and the one inexact step, the sine and cosine of the
    tilt, is rounded. With another position, size, thickness or orientation a card keeps its label
    and its place in the range of every other amount.

    ValueError for a negative count or seed or a side below 16, TypeError for one that is not an
    integer.
    """
    height, width = (operator.index(s) for s in (size if isinstance(size, tuple) else (size, size)))
    if min(height, width) < SMALLEST_SIDE:
        raise ValueError(f"zener_cards: sides must be at least {SMALLEST_SIDE}, got {size!r}")
    if operator.index(count) < 0 or operator.index(seed) < 0:
        raise ValueError(
            f"zener_cards: count and seed must be at least 0, got {count!r} and {seed!r}"
        )
    bits = np.random.PCG64(seed)
    labels = np.arange(count, dtype=np.int64) % len(CLASSES)
    labels = labels[np.argsort(bits.random_raw(count), kind="stable")]
    geometry = _uniform(bits, count, 5)
    marks = _uniform(bits, count, 1 + 4 * int(style.stray_marks))

    images = np.empty((count, 1, height, width), np.uint8)
    block = max(1, PIXELS_AT_ONCE // (height * width))
    for start in range(0, count, block):
        part = slice(start, start + block)
        ink = _stray_ink(marks[part], style, height, width)
        for label, letter in enumerate(CLASSES):
            cards = labels[part] == label
            drawn = _symbol_ink(letter, geometry[part][cards], style, height, width)
            ink[cards] = np.maximum(ink[cards], drawn)
        shade = np.clip(ink, 0, 1) if style.antialiased else ink >= 0.5
        images[part, 0] = 255 - np.rint(255 * shade)
    return Dataset(images, labels, CLASSES)


def _uniform(bits: np.random.PCG64, rows: int, columns: int) -> np.ndarray:
    """Numbers between -1 and 1, (rows, columns): odd multiples of 2^-16, so they are exact."""
    integers = (bits.random_raw(rows * columns) >> np.uint64(48)).astype(np.int64)
    return ((2 * integers + 1 - 2**16) / 2**16).reshape(rows, columns)


def _symbol_ink(
    letter: str, geometry: np.ndarray, style: ZenerStyle, height: int, width: int
) -> np.ndarray:
    """How much of each pixel (N, H, W) the symbol covers: 0.5 on its edge, not yet cut to 0..1.

    geometry: (N, 5) of -1..1, the place of each card in the range of each amount.
    """
    size, thickness, tilt, right, down = geometry.T
    shorter = min(height, width)
    half_side = (HALF_SIDE + style.size * size) * shorter / 2
    half_side = np.maximum(half_side, SMALLEST_HALF_SIDE)
    line = LINE * (1 + style.thickness * thickness) * shorter
    line = np.clip(line, 1, np.maximum(1, THICKEST[letter] * half_side))
    angle = np.deg2rad(style.orientation * tilt)
    # The last bit of a sine differs between machines; rounded to 2^-20 it is the same on all.
    cosine, sine = (np.rint(f(angle) * 2**20) / 2**20 for f in (np.cos, np.sin))
    scale = (half_side - line / 2) / symbol_reach(letter, cosine, sine)
    centre_x = width / 2 + style.position * right * (width / 2 - half_side)
    centre_y = height / 2 + style.position * down * (height / 2 - half_side)

    x, y = _pixel_centres(height, width)
    x, y = x - _each(centre_x), y - _each(centre_y)
    turned_x = (_each(cosine) * x + _each(sine) * y) / _each(scale)
    turned_y = (_each(cosine) * y - _each(sine) * x) / _each(scale)
    distance = symbol_distance(letter, turned_x, turned_y) * _each(scale)
    return _each(line) / 2 - distance + 0.5


def _stray_ink(marks: np.ndarray, style: ZenerStyle, height: int, width: int) -> np.ndarray:
    """How much of each pixel (N, H, W) the stray marks cover, as `_symbol_ink` says.

    marks: (N, 1 + 4 × the most marks) of -1..1: how many there are, then where each begins and how
    far it goes, across and down.
    """
    ink = np.zeros((len(marks), height, width))
    shorter = min(height, width)
    line = max(1, MARK_LINE * shorter)
    most = int(style.stray_marks)
    number = np.floor((marks[:, 0] + 1) / 2 * (most + 1))
    x, y = _pixel_centres(height, width)
    for k in range(most):
        cards = number > k
        right, below, across, down = (_each(v) for v in marks[cards, 1 + 4 * k : 5 + 4 * k].T)
        start = (right + 1) / 2 * width, (below + 1) / 2 * height
        end = start[0] + across * MARK_LENGTH * shorter, start[1] + down * MARK_LENGTH * shorter
        drawn = line / 2 - segment_distance(x, y, start, end) + 0.5
        ink[cards] = np.maximum(ink[cards], drawn)
    return ink


def _pixel_centres(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(width)[None, None, :] + 0.5, np.arange(height)[None, :, None] + 0.5


def _each(values: np.ndarray) -> np.ndarray:
    """One value a card (N,), so that it broadcasts over the card's pixels."""
    return values[:, None, None]
