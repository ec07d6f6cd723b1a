"""Which taps meet which pixels: the geometry of a window as small tables for the kernels.

Output (i, j) and tap (u, v) meet at pixel (i·s + u·d − p, j·s + v·d − p). A tap that would meet the
padding is in no table, so the kernels compute nothing for it and need no test.
"""

from functools import cache
from math import gcd
from typing import NamedTuple

import numpy as np

from ..numpy.convolution import padded_size
from ..window import Window
from .runtime import LANES

# ── for the tiles over taps ──────────────────────────────────────────────────────────────────


class Meetings(NamedTuple):
    """Which taps an output meets, and at which pixels, along each axis.

    rows[i] = (first tap, first pixel, number of taps) of output row i; from one tap to the next,
    the tap moves by steps[0] and the pixel by steps[1]. So for columns.
    """

    rows: np.ndarray
    row_steps: tuple[int, int]
    columns: np.ndarray
    column_steps: tuple[int, int]


@cache
def forward(window: Window) -> Meetings:
    """Output i meets tap u at pixel i·s + u·d − p."""
    axes = []
    for k, s, p, n, outputs, d in zip(*window):
        met = [[(u, i * s + u * d - p) for u in range(k) if 0 <= i * s + u * d - p < n]
               for i in range(outputs)]  # fmt: skip
        axes += [first_and_count(met), (1, d)]
    return Meetings(*axes)


@cache
def backward(window: Window) -> Meetings:
    """Pixel h meets tap u at output (h + p − u·d) / s, where that is whole."""
    axes = []
    for k, s, p, n, outputs, d in zip(*window):
        met = [[(u, (h + p - u * d) // s) for u in range(k)
                if (h + p - u * d) % s == 0 and 0 <= (h + p - u * d) // s < outputs]
               for h in range(n)]  # fmt: skip
        axes += [first_and_count(met), (s // gcd(s, d), -(d // gcd(s, d)))]
    return Meetings(*axes)


def first_and_count(met):
    return np.array([(*taps[0], len(taps)) if taps else (0, 0, 0) for taps in met], np.int64)


# ── for the weight gradient's tiles ──────────────────────────────────────────────────────────


class Columns(NamedTuple):
    """What the columns of the weight-gradient's tiles are, for each group and each of its steps.

    starts[group, step, column]: the number of x that meets output (0, 0), in its first block
    ranges[step] = (first row, last row + 1, first column, last column + 1) of the outputs to visit
    """

    starts: np.ndarray
    ranges: np.ndarray


@cache
def channel_columns(window: Window, channels: int, columns: int) -> Columns:
    """A group is so many channels, a step is a tap: only the outputs whose pixel is inside."""
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), (dh, dw) = window
    u, v = (a.ravel() for a in np.mgrid[:kh, :kw])
    down, right = u * dh - top, v * dw - left  # from an output's first pixel to the tap's
    c = np.arange(-(-channels // columns) * columns).reshape(-1, 1, columns)
    inside = np.minimum(c, channels - 1)
    shift = (down * width + right)[None, :, None]
    ranges = [
        np.maximum(0, -(down // sh)),
        np.minimum(oh, (height - 1 - down) // sh + 1),
        np.maximum(0, -(right // sw)),
        np.minimum(ow, (width - 1 - right) // sw + 1),
    ]
    return Columns((inside * height * width + shift) * LANES, np.stack(ranges, 1))


@cache
def tap_columns(window: Window, channels: int, columns: int) -> Columns:
    """One group, a step is so many taps, all outputs: for x with its padding around it."""
    (kh, kw), (oh, ow), (dh, dw) = window.kernel, window.output, window.dilation
    height, width = padded_size(window)
    weights = channels * kh * kw
    weight = np.arange(-(-weights // columns) * columns).reshape(1, -1, columns)
    c, u, v = np.unravel_index(np.minimum(weight, weights - 1), (channels, kh, kw))
    ranges = np.tile(np.array([0, oh, 0, ow]), (weight.shape[1], 1))
    return Columns(((c * height + u * dh) * width + v * dw) * LANES, ranges)
