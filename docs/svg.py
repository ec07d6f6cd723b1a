"""Drawings as SVG, made for a phone's width: grids of numbers, boxes, wires, curves.

What goes forward is blue, what comes back is orange and dashed, so that it also differs in grey.
Text and lines take light or dark colours with the page (`light-dark`), or with the reader's system.
"""

from collections.abc import Sequence
from html import escape
from pathlib import Path

import numpy as np

WIDTH = 360  # pixels at a text size of 13
CELL = 32

STYLE = """
.drawing { color-scheme: light dark; font-family: system-ui, sans-serif; }
.drawing text { fill: #222; fill: light-dark(#222, #ddd); text-anchor: middle; font-size: 13px; }
.drawing .left { text-anchor: start; }
.drawing .small { font-size: 11px; }
.drawing .smaller { font-size: 9.5px; }
.drawing .said { font-style: italic; text-anchor: start; }
.drawing rect, .drawing circle { fill: #fff; fill: light-dark(#fff, #1b1c1e); }
.drawing rect, .drawing circle, .drawing path { stroke: #444; stroke: light-dark(#444, #bbb); }
.drawing path { fill: none; }
.drawing .thin { stroke: #999; stroke: light-dark(#aaa, #666); }
.drawing .forward { stroke: #0067ac; stroke: light-dark(#0067ac, #6fbcf5); }
.drawing .backward { stroke: #c24a00; stroke: light-dark(#c24a00, #ff9d5c); stroke-dasharray: 4 2; }
.drawing .wide { stroke-width: 1.8; }
.drawing rect.forward.lit { fill: #bcdcf5; fill: light-dark(#bcdcf5, #17496f); }
.drawing rect.backward.lit { fill: #ffdcc2; fill: light-dark(#ffdcc2, #6d360f); }
.drawing text.forward { fill: #0067ac; fill: light-dark(#0067ac, #6fbcf5); stroke: none; }
.drawing text.backward { fill: #b04300; fill: light-dark(#b04300, #ff9d5c); stroke: none; }
.drawing .tip { fill: #444; fill: light-dark(#444, #bbb); stroke: none; }
.drawing .tip.forward { fill: #0067ac; fill: light-dark(#0067ac, #6fbcf5); }
.drawing .tip.backward { fill: #c24a00; fill: light-dark(#c24a00, #ff9d5c); }
"""


class Drawing:
    """Shapes at pixels (x, y) from the top left; `looks` are names of STYLE."""

    def __init__(self, width: float = WIDTH) -> None:
        self.width, self.height, self.shapes = width, 0.0, list[str]()

    def text(self, x: float, y: float, words: str, looks: str = "") -> None:
        """words, their middle at y."""
        self.grow(y + 8)
        self.shapes.append(f'<text x="{x:g}" y="{y + 4.5:g}"{of(looks)}>{escape(words)}</text>')

    def rect(self, x: float, y: float, width: float, height: float, looks: str = "") -> None:
        self.grow(y + height + 1)
        self.shapes.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}"{of(looks)}/>'
        )

    def circle(self, x: float, y: float, radius: float, looks: str = "") -> None:
        self.grow(y + radius + 1)
        self.shapes.append(f'<circle cx="{x:g}" cy="{y:g}" r="{radius:g}"{of(looks)}/>')

    def line(self, points: Sequence[tuple[float, float]], looks: str = "") -> None:
        self.grow(max(y for _, y in points) + 1)
        way = "L".join(f"{x:.4g} {y:.4g}" for x, y in points)
        self.shapes.append(f'<path d="M{way}"{of(looks)}/>')

    def arrow(self, points: Sequence[tuple[float, float]], looks: str = "") -> None:
        """A line with a tip at its last point."""
        self.line(points, looks)
        (x0, y0), (x, y) = points[-2:]
        length = np.hypot(x - x0, y - y0)
        a, b = 7 * (x - x0) / length, 7 * (y - y0) / length  # back along the line, and beside it
        corners = ((x, y), (x - a - b / 2, y - b + a / 2), (x - a + b / 2, y - b - a / 2))
        way = "L".join(f"{u:.4g} {v:.4g}" for u, v in corners)
        self.shapes.append(f'<path d="M{way}Z"{of(f"tip {looks}")}/>')

    def grid(self, x: float, y: float, array: np.ndarray, looks: str, lit=None) -> None:
        """A matrix as cells with numbers; those where `lit` are filled."""
        for (i, j), value in np.ndenumerate(array):
            bright = " lit" if lit is not None and lit[i, j] else ""
            self.rect(x + j * CELL, y + i * CELL, CELL, CELL, looks + bright)
            number = f"{value:.3g}".replace("-", "−")
            if len(number) > 5:  # wider than the cell
                number = number.replace("0.", ".", 1)
            size = "" if len(number) < 4 else "small" if len(number) < 5 else "smaller"
            self.text(x + (j + 0.5) * CELL, y + (i + 0.5) * CELL, number, size)

    def grow(self, height: float) -> None:
        self.height = max(self.height, height)

    def svg(self) -> str:
        size = f"{self.width:g} {self.height + 4:g}"
        wide, high = size.split()
        head = f'<svg class="drawing" viewBox="0 0 {size}" width="{wide}" height="{high}" '
        head += 'xmlns="http://www.w3.org/2000/svg">'
        return "\n".join([head, f"<style>{STYLE}</style>", *self.shapes, "</svg>\n"])

    def save(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.svg(), encoding="utf-8")


def of(looks: str) -> str:
    return f' class="{looks}"' if looks else ""
