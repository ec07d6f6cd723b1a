"""Three more functions of tiles (see `simd.py`), for Winograd's transforms and products.

What stands here says in NumPy what each computes; compiled kernels get instructions
(`llvm/winograd.py`).
"""

import numpy as np

from ..minimal import matrices
from .llvm import winograd as llvm
from .simd import compiled_as, load_tile, zeros


@compiled_as(llvm.load_inside)
def load_inside(rows, x, o, step, first, last):
    """A tile with x[o + r·step : … + L] in row r where first ≤ r < last, else 0."""
    tile = zeros(rows, 1, x)
    for r in range(max(first, 0), min(last, rows)):
        tile[r] = load_tile(1, 1, x, o + r * step, 0, 0)[0]
    return tile


@compiled_as(llvm.combined)
def combined(matrix, m, k, tile):
    """Row i: Σ_j matrix[i, j] · tile[j]. matrix: one of F(m, k)'s, "A", "G", "B", or "At", "Gt"."""
    by_point = matrices(m, k)[matrix[0]]
    by_point = by_point.T if matrix.endswith("t") else by_point
    return np.tensordot(by_point.astype(tile.dtype), tile, 1)


@compiled_as(llvm.add_outer)
def add_outer(tile, w, k, row_step, x, o, step):
    """tile[r, s] + w[k + r·row_step] · x[o + s·step : … + L]."""
    rows, columns, _ = tile.shape
    weights = w.reshape(-1)[k + row_step * np.arange(rows)]
    return tile + weights[:, None, None] * load_tile(1, columns, x, o, 0, step)
