"""The five symbols drawn another way: as Pillow's lines and ellipses, large, turned, shrunk."""

from itertools import product
from math import cos, pi, sin

import numpy as np
from PIL import Image, ImageDraw

CANVAS, SIDE = 400, 25


def outline(letter, radius):
    """The symbol's strokes as lists of points around the centre."""

    def around(angles, radii):
        return [(r * sin(a), -r * cos(a)) for a, r in zip(angles, radii)]

    r = radius
    if letter == "O":
        return [around(np.linspace(0, 2 * pi, 73), [r] * 73)]
    if letter == "P":
        return [[(-r, 0), (r, 0)], [(0, -r), (0, r)]]
    if letter == "Q":
        s = 0.8 * r
        return [[(-s, -s), (s, -s), (s, s), (-s, s), (-s, -s), (s, -s)]]
    if letter == "S":
        return [around(np.arange(12) * pi / 5, [r, 0.45 * r] * 6)]
    heights = np.linspace(-r, r, 41)
    wave = 0.14 * r * np.sin(3 * pi * heights / r / 1.2)
    return [list(zip(shift * r + wave, heights)) for shift in (-0.55, 0, 0.55)]


def draw(letter, thickness, tilt, radius):
    """uint8 (25, 25), 255 paper and 0 ink; thickness and radius in pixels, tilt in degrees."""
    scale = CANVAS / SIDE
    image = Image.new("L", (CANVAS, CANVAS), 255)
    pen = ImageDraw.Draw(image)
    for stroke in outline(letter, radius * scale):
        points = [(CANVAS / 2 + x, CANVAS / 2 + y) for x, y in stroke]
        pen.line(points, fill=0, width=round(thickness * scale), joint="curve")
    image = image.rotate(tilt, Image.Resampling.BICUBIC, fillcolor=255)
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX)
    return np.where(np.asarray(small) > 127, 255, 0).astype(np.uint8)


def plain_symbols(classes):
    """Every symbol thin, middling and thick, upright and tilted up to 45°, small and large."""
    images, labels = [], []
    for letter, thickness, tilt, radius in product(
        classes, (1.2, 2.0, 2.8), (-45, -30, -15, 0, 15, 30, 45), (6.5, 8.0, 9.5)
    ):
        pen = 0.6 * thickness if letter == "W" else thickness  # three lines need room
        images.append(draw(letter, pen, tilt, radius)[None])
        labels.append(classes.index(letter))
    return np.array(images), np.array(labels)
