"""Drawings of windows over numbers, and of curves. `drawings.py` draws all of them."""

from collections.abc import Callable

import numpy as np
from svg import CELL, WIDTH, Drawing

# ── windows ──────────────────────────────────────────────────────────────────────────────────────


def numbers(*rows: list) -> np.ndarray:
    return np.array(rows, float)


def part_of(shape: tuple[int, int], row: int, column: int, side: int = 2) -> np.ndarray:
    lit = np.zeros(shape, bool)
    lit[row : row + side, column : column + side] = True
    return lit


def convolution_window() -> Drawing:
    drawing, first = Drawing(), np.array([[True, False], [False, False]])
    image, kernel = numbers([1, 2, 0], [0, 1, 3], [2, 0, 1]), numbers([1, 0], [2, 1])
    for x, y, name, array, lit in (
        (5, 26, "image", image, part_of((3, 3), 0, 0)), (137, 42, "kernel", kernel, None),
        (235, 42, "output", numbers([2, 7], [4, 2]), first),
    ):  # fmt: skip
        drawing.text(x + array.shape[1] * CELL / 2, y - 11, name)
        drawing.grid(x, y, array, "forward", lit)
    drawing.text(119, 74, "∗")
    drawing.text(218, 74, "=")
    drawing.text(WIDTH / 2, 138, "1·1 + 2·0 + 0·2 + 1·1 = 2")
    return drawing


def convolution_sizes() -> Drawing:
    drawing, side = Drawing(), 24
    rows = (
        ("stride 1", 0, (0, 1, 2)), ("stride 2", 0, (0, 2)), ("padding 1", 1, (-1, 0, 1, 2, 3)),
    )  # fmt: skip
    y = 10.0
    for name, padding, places in rows:
        drawing.text(2, y + 12, f"{name}: {len(places)} places", "left")
        left = 190
        for k in range(-padding, 5 + padding):
            looks = "forward" if 0 <= k < 5 else "thin"
            drawing.rect(left + k * side, y, side, side, looks)
            if not 0 <= k < 5:
                drawing.text(left + (k + 0.5) * side, y + side / 2, "0", "small")
        for row, k in enumerate(places):
            drawing.line([(left + k * side + 3, y + side + 8 + 6 * row),
                          (left + (k + 3) * side - 3, y + side + 8 + 6 * row)],
                         "forward wide")  # fmt: skip
        y += side + 22 + 6 * len(places)
    return drawing


def convolution_channels() -> Drawing:
    drawing, side = Drawing(), 17

    def plane(x: float, y: float, size: int, looks: str, window: int = 0) -> None:
        for i, j in np.ndindex(size, size):
            lit = " lit" if i < window and j < window else ""
            drawing.rect(x + j * side, y + i * side, side, side, looks + lit)

    for k, y in enumerate((24, 140)):
        plane(4, y, 5, "forward", 3)
        drawing.text(105, y + 42, "∗")
        plane(120, y + 17, 3, "forward", 3)
        drawing.text(46, y - 11, f"channel {k}")
        drawing.text(146, y + 5, f"kernel {k}", "small")
        drawing.arrow([(176, y + 42), (232, 118 + 16 * k)], "forward")
    drawing.text(214, 126, "+")
    plane(240, 100, 3, "forward", 1)
    drawing.text(266, 87, "filter's output")
    drawing.text(330, 126, "+ b")
    return drawing


def pooling_windows() -> Drawing:
    drawing = Drawing()
    image = numbers([1, 5, 2, 0], [3, 4, 1, 6], [9, 2, 0, 1], [7, 0, 2, 2])
    windows = np.kron(np.array([[1, 0], [0, 1]]), np.ones((2, 2))) > 0
    drawing.grid(2, 24, image, "forward", windows)
    drawing.text(66, 12, "x")
    drawing.arrow([(138, 88), (160, 88)], "forward")
    two = windows[::2, ::2]
    drawing.grid(170, 56, numbers([5, 6], [9, 2]), "forward", two)
    drawing.text(202, 44, "maximum")
    drawing.grid(270, 56, numbers([3.25, 2.25], [4.5, 1.25]), "forward", two)
    drawing.text(302, 44, "mean")
    return drawing


def dropout_mask() -> Drawing:
    drawing = Drawing()
    for y, name, row in ((4, "x", [2, 4, 6, 8]), (44, "mask", [0, 2, 2, 0]),
                         (92, "y", [0, 8, 12, 0])):  # fmt: skip
        drawing.text(60, y + 16, name)
        drawing.grid(100, y, numbers(row), "forward", np.array([[False, True, True, False]]))
    drawing.text(88, 60, "×")
    drawing.line([(96, 84), (232, 84)])
    drawing.text(300, 60, "0, or 1/(1 − p) = 2", "small")
    return drawing


