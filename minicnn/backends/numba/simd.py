"""A tile of vector registers that plain Python kernels can hold in a variable.

A tile is rows × columns registers, each of as many numbers as one register holds (L). Two ways to
add to it carry every matrix product of this backend:

    add_products   tile[r, s] += w[k + r] · x[o_s : o_s + L]      one number of w for all L lanes
    add_dots       tile[r, s] += a[i_r : i_r + L] · b[j_s : j_s + L]       lane by lane

The first is for outputs with an image (or a feature) in each lane. The second is for sums over
images: at the end `sums` adds up each register's lanes. With two columns a weight is loaded once
for two registers of images, and loading no longer takes longer than multiplying.

What stands here says in NumPy what each function computes. Compiled kernels get the same as
instructions (`llvm/simd.py`); with NUMBA_DISABLE_JIT=1 kernels are plain Python and run these
lines, so a breakpoint stops in them. An array is what lies in memory: x[o] is element o of it,
whatever its shape.
"""

from functools import cache

import numpy as np
from numba import config
from numba.np.unsafe.ndarray import to_fixed_tuple

from .llvm import simd as llvm
from .runtime import LANES


def compiled_as(instructions):
    """Decorator: what kernels call instead of this function, unless they are plain Python."""
    return lambda function: function if config.DISABLE_JIT else instructions


REGISTERS = 28 if LANES == 16 else 12  # of a tile; the others hold what is multiplied


@cache
def tile_rows(filters: int, columns: int) -> int:
    """Filters in a tile: as many as registers hold, few of them wasted on a last ragged tile."""
    choices = range(3, REGISTERS // columns + 1)
    return min(choices, key=lambda rows: (-(-filters // rows) * (rows + 1), rows))


@compiled_as(llvm.length)
def length(array):
    """L: how many of the array's numbers a register holds; a constant for the compiler."""
    return LANES * 4 // array.itemsize


@compiled_as(to_fixed_tuple)
def fixed_tuple(array, count):
    """The array's numbers as a tuple, whose length a tile can be made from: a constant."""
    return tuple(int(number) for number in array)


@compiled_as(llvm.zeros)
def zeros(rows, columns, array):
    """A tile of zeros for numbers of the array's type; rows and columns must be constants."""
    return np.zeros((rows, columns, length(array)), array.dtype)


@compiled_as(llvm.repeat)
def repeat(rows, columns, b, i):
    """A tile with b[i + r] in all lanes of row r's registers."""
    return zeros(rows, columns, b) + b.reshape(-1)[i : i + rows, None, None]


@compiled_as(llvm.load_tile)
def load_tile(rows, columns, x, o, row_step, column_step):
    """A tile with x[o + r·row_step + s·column_step : … + L] in register (r, s)."""
    return x.reshape(-1)[places((rows, columns, length(x)), o, row_step, column_step)]


@compiled_as(llvm.add_products)
def add_products(tile, w, k, x, o, step):
    """tile[r, s] + w[k + r] · x[o + s·step : … + L]."""
    rows, columns, _ = tile.shape
    return tile + w.reshape(-1)[k : k + rows, None, None] * load_tile(1, columns, x, o, 0, step)


@compiled_as(llvm.add_row_products)
def add_row_products(tile, w, rows, i, x, o, step):
    """tile[r, s] + w[rows[r] + i] · x[o + s·step : … + L]."""
    columns = tile.shape[1]
    return tile + w.reshape(-1)[np.add(rows, i), None, None] * load_tile(1, columns, x, o, 0, step)


@compiled_as(llvm.add_dots)
def add_dots(tile, a, rows, i, b, columns, j):
    """tile[r, s] + a[rows[r] + i : … + L] · b[columns[s] + j : … + L]."""
    lanes = np.arange(tile.shape[2])
    a = a.reshape(-1)[i + np.add.outer(rows, lanes)]
    b = b.reshape(-1)[j + np.add.outer(columns, lanes)]
    return tile + a[:, None] * b[None]


@compiled_as(llvm.add_rows)
def add_rows(tile, x, o, step):
    """tile[r] + x[o + r·step : … + L] for every row r."""
    return tile + load_tile(len(tile), 1, x, o, step, 0)


@compiled_as(llvm.store)
def store(tile, y, o, row_step, column_step, count):
    """y[o + r·row_step + s·column_step : … + L] = tile[r, s] for the first `count` rows r."""
    tile = tile[:count]
    y.reshape(-1)[places(tile.shape, o, row_step, column_step)] = tile


@compiled_as(llvm.packed)
def packed(images, indices, n, k, scale, like):
    """L numbers of L images as a tile of the type of `like`, an image in each lane:
    tile[i, lane] = images[indices[n + lane], k + i] · scale.
    """
    L = length(like)
    return (images[indices[n : n + L], k : k + L].astype(like.dtype) * scale).T[:, None]


@compiled_as(llvm.transposed)
def transposed(x, o, step):
    """The L × L numbers x[o + r·step + lane] with rows and lanes exchanged."""
    return load_tile(length(x), 1, x, o, step, 0).transpose(2, 1, 0)


@compiled_as(llvm.sums)
def sums(tile):
    """The sum over the lanes of every register, as a tile of as many rows as that fills.

    Zeros fill up what is no multiple of L.
    """
    totals, lanes = tile.sum(axis=2).reshape(-1), tile.shape[2]
    return np.pad(totals, (0, -len(totals) % lanes)).reshape(-1, 1, lanes)


def places(shape, o, row_step, column_step):
    """Where in memory each number of a tile lies: o + r·row_step + s·column_step + lane."""
    r, s, lane = np.indices(shape, sparse=True)
    return o + r * row_step + s * column_step + lane
