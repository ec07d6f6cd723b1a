"""Draws the examples of Backprop by hand: python docs/drawings.py

A picture is one row of arrays for the way forward and one for the way back, with the numbers of the
chapter's example; the layers themselves compute them. Filled cells are those that the text above a
row speaks of. `wires.py` and `windows.py` have the drawings that need no layer.
"""

import textwrap
from pathlib import Path

import numpy as np
import windows
import wires
from svg import CELL, WIDTH, Drawing

import minicnn as nn

FOLDER = Path(__file__).parent / "images" / "backprop"


def picture(*rows: tuple) -> Drawing:
    """rows: (what happens, parts); a part is an array, (name, numbers, lit), or a sign."""
    drawing, top = Drawing(), 0.0
    for happens, *parts in rows:
        for words in textwrap.wrap(happens, 47):
            drawing.text(2, top + 10, words, "said")
            top += 18
        for line in lines_of(parts):
            top = draw(drawing, top + 22, line) + 12
        top += 8
    return drawing


def lines_of(parts: list) -> list[list]:
    """The parts, broken into lines where they are wider than a phone."""
    lines, unit = [[]], []
    for part in parts:
        unit.append(part)
        if type(part) is tuple:  # with the sign in front of it
            if lines[-1] and sum(map(part_width, [*lines[-1], *unit])) > WIDTH:
                lines.append([])
            lines[-1] += unit
            unit = []
    return lines


def part_width(part: tuple | str) -> float:
    return part[1].shape[1] * CELL + 6 if type(part) is tuple else 12 + 7 * len(part)


def draw(drawing: Drawing, top: float, parts: list) -> float:
    """A line of arrays under their names; where it ends."""
    height = max(len(part[1]) for part in parts if type(part) is tuple) * CELL
    left = 2.0
    for part in parts:
        width = part_width(part)
        if type(part) is tuple:
            name, array, *lit = part
            y = top + (height - len(array) * CELL) / 2
            drawing.text(left + (width - 6) / 2, y - 10, name)
            # What comes back is named d…; "2 · w" is the share of one output on its way back.
            way = "backward" if name[0] in "d12" else "forward"
            drawing.grid(left, y, array, way, *lit)
        else:
            drawing.text(left + width / 2 - 3, top + height / 2, part)
        left += width
    return top + height


# ── a picture for each chapter ───────────────────────────────────────────────────────────────


def dense() -> Drawing:
    layer, x, dy = nn.Dense(2, 1), rows_of([1, 4], [5, 0]), rows_of([1], [10])
    layer.weight.value, layer.bias.value = [[2, -1]], [3]
    y, dx = passes(layer, x, dy)
    w, dw = layer.weight.value, layer.weight.grad
    row = np.array([[0, 0], [1, 1]], bool)  # the second image
    one = row[:, :1]
    return picture(
        ("forward: an image is a row; its output adds it up, weighted",
         ("x", x, row), "·", ("wᵀ", w.T), "+ 3 =", ("y", y, one)),
        ("backward to the weights: what came in, weighted by how much its output matters",
         ("dyᵀ", dy.T, one.T), "·", ("x", x, row), "=", ("dw", dw)),
        ("backward to the input: the same weights, the other way",
         ("dy", dy, one), "·", ("w", w), "=", ("dx", dx, row)),
    )  # fmt: skip


def relu() -> Drawing:
    x, dy = rows_of([-2, 0, 3, 1]), rows_of([5, 6, -7, 8])
    y, dx = passes(nn.ReLU(), x, dy)
    return picture(
        ("forward: what is above 0 passes (filled)", ("x", x, x > 0), "→", ("y", y, x > 0)),
        ("backward: the same places are open, whatever the gradient's sign",
         ("dy", dy, x > 0), "→", ("dx", dx, x > 0)),
    )  # fmt: skip


def softmax_cross_entropy() -> Drawing:
    loss, logits, label = nn.SoftmaxCrossEntropy(), np.log(rows_of([1, 2, 5])), 1
    loss.forward(logits, np.array([label]))
    dz, right = loss.backward(), np.arange(3)[None] == label
    powers = np.exp(logits)
    p = powers / powers.sum()
    return picture(
        ("forward: logits become probabilities; the loss is −log of the right one (filled)",
         ("z", logits), "exp", ("eᶻ", powers), "÷ 8", ("p", p, right)),
        ("backward: p, and 1 less at the right class; the numbers add up to 0",
         ("p", p, right), "−", ("t", right * 1.0, right), "=", ("dz", dz, right)),
    )  # fmt: skip


