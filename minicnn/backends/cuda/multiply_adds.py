"""The products of two panels, one multiply-add after the other: each thread those of its own piece.

For float64, and for GPUs older than Ampere; `tensor_cores.py` does the same for float32.
"""

from .device import cuda, device, index
from .panels import take_columns, take_rows, thread_at


def panel_products(tile):
    """The function that adds them: sums[r, s] += Σ_k a(k, own row r) · b(k, own column s)."""
    R, S = tile.rows, tile.columns
    place, rows_of_a, columns_of_b = thread_at(tile), take_rows(tile), take_columns(tile, 1)
    of_a, of_b = (R, 2), (S, 2)

    @device
    def add_two(k, panel_a, panel_b, row, column, sums):
        a, b = cuda.local.array(of_a, sums.dtype), cuda.local.array(of_b, sums.dtype)
        rows_of_a(panel_a, k, row, a, 0)
        columns_of_b(panel_b, k, index(2 * column), b, 0)
        for e in range(2):
            for r in range(R):
                for s in range(S):
                    sums[r, s] += a[r, e] * b[s, e]

    @device
    def add(panel_a, panel_b, t, sums):
        row, column = place(t)
        # Written out: a loop so long stays one, and its arrays out of the registers. (For a
        # bare 0, 2, 4 … numba would compile the function once for each.)
        add_two(index(0), panel_a, panel_b, row, column, sums)
        add_two(index(2), panel_a, panel_b, row, column, sums)
        add_two(index(4), panel_a, panel_b, row, column, sums)
        add_two(index(6), panel_a, panel_b, row, column, sums)
        add_two(index(8), panel_a, panel_b, row, column, sums)
        add_two(index(10), panel_a, panel_b, row, column, sums)
        add_two(index(12), panel_a, panel_b, row, column, sums)
        add_two(index(14), panel_a, panel_b, row, column, sums)

    return add
