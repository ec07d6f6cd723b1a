"""Zener cards: random images of the five symbols, drawn from distances.

How far a pixel's centre lies from a symbol's line tells whether it is ink; that is all the drawing
there is. A sketched card is drawn upright, in black and white, and then turned. The symbols are
those of Karl Zener's cards (Duke University, 1930s): circle, plus, square, star and waves.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np

from .augment import bilinear
from .dataset import Dataset
from .dither import dithered
from .sketches import FORM, SMALLEST, sketch_distance
from .symbols import CLASSES, segment_distance, symbol_distance, symbol_reach

SMALLEST_SIDE = 16  # pixels
SMALLEST_HALF_SIDE = 4.75  # pixels; the waves of a smaller symbol run together
HALF_SIDE = 0.68  # a symbol's middle half-side, as a part of half the image's shorter side
LARGER = 0.3  # the most that a half-side may be larger, likewise
LINE = 0.09  # the middle thickness of a line, as a part of the image's shorter side
# The thickest line, as a part of the symbol's half-side: a thicker one would fill the gaps between
# the waves or the inside of an outline.
THICKEST = {"O": 0.5, "P": 0.6, "Q": 0.5, "S": 0.3, "W": 0.25}
MARK_LENGTH = 0.14  # how far a stray mark goes across and down, as a part of the shorter side
DOT_LENGTH = 0.04  # the same on a sketched card
MARK_LINE = 0.04  # the thickness of a stray mark, likewise
PIXELS_AT_ONCE = 2**16  # the arrays of one block of cards then fit the processor's cache


@dataclass(frozen=True)
class ZenerStyle:
    """How much the cards vary: each amount is 0 for a property that is the same on every card.

    - position: 0..1.5, how far the symbol may leave the centre, as a part of the room it has;
      beyond 1 parts of it may be cut off
    - size: 0..0.45, how far its half-side may leave 0.68 of half the image's shorter side, as a
      part of that half; the half-side is that of the upright square around the tilted symbol, and
      at least 4.75 pixels and at most 0.98 of the half
    - thickness: 0..0.8, how far its line may leave 0.09 of the shorter side, as a part of those
      0.09; no line is thinner than a pixel or thick enough to fill the symbol
    - orientation: 0..180, how far it may tilt either way, in degrees; tilted by 45 a square is a
      diamond and a plus an X
    - stray_marks: 0..100, the most short pen marks beside or on the symbol; a whole number
    - antialiased: grey edges instead of pure black and white
    - sketched: as a short drawing program makes them. The symbol is drawn upright, without
      smoothing; then the card is turned about its centre, which may cut parts off. Half-sides are
      those before turning, and at least 3 pixels; a line keeps its thickness however small the
      symbol, so that a small star is a blot. Each star has points of its own length or five lines
      that cross. Waves are three sine lines, 1 or 2 pixels high and at least 12 long. Stray marks
      are of one or two pixels
    - dithering: 0..1, how much of the grey of edges error diffusion makes a pattern of black and
      white (`dither.py`), so that thin lines come out broken; 0 cuts all of it at the half

    ValueError, naming the field, for an amount outside its range or NaN, and for dithering of cards
    that are to stay grey.
    """

    position: float = 0.35
    size: float = 0.2
    thickness: float = 0.6
    orientation: float = 45.0
    stray_marks: int = 3
    antialiased: bool = False
    sketched: bool = False
    dithering: float = 0.0

    def __post_init__(self) -> None:
        largest = {"position": 1.5, "size": 0.45, "thickness": 0.8, "orientation": 180}
        for field, limit in (largest | {"stray_marks": 100, "dithering": 1}).items():
            if not 0 <= getattr(self, field) <= limit:
                got = getattr(self, field)
                raise ValueError(f"ZenerStyle: {field} must lie in 0..{limit}, got {got!r}")
        if self.stray_marks != int(self.stray_marks):
            raise ValueError(
                f"ZenerStyle: stray_marks must be a whole number, got {self.stray_marks!r}"
            )
        if self.antialiased and self.dithering:
            raise ValueError(
                f"ZenerStyle: dithering must be 0 for antialiased cards, got {self.dithering!r}"
            )

    @classmethod
    def report(cls) -> ZenerStyle:
        """Cards as the report of the Zener study drew them: symbols of 6 pixels to nearly the whole
        25, anywhere, lines of 1 to 3 pixels, turned by up to 135 degrees, partly cut off, dithered.
        """
        return cls(1.0, 0.44, 0.55, 135.0, 2, sketched=True, dithering=1.0)


DEFAULT_STYLE = ZenerStyle()


def zener_cards(
    count: int, seed: int, style: ZenerStyle = DEFAULT_STYLE, size: int | tuple[int, int] = 25
) -> Dataset:
    """Random Zener cards: circle O, plus P, square Q, star S and waves W, in black on white.

    - count: how many; no class has two cards more than another, and their order is random
    - size: the side of the square images in pixels, or (height, width); at least 16

    The images are uint8 (count, 1, height, width), 0 for ink and 255 for paper. Every symbol lies
    whole inside its image, unless the style is sketched or its position is above 1.

    The same arguments give the same bytes on every machine and with every version of NumPy: the
    random numbers are the raw ones of PCG64, and the one inexact step, sines and cosines, is
    rounded. With another position, size, thickness or orientation a card keeps its label
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
    # From elsewhere in the generator's cycle, so that more marks leave them as they are.
    forms = _uniform(np.random.PCG64(seed).jumped(), count, 1 + FORM)

    images = np.empty((count, 1, height, width), np.uint8)
    block = max(1, PIXELS_AT_ONCE // (height * width))
    for start in range(0, count, block):
        part = slice(start, start + block)
        ink = _stray_ink(marks[part], style, height, width)
        for label, letter in enumerate(CLASSES):
            cards = labels[part] == label
            card = geometry[part][cards], forms[part][cards]
            drawn = _symbol_ink(letter, *card, style, height, width)
            ink[cards] = np.maximum(ink[cards], drawn)
        grey, shade = np.clip(ink, 0, 1), ink >= 0.5
        if style.antialiased:
            shade = grey
        elif style.dithering:
            shade = dithered(shade + style.dithering * (grey - shade))
        images[part, 0] = 255 - np.rint(255 * shade)
    return Dataset(images, labels, CLASSES)


def _uniform(bits: np.random.PCG64, rows: int, columns: int) -> np.ndarray:
    """Numbers between -1 and 1, (rows, columns): odd multiples of 2^-16, so they are exact."""
    integers = (bits.random_raw(rows * columns) >> np.uint64(48)).astype(np.int64)
    return ((2 * integers + 1 - 2**16) / 2**16).reshape(rows, columns)


def _symbol_ink(
    letter: str, geometry: np.ndarray, form: np.ndarray, style: ZenerStyle, height: int, width: int
) -> np.ndarray:
    """How much of each pixel (N, H, W) the symbol covers: 0.5 on its edge, not yet cut to 0..1.

    geometry: (N, 5) of -1..1, the place of each card in the range of each amount; form: likewise
    what `_turned` and `sketch_distance` take.
    """
    size, thickness, tilt, right, down = geometry.T
    shorter = min(height, width)
    most = np.where(size < 0, style.size, min(style.size, LARGER))
    half_side = (HALF_SIDE + most * size) * shorter / 2
    half_side = np.maximum(half_side, SMALLEST[letter] if style.sketched else SMALLEST_HALF_SIDE)
    line = LINE * (1 + style.thickness * thickness) * shorter
    thickest = np.inf if style.sketched else np.maximum(1, THICKEST[letter] * half_side)
    line = np.clip(np.rint(line) if style.sketched else line, 1, thickest)
    angle = np.deg2rad(style.orientation * tilt)
    # The last bit of a sine differs between machines; rounded to 2^-20 it is the same on all.
    cosine, sine = (np.rint(f(angle) * 2**20) / 2**20 for f in (np.cos, np.sin))
    centre_x = width / 2 + style.position * right * (width / 2 - half_side)
    centre_y = height / 2 + style.position * down * (height / 2 - half_side)

    x, y = _pixel_centres(height, width)
    x, y = x - _each(centre_x), y - _each(centre_y)
    if style.sketched:
        half_side, line = _each(half_side), _each(line)
        upright = sketch_distance(letter, x, y, half_side, line, form[:, 1:]) <= line / 2
        return _turned(upright, cosine, sine, form[:, 0])
    scale = (half_side - line / 2) / symbol_reach(letter, cosine, sine)
    turned_x = (_each(cosine) * x + _each(sine) * y) / _each(scale)
    turned_y = (_each(cosine) * y - _each(sine) * x) / _each(scale)
    distance = symbol_distance(letter, turned_x, turned_y) * _each(scale)
    return _each(line) / 2 - distance + 0.5


def _turned(
    ink: np.ndarray, cosine: np.ndarray, sine: np.ndarray, smoothness: np.ndarray
) -> np.ndarray:
    """Black and white cards (N, H, W) turned about their centre.

    A pixel is looked up where it came from. Of the pixels around that place the nearest counts for
    all (a smoothness of 0 and less), or each for as much as it is near (1, which gives greys), or
    it is something in between.
    """
    n, height, width = ink.shape
    x, y = _pixel_centres(height, width)
    x, y, cosine, sine = x - width / 2, y - height / 2, _each(cosine), _each(sine)
    row = cosine * y - sine * x + (height - 1) / 2
    column = cosine * x + sine * y + (width - 1) / 2
    soft = _each(np.maximum(smoothness, 2.0**-16))
    places = []
    for place in (row, column):
        between = place - np.floor(place) - 0.5
        sharper = np.floor(place) + 0.5 + np.clip(between / soft, -0.5, 0.5)
        places.append(sharper.reshape(n, height * width))
    return bilinear(ink[:, None].astype(np.float64), *places)[:, 0]


def _stray_ink(marks: np.ndarray, style: ZenerStyle, height: int, width: int) -> np.ndarray:
    """How much of each pixel (N, H, W) the stray marks cover, as `_symbol_ink` says.

    marks: (N, 1 + 4 × the most marks) of -1..1: how many there are, then where each begins and how
    far it goes, across and down.
    """
    ink = np.zeros((len(marks), height, width))
    shorter = min(height, width)
    line = max(1, MARK_LINE * shorter)
    length = (DOT_LENGTH if style.sketched else MARK_LENGTH) * shorter
    most = int(style.stray_marks)
    number = np.floor((marks[:, 0] + 1) / 2 * (most + 1))
    x, y = _pixel_centres(height, width)
    for k in range(most):
        cards = number > k
        right, below, across, down = (_each(v) for v in marks[cards, 1 + 4 * k : 5 + 4 * k].T)
        start = (right + 1) / 2 * width, (below + 1) / 2 * height
        end = start[0] + across * length, start[1] + down * length
        drawn = line / 2 - segment_distance(x, y, start, end) + 0.5
        ink[cards] = np.maximum(ink[cards], drawn)
    return ink


def _pixel_centres(height: int, width: int) -> tuple[np.ndarray, np.ndarray]:
    return np.arange(width)[None, None, :] + 0.5, np.arange(height)[None, :, None] + 0.5


def _each(values: np.ndarray) -> np.ndarray:
    """One value a card (N,), so that it broadcasts over the card's pixels."""
    return values[:, None, None]