def convolution() -> Drawing:
    layer = nn.Conv2D(1, 1, 2, bias=False)
    layer.weight.value = [[[[1, 0], [2, 1]]]]
    x, dy = rows_of([1, 2, 0], [0, 1, 3], [2, 0, 1]), rows_of([1, 0], [0, 2])
    y, dx = (a[0, 0] for a in passes(layer, x[None, None], dy[None, None]))
    w, dw = layer.weight.value[0, 0], layer.weight.grad[0, 0]
    window, last = corner(3, 1), corner(2, 1, 1)
    first, second = np.zeros((3, 3)), np.zeros((3, 3))
    first[:2, :2], second[1:, 1:] = w, 2 * w
    return picture(
        ("forward: the kernel meets every window; here the last one (filled)",
         ("x", x, window), "∗", ("w", w), "=", ("y", y, last)),
        ("backward to the kernel: what each window saw, weighted by its output's gradient",
         "1 ·", ("window (0,0)", x[:2, :2]), "+ 2 ·", ("window (1,1)", x[1:, 1:]), "=", ("dw", dw)),
        ("backward to the image: each output paints the kernel where it looked",
         ("1 · w at (0,0)", first, corner(3, 0)), "+", ("2 · w at (1,1)", second, window), "=",
         ("dx", dx)),
    )  # fmt: skip


def pooling() -> Drawing:
    x, dy = rows_of([1, 2, 0], [0, 5, 3], [2, 0, 1]), rows_of([1, 2], [3, 4])
    largest, mean = nn.MaxPool2D(2, stride=1), nn.AvgPool2D(2, stride=1)
    y, dx = (a[0, 0] for a in passes(largest, x[None, None], dy[None, None]))
    _, spread = (a[0, 0] for a in passes(mean, x[None, None], dy[None, None]))
    return picture(
        ("forward: of each 2 × 2 window the largest; the 5 (filled) wins all four",
         ("x", x, x == 5), "→", ("y", y)),
        ("backward: the winner gets what its windows send; 1 + 2 + 3 + 4",
         ("dy", dy), "→", ("dx", dx, x == 5)),
        ("backward of the mean: a quarter to each pixel of the window, added up",
         ("dy", dy), "→", ("dx of the mean", spread)),
    )  # fmt: skip


def batch_norm() -> Drawing:
    layer = nn.BatchNorm(1)
    layer.gamma.value, layer.beta.value = [2], [5]
    x, dy = rows_of([1], [2], [6]), rows_of([1], [0], [0])
    y, dx = passes(layer, x, dy)
    x_hat = (y - 5) / 2
    return picture(
        (f"forward: minus μ = {x.mean():g}, divided by σ = {x.std():.3g}; then · 2 + 5",
         ("x", x), "→", ("x̂", x_hat), "→", ("y", y)),
        ("backward: only the first y matters (filled), but every x moved μ and σ",
         ("dy", dy, dy > 0), "→", ("dx", dx)),
    )  # fmt: skip


def dropout() -> Drawing:
    x, dy = rows_of([2, 4, 6, 8]), rows_of([1, 1, 10, 10])
    layer = nn.Dropout(0.5, seed=1)
    y, dx = passes(layer, x, dy)
    mask = y / x
    return picture(
        ("forward, in training: p = 1/2; what stays (filled) is doubled",
         ("x", x, mask > 0), "×", ("mask", mask, mask > 0), "=", ("y", y, mask > 0)),
        ("backward: the same mask", ("dy", dy, mask > 0), "×", ("mask", mask, mask > 0), "=",
         ("dx", dx, mask > 0)),
    )  # fmt: skip


def transposed_convolution() -> Drawing:
    layer = nn.ConvTranspose2D(1, 1, 2, stride=2, bias=False)
    layer.weight.value = [[[[1, 0], [2, 1]]]]
    x, dy = rows_of([1, 2], [3, 4]), np.ones((4, 4))
    y, dx = (a[0, 0] for a in passes(layer, x[None, None], dy[None, None]))
    return picture(
        ("forward: each pixel paints the kernel, times its value, two steps apart",
         ("x", x, corner(2, 1, 1)), "∗ᵀ", ("w", layer.weight.value[0, 0]), "=",
         ("y", y, corner(4, 2))),
        ("backward to the input: a convolution; each pixel gathers where it painted",
         ("dy", dy, corner(4, 2)), "∗", ("w", layer.weight.value[0, 0]), "=",
         ("dx", dx, corner(2, 1, 1))),
    )  # fmt: skip


def rows_of(*rows: list) -> np.ndarray:
    return np.array(rows, float)


def corner(size: int, start: int, side: int = 2) -> np.ndarray:
    """A square of True in a square of False."""
    lit = np.zeros((size, size), bool)
    lit[start : start + side, start : start + side] = True
    return lit


def passes(layer, x: np.ndarray, dy: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """What the layer makes of x on the way forward and of dy on the way back."""
    y = layer.astype("float64").forward(x, training=True)
    return y, layer.backward(dy)


PICTURES = (
    dense, relu, softmax_cross_entropy, convolution, pooling, batch_norm, dropout,
    transposed_convolution, *wires.PICTURES, *windows.PICTURES,
)  # fmt: skip

if __name__ == "__main__":
    for make in PICTURES:
        path = FOLDER / f"{make.__name__.replace('_', '-')}.svg"
        make().save(path)
        print(path.relative_to(FOLDER.parent.parent))
