from types import FunctionType

import numpy as np
from grading.blank import WrongError, undecorated

from minicnn.backends.numba.runtime import numba  # it makes room for 8 threads

njit, prange = numba.njit, numba.prange

TITLE, MINUTES = "sums per block", 20
PAGE = "parallel.md", "The same bits for any number of threads"
PREDICTION = "b"
BECAUSE = "1e16 + 1 is rounded to 1e16, so the order decides"
HINTS = (
    "Into which array may the threads write at the same time without ever meeting?",
    "parts[k] = the sum of a[k · block : (k+1) · block], in a prange over k; then an ordinary loop",
    "parts[k] +=",
)
LIBRARY = "minicnn/backends/numba/bias.py", "sum_channels"
BLANK, GIVES = "block_sum", ("sum",)


@njit(parallel=True)
def block_sum(a, block):
    blocks = (len(a) + block - 1) // block
    parts = np.zeros(blocks)
    for k in prange(blocks):
        for i in range(k * block, min((k + 1) * block, len(a))):
            parts[k] += a[i]
    total = 0.0
    for k in range(blocks):
        total += parts[k]
    return total


def cases():
    rng = np.random.default_rng(21)
    return [(rng.standard_normal(n), block) for n, block in ((10, 5), (1000, 16), (7, 16), (0, 4))]


def loops(a, block):
    return sum(sum(a[k : k + block].tolist()) for k in range(0, len(a), block))


def wild():
    """Numbers of all sizes, whose sum shows in its last bits in which order it was made."""
    rng = np.random.default_rng(0)
    return rng.standard_normal(5000) * 10.0 ** rng.integers(0, 12, 5000), 64


def extras(function):
    same_in_any_order(function)
    same_on_any_threads(function)


def same_in_any_order(function):
    """Run the blocks as plain Python, from the last to the first: who owns its sum won't notice."""
    plain, sums = undecorated(function, "py_func", "@njit(parallel=True)"), []
    looped = []

    def backward(*bounds):
        looped.append(bounds)
        return reversed(range(*bounds))

    for order in (range, backward):
        played = FunctionType(plain.__code__, plain.__globals__ | {"prange": order})
        sums.append(float(played(*wild())))
    if not looped:
        raise WrongError("prange", "there is no loop over prange, so one thread does all the work")
    if sums[0] != sums[1]:
        raise WrongError(
            "the same bits",
            f"blocks from first to last: {sums[0]!r}, from last to first: {sums[1]!r}",
            "The order in which threads finish shows, so blocks share a sum: each needs its own.",
        )


def same_on_any_threads(function):
    before, sums = numba.get_num_threads(), {}
    for threads in (1, 2, 4):
        if threads <= numba.config.NUMBA_NUM_THREADS:
            numba.set_num_threads(threads)
            sums[threads] = float(function(*wild()))
    numba.set_num_threads(before)
    if len(set(sums.values())) > 1:
        said = ", ".join(f"{threads} threads {value!r}" for threads, value in sums.items())
        raise WrongError("the same bits", said, "Blocks must not depend on the number of threads.")


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────


@njit(parallel=True)
def one_sum(a, block):
    """blocks share a sum"""
    total = 0.0
    for i in prange(len(a)):
        total += a[i]
    return total


@njit(parallel=True)
def no_prange(a, block):
    """there is no loop over prange"""
    total = 0.0
    for i in range(len(a)):
        total += a[i]
    return total


SLIPS = one_sum, no_prange


@njit
def rest_left_out(a, block):
    """the last, shorter block is left out"""
    total = 0.0
    for i in range(len(a) // block * block):
        total += a[i]
    return total


MISTAKES = (rest_left_out,)
