"""What lies where in a block that computes a piece of a product: threads, pieces, panels.

The threads of a warp stand in 8 rows of 4, the warps side by side and below each other; so each
thread has a row and a column in its block. Its piece of c is at the rows 2 · row + 0..1 and two
more for each turn further on, and at the columns 2 · column + 0..1 and two more for each turn.

A panel has DEPTH numbers k of the block's rows of a, or of its columns of b. A thread takes two k
at once, and two rows of a; they lie side by side, for one instruction loads four numbers:

    panel of a:  (k, m) (k, m+1) (k+1, m) (k+1, m+1)   then the next two m; then the next two k
    panel of b:  (k, n) (k+1, n)                       then the next n; then the next two k
"""

from typing import NamedTuple

from .device import SIMULATED, device, index, quotient, remainder

DEPTH = 16
BYTES = None if SIMULATED else 16  # where a panel begins, for loads of four numbers at once
PAD = 4  # numbers behind a panel's rows, so that threads at other k meet banks of their own
WARP_ROWS, WARP_COLUMNS = (2, 2) if SIMULATED else (8, 4)
WARP = WARP_ROWS * WARP_COLUMNS


class Tile(NamedTuple):
    """Threads of a block along the rows and columns of c, and each thread's piece of it.

    beside: blocks that must find room side by side in a multiprocessor. While some of them wait,
    others compute; the compiler may give a thread so many registers (of 65,536) and no more.
    tensor_cores: whether those multiply; see `tensor_cores.py`.
    """

    thread_rows: int
    thread_columns: int
    rows: int
    columns: int
    beside: int
    tensor_cores: bool = False

    @property
    def threads(self) -> int:
        return self.thread_rows * self.thread_columns

    @property
    def shape(self) -> tuple[int, int]:
        return self.thread_rows * self.rows, self.thread_columns * self.columns

    def carried(self, width: int) -> int:
        """Numbers that each thread brings to a panel of so many rows or columns."""
        return width * DEPTH // self.threads


def thread_at(tile):
    """place(t): the row and column of thread t in its block."""
    across = tile.thread_columns // WARP_COLUMNS

    @device
    def place(t):
        warp, lane = quotient(t, WARP), remainder(t, WARP)
        row = quotient(warp, across) * WARP_ROWS + quotient(lane, WARP_COLUMNS)
        column = remainder(warp, across) * WARP_COLUMNS + remainder(lane, WARP_COLUMNS)
        return index(row), index(column)

    return place


@device
def further(k, threads):
    """How far a thread's k-th row or column is from its first: two side by side, then a gap."""
    return k // 2 * 2 * threads + k % 2


def at_a(width):
    """at(k, m): where that is in a panel of a with so many rows."""

    @device
    def at(k, m):
        pair = quotient(k, 2) * 2 * (width + PAD) + quotient(m, 2) * 4
        return index(pair + remainder(k, 2) * 2 + remainder(m, 2))

    return at


def at_b(width):
    """at(k, n): where that is in a panel of b with so many columns."""

    @device
    def at(k, n):
        return index(quotient(k, 2) * 2 * (width + PAD) + 2 * n + remainder(k, 2))

    return at


# What a thread takes of a panel is said as a place and constant distances from it, which `at` would
# give as well: so the compiler sees that four numbers lie side by side.


def take_rows(tile):
    """taken[r, first + e] = a(k + e, r-th row) for e = 0, 1, an even k and the rows of a thread."""
    R, step, pair = tile.rows, 4 * tile.thread_rows, 2 * (tile.shape[0] + PAD)

    @device
    def take(panel, k, row, taken, first):
        start = index(quotient(k, 2) * pair + 4 * row)
        for r in range(R):
            for e in range(2):
                taken[r, first + e] = panel[index(start + index(r // 2 * step + 2 * e + r % 2))]

    return take


def take_columns(tile, each):
    """taken[s, first + e] = b(k + e, column `each` · s of those that a thread at n would have)."""
    S, pair, threads = tile.columns, 2 * (tile.shape[1] + PAD), tile.thread_columns

    @device
    def take(panel, k, n, taken, first):
        start = index(quotient(k, 2) * pair + 2 * n)
        for s in range(0, S, each):
            for e in range(2):
                at = index(start + index(2 * further(s, threads) + e))
                taken[s // each, first + e] = panel[at]

    return take
