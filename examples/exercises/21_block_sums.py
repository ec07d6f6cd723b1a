"""21 A sum on many threads: the same bits for any number of them.

Nobody may add to a sum that another one adds to. So each block of numbers gets a sum of its own,
which one thread makes from left to right, and afterwards these are added in the order of the
blocks. Blocks are cut by their size, never by the number of threads: so a + b + c is always the
same a + b + c.

Read: docs/parallel.md, The same bits for any number of threads
"""

import numpy as np
from numba import njit, prange

# Predict: 1e16 + 1 − 1e16 in float64, from left to right, and 1e16 − 1e16 + 1. They are
#   "a" 1 and 1        "b" 0 and 0        "c" 0 and 1
PREDICTION = ...


@njit(parallel=True)
def block_sum(a, block):
    """The sum of a, made by threads: each block of `block` numbers (the last may be shorter) is
    summed by itself, in a loop over blocks, `for k in prange(…)`; then the blocks' sums are added
    from the first to the last.

    a (N,) float64, block ≥ 1 → a number. Loops only: numba compiles this.
    """
    ...  # about 10 lines