def transposed_picture() -> Drawing:
    drawing = Drawing()
    painted = numbers([1, 0, 2, 0], [2, 1, 4, 2], [3, 0, 4, 0], [6, 3, 8, 4])
    drawing.grid(2, 56, numbers([1, 2], [3, 4]), "forward", part_of((2, 2), 1, 1, 1))
    drawing.text(34, 44, "x")
    drawing.text(82, 88, "∗ᵀ")
    drawing.grid(100, 56, numbers([1, 0], [2, 1]), "forward")
    drawing.text(132, 44, "kernel")
    drawing.text(184, 88, "=")
    drawing.grid(204, 24, painted, "forward", part_of((4, 4), 2, 2))
    drawing.text(268, 12, "y, stride 2")
    return drawing


# ── curves ───────────────────────────────────────────────────────────────────────────────────────


def curve(
    drawing: Drawing, box: tuple[float, float, float, float], ranges: tuple[float, float],
    formulas: dict[str, tuple[Callable, str]], heights: tuple[float, float],
) -> None:  # fmt: skip
    """formulas over a range, in a box (x, y, width, height) whose top and bottom are heights."""
    x, y, width, height = box
    (low, high), (bottom, top) = ranges, heights

    def at(u: float, v: float) -> tuple[float, float]:
        return (x + width * (u - low) / (high - low), y + height * (top - v) / (top - bottom))

    drawing.line([at(low, 0), at(high, 0)], "thin")
    drawing.line([at(0, bottom), at(0, top)], "thin")
    for formula, looks in formulas.values():
        points = [at(u, formula(u)) for u in np.linspace(low, high, 61)]
        drawing.line([(round(a), round(b, 1)) for a, b in points], looks)


def relu_curve() -> Drawing:
    drawing = Drawing()
    box = (10, 10, 150, 90)
    curve(drawing, box, (-3, 3), {"y": (lambda u: max(u, 0), "forward wide")}, (-0.6, 3))
    drawing.text(85, 116, "y = max(x, 0)", "forward")
    box = (200, 10, 150, 90)
    curve(drawing, box, (-3, 3), {"s": (lambda u: float(u > 0), "backward wide")}, (-0.2, 1.2))
    drawing.text(275, 116, "its slope: 0 or 1", "backward")
    return drawing


def sigmoid_tanh() -> Drawing:
    def sigmoid(u: float) -> float:
        return float(1 / (1 + np.exp(-u)))

    drawing = Drawing()
    functions = ((sigmoid, lambda u: sigmoid(u) * (1 - sigmoid(u)), "sigmoid", "1/4"),
                 (np.tanh, lambda u: 1 - np.tanh(u) ** 2, "tanh", "1"))  # fmt: skip
    for k, (function, slope, name, most) in enumerate(functions):
        x = 10 + 180 * k
        curve(drawing, (x, 20, 150, 80), (-6, 6), {"": (function, "forward wide")}, (-1.1, 1.1))
        curve(drawing, (x, 125, 150, 60), (-6, 6), {"": (slope, "backward wide")}, (-0.1, 1.1))
        drawing.text(x + 75, 10, name, "forward")
        drawing.text(x + 75, 200, f"slope: at most {most}", "backward")
    return drawing


def initialisation() -> Drawing:
    """Powers of a half, one and two, for layers 0 to 20."""
    drawing, left, right, middle = Drawing(), 60.0, 285.0, 95.0
    drawing.line([(left, 10), (left, 180), (right, 180)], "thin")
    for power in (-6, 0, 6):
        drawing.text(30, middle - 13 * power, f"10{'⁻' * (power < 0)}{'⁶' if power else '⁰'}")
    for factor, words in ((2, "weights × 2"), (1, "right"), (0.5, "weights × ½")):
        end = middle - 13 * 20 * np.log10(factor)
        drawing.arrow([(left, middle), (right, float(round(end)))], "forward wide")
        drawing.text(right + 36, end, words, "small")
    drawing.text((left + right) / 2, 196, "20 layers →")
    drawing.text(left + 6, 12, "size of the numbers", "left small")
    return drawing


PICTURES = (
    convolution_window, convolution_sizes, convolution_channels, pooling_windows, dropout_mask,
    transposed_picture, relu_curve, sigmoid_tanh, initialisation,
)  # fmt: skip
