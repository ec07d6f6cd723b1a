"""Draws the strip at the head of README and book: python docs/strip.py

A small network learns 1,000 cards. One unseen card then goes forward, in the upper row, and the
gradients of its loss come back, in the lower one; dark is large.
"""

from itertools import pairwise
from pathlib import Path

import numpy as np
from svg import Drawing

import minicnn as nn
from minicnn.data import zener_cards

PATH = Path(__file__).parent / "images" / "strip.svg"
LEVELS = 5  # of darkness
SIDE = 130  # of a card, and of a square of four maps
COLUMNS = 20, 250, 480, 720
ROWS = 34, 206


def trained() -> tuple[nn.Sequential, np.ndarray, int]:
    """The network, and a star that it has not seen, with its label."""
    cards, unseen = zener_cards(1000, seed=0), zener_cards(20, seed=1)
    network = nn.Sequential(
        nn.Conv2D(1, 4, 5, padding="same"), nn.ReLU(), nn.MaxPool2D(2),
        nn.Flatten(), nn.Dense(4 * 12 * 12, 5), seed=0,
    )  # fmt: skip
    nn.fit(network, nn.SoftmaxCrossEntropy(), nn.Adam(5e-3), cards, epochs=4, progress=False)
    star = unseen.classes.index("S")
    k = int(np.flatnonzero(unseen.labels == star)[0])
    return network, unseen.images[k : k + 1].astype("f") / 255, star


def strip(network: nn.Sequential, card: np.ndarray, label: int) -> Drawing:
    loss, there = nn.SoftmaxCrossEntropy(), [card]
    for layer in network.layers:
        there.append(layer.forward(there[-1], training=True))
    loss.forward(there[-1], np.array([label]))
    back = [loss.backward()]
    for layer in reversed(network.layers):
        back.append(layer.backward(back[-1]))
    back = back[::-1]  # back[k] is the gradient of there[k]

    drawing = Drawing(900)
    drawing.shapes.append("<style>.strip text { font-size: 22px; }</style><g class='strip'>")
    for x, name in zip(COLUMNS, ("a card", "convolution", "pooling", "which symbol?")):
        drawing.text(x + SIDE / 2, 14, name)
    for y, arrays, looks in zip(ROWS, (there, back), ("forward", "backward")):
        maps(drawing, COLUMNS[0], y, 1 - arrays[0][0] if arrays is there else arrays[0][0], looks)
        maps(drawing, COLUMNS[1], y, arrays[2][0], looks)
        maps(drawing, COLUMNS[2], y, arrays[3][0], looks)
        scores = np.exp(arrays[5][0]) if arrays is there else arrays[5][0]
        bars(drawing, COLUMNS[3], y, scores / np.abs(scores).sum(), looks)
        ends = pairwise(COLUMNS if looks == "forward" else COLUMNS[::-1])
        for start, end in ends:
            way = (start + SIDE + 12, end - 12) if start < end else (start - 12, end + SIDE + 12)
            drawing.arrow([(x, y + SIDE / 2) for x in way], f"{looks} wide")
    drawing.shapes.append("</g>")
    return drawing


def maps(drawing: Drawing, x: float, y: float, channels: np.ndarray, looks: str) -> None:
    """One channel, or four in a square."""
    many = len(channels) > 1
    side = (SIDE - 6) / 2 if many else SIDE
    for k, pixels in enumerate(channels):
        left, top = x + (side + 6) * (k % 2), y + (side + 6) * (k // 2)
        dark = np.abs(pixels) / np.abs(channels).max()
        drawing.rect(left, top, side, side, looks)
        for level in range(1, LEVELS + 1):
            way = runs(np.ceil(dark * LEVELS - 0.5) == level)
            scale = f"translate({left:g} {top:g}) scale({side / len(pixels):.4f})"
            drawing.shapes.append(
                f'<path d="{way}" transform="{scale}" class="tip {looks}" '
                f'style="opacity:{level / LEVELS:g}"/>'
            )


def runs(lit: np.ndarray) -> str:
    """A path over the pixels that are lit, from left to right."""
    way = []
    for i, row in enumerate(np.pad(lit.astype(int), ((0, 0), (1, 1)))):
        (starts,), (ends,) = np.nonzero(np.diff(row) > 0), np.nonzero(np.diff(row) < 0)
        way += [f"M{a} {i}h{b - a}v1h{a - b}z" for a, b in zip(starts, ends)]
    return "".join(way)


def bars(drawing: Drawing, x: float, y: float, scores: np.ndarray, looks: str) -> None:
    """Scores of the five symbols, up or down from a line."""
    base = y + (SIDE - 26 if looks == "forward" else SIDE / 2)
    for k, score in enumerate(scores):
        height = float(round((SIDE - 30) * abs(score), 1))
        top = base - height if score > 0 else base
        drawing.rect(x + 26 * k, top, 20, height, f"{looks} lit")
        if looks == "forward":
            drawing.text(x + 26 * k + 10, y + SIDE - 10, "OPQSW"[k])  # circle, plus, square …
    drawing.line([(x - 4, base), (x + SIDE + 4, base)])


if __name__ == "__main__":
    strip(*trained()).save(PATH)
    print(PATH)
