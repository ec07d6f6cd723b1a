"""A convolution and the maximum pooling after it in one pass, where a step does both.

What a convolution makes is the largest array of most networks, and a pooling keeps one number in
four of it. Here a thread computes the outputs under one window, for a few filters, and keeps their
largest: the others never leave the fastest cache. Layers know nothing of it. A step is written down
call by call (see `recording.py`), and where one call reads what the one before it wrote, and no
other does, the two become one.
"""

from functools import cache

import numpy as np
from numba import get_thread_id, prange

from ..buffers import aligned
from .contest import store_winner
from .convolution import output_tile
from .pooling import window_maximum
from .runtime import LANES, kernel, threads_here
from .simd import fixed_tuple, length, store


def joined(calls):
    """The same calls, a convolution and its pooling as one wherever that can be."""
    found = []
    for function, arguments in calls:
        if found and follows(calls, *found[-1], function, arguments):
            function, arguments = together(*found.pop(), function, arguments)
        found.append((function, arguments))
    return found


def follows(calls, first, given, second, taken):
    """Whether the second call pools, in windows that share no pixel, what the first convolved, and
    nobody else looks at that.
    """
    if not (hasattr(first, "tile") and hasattr(second, "window") and given[-1] is taken[0]):
        return False
    apart = all((a[1:, 1] >= a[:-1, 1] + a[:-1, 2]).all() for a in taken[1:3])
    arrays = [a for _, arguments in calls for a in arguments if isinstance(a, np.ndarray)]
    return apart and sum(np.may_share_memory(a, taken[0]) for a in arrays) == 2


def together(first, given, second, taken):
    (*convolution, y), (_, *pooling) = given, taken
    (rows, blocks), (high, wide, _) = first.tile, second.window
    size = high * wide * rows * blocks * LANES
    nears = aligned(threads_here() * size, y.dtype).reshape(-1, size)
    run = pooled_tiles(*first.tile, *second.window)
    return run.compiled, (*convolution, nears, *pooling)


@cache
def pooled_tiles(ROWS, BLOCKS, KH, KW, across):
    """The kernel for tiles of ROWS filters × BLOCKS blocks and windows of KH × KW pixels."""
    outputs, largest = output_tile(ROWS, BLOCKS), window_maximum(KH, KW, across)

    @kernel
    def run(
        x, w, b, kernel_width, rows, row_steps, columns, column_steps,
        nears, window_rows, window_columns, start, y, winner,
    ):  # fmt: skip
        """What `filter_tiles` and `max_pool` compute one after the other.

        One iteration is a row of windows. near: the tiles of the outputs under one of them.
        """
        blocks, filters, oh, ow, _ = y.shape
        L, size = length(x), ROWS * BLOCKS * length(x)
        for item in prange((blocks + BLOCKS - 1) // BLOCKS * oh):
            g, i, near = item // oh * BLOCKS, item % oh, nears[get_thread_id()]
            partner = min(g + BLOCKS, blocks) - g - 1
            u, top, height = fixed_tuple(window_rows[i], 3)
            for f in range(len(w)):
                for j in range(ow):
                    v, left, width = fixed_tuple(window_columns[j], 3)
                    for q in range(0, LANES, L):
                        for m in range(height):
                            row = fixed_tuple(rows[top + m], 3)
                            for n in range(width):
                                column = fixed_tuple(columns[left + n], 3)
                                tile = outputs(
                                    x, w, b, kernel_width, row, row_steps, column, column_steps,
                                    g, partner, f, q,
                                )  # fmt: skip
                                store(tile, near, (m * KW + n) * size, BLOCKS * L, L, ROWS)
                        for r in range(min(ROWS, filters - f * ROWS) * BLOCKS):
                            best = largest(
                                near, r * L, KW * size, size, u * across + v, (height, width), start
                            )
                            block, channel = g + r % BLOCKS * partner, f * ROWS + r // BLOCKS
                            out = (((block * filters + channel) * oh + i) * ow + j) * LANES + q
                            store(best, y, out, LANES, 0, 1)
                            store_winner(best, winner, out, start[2])

    return run
