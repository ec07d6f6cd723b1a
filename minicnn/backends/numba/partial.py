"""What the tiles of a weight gradient read of dy, and where their sums go.

A tile is a few filters × a few columns (see `direct_weights.py`, `grouped.py`), and a step one set
of columns: channels at one tap, or weights. Each part of the images leaves a sum for every weight;
these are added up here, part after part, so the number of threads changes no bit.
"""

from functools import cache

import numpy as np
from numba import prange

from .runtime import LANES, kernel


@cache
def filter_starts(filters, rows, output):
    """Where each filter of a tile begins in a block of dy; beyond the last, the last again."""
    f = np.arange(-(-filters // rows) * rows).reshape(-1, rows)
    return np.minimum(f, filters - 1) * output[0] * output[1] * LANES


def sums_of(rows, columns):
    """Numbers that a tile stores: its sums, and what fills up the last register."""
    return -(-rows * columns // LANES) * LANES


@cache
def sum_places(shape, groups, rows, columns, deep):
    """The sum for weight k of filter f lies at filters[f] + weights[k] among those of a part.

    shape: (filters, weights) of dw, the filters in groups, each of which begins a tile. `deep`
    weights that follow each other (the taps of a channel, or 1) are as many steps of one column.
    """
    (filters, weights), size = shape, sums_of(rows, columns)
    each, column = filters // groups, np.arange(weights) // deep
    steps = -(-weights // (deep * columns)) * deep
    group, f = np.divmod(np.arange(filters), each)
    tile = group * -(-each // rows) + f // rows
    step = column // columns * deep + np.arange(weights) % deep
    return tile * steps * size + f % rows * columns, step * size + column % columns


@kernel
def add_parts(partial, filters, weights, dw):
    """dw[f, k] = Σ over the parts, in order. partial (parts, sums), dw (F, weights)."""
    for f in prange(len(dw)):
        for k in range(len(weights)):
            o = filters[f] + weights[k]
            total = partial[0, o]
            for part in range(1, len(partial)):
                total += partial[part, o]
            dw[f, k] = total
