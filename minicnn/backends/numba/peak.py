"""What this machine's registers can multiply and add: the roof that no kernel here can pass.

A tile of registers is added to again and again, by factors that stay in registers too, so nothing
is waited for but the units that multiply.
"""

from time import perf_counter

import numpy as np
from numba import prange

from .runtime import LANES, get_threads, kernel, set_threads
from .simd import add_products, store, zeros

ROWS = 12  # sums that do not wait for each other: more than an addition takes to come out
STEPS = 100_000


def multiply_add_rate(threads: int) -> float:
    """Floating-point operations a second, two for each multiply-add of float32: the best of 9."""
    before, seconds = get_threads(), []
    w, x = np.full(ROWS, 0.5, np.float32), np.full(LANES, 0.5, np.float32)
    sums = np.empty((threads, ROWS, LANES), np.float32)
    set_threads(threads)
    try:
        for _ in range(10):  # the first may compile
            start = perf_counter()
            add_in_registers(w, x, STEPS, sums)
            seconds.append(perf_counter() - start)
    finally:
        set_threads(before)
    return 2 * STEPS * sums.size / min(seconds[1:])


@kernel
def add_in_registers(w, x, steps, sums):
    """sums[thread, r, lane] = steps · w[r] · x[lane]: the same work for every thread."""
    for thread in prange(len(sums)):
        tile = zeros(ROWS, 1, x)
        for _ in range(steps):
            tile = add_products(tile, w, 0, x, 0, LANES)
        store(tile, sums, thread * ROWS * LANES, LANES, 0, ROWS)
