"""The gradient of what a maximum pooling saw: of each window what came back, and who gets it.

Where no pixel lies in two windows, all pixels of a window but the winner get 0. So dy and the
winner are all there is to know. Who can use them so never spreads them out (the gradients of a
first convolution do); for everybody else that is done once, when `data` is asked for.
"""

from functools import cache

from numba import prange

from .contest import add_where_won
from .layout import Lanes, empty
from .runtime import LANES, inlined, kernel
from .simd import length, store, zeros
from .taps import backward, forward


class Unpooled(Lanes):
    """A batch (N, C, H, W) that is dy and winner (N, C, OH, OW) in memory: valid while they are."""

    __slots__ = ("buffers", "dy", "pixels", "window", "winner")

    def __init__(self, dy: Lanes, winner: Lanes, window, buffers) -> None:
        self.dy, self.winner, self.window, self.buffers = dy, winner, window, buffers
        self.count, self.cleared, self.pixels = dy.count, dy.cleared, None

    @property
    def stored(self):
        return self.dy.data if self.pixels is None else self.pixels

    @property
    def data(self):
        if self.pixels is None:
            pixels = empty(self.buffers, "dx", self.shape[1:], self.dy).data
            met, across = forward(self.window), self.window.kernel[1]
            hand_back(self.dy.data, self.winner.data, across, met.rows, met.columns, pixels)
            self.pixels = pixels
        return self.pixels

    @property
    def shape(self):
        return (self.count, self.dy.shape[1], *self.window.image)

    @property
    def dtype(self):
        return self.dy.dtype

    def windows(self):
        """What `spread_row` needs: dy, winner and KW, the tables of the pixel rows and windows."""
        rows, columns = backward(self.window).rows, forward(self.window).columns
        return self.dy.data, self.winner.data, self.window.kernel[1], rows, columns


def compact(batch):
    """Whether a batch is known by its windows, and nobody has asked for its pixels yet."""
    return isinstance(batch, Unpooled) and batch.pixels is None


@cache
def cover_once(window):
    """Whether every pixel lies in one window."""
    apart = all(s >= k for s, k in zip(window.stride, window.kernel))
    rows, _, columns, _ = forward(window)
    return apart and (rows[:, 2].sum(), columns[:, 2].sum()) == window.image


@kernel
def hand_back(dy, winner, across, rows, columns, dx):
    """A window writes all its pixels: dy where the pixel won, else 0."""
    blocks, channels, height, width, _ = dx.shape
    oh, ow = dy.shape[2], dy.shape[3]
    for item in prange(blocks * channels * oh):
        plane, i = item // oh, item % oh
        for m in range(rows[i, 2]):
            place = (plane * height + rows[i, 1] + m) * width * LANES
            spread_row(dy, winner, item * ow, (rows[i, 0] + m) * across, columns, dx, place)


@inlined
def spread_row(dy, winner, window, first, columns, dx, place):
    """A row of pixels from dx[place] on: dy where the pixel won, else 0.

    window: the number of the first window of the row; first: the tap of its column 0 in this row.
    columns: for each window its first tap's column, its first pixel, and how many are inside.
    """
    for j in range(len(columns)):
        tap, pixel = first + columns[j, 0], place + columns[j, 1] * LANES
        for q in range(0, LANES, length(dx)):
            for n in range(columns[j, 2]):
                o = (window + j) * LANES + q
                tile = add_where_won(zeros(1, 1, dx), dy, winner, o, tap + n)
                store(tile, dx, pixel + n * LANES + q, 0, 0, 1)
