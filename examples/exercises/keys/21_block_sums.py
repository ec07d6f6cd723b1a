from unittest import mock

import numpy as np
from grading.blank import WrongError, played, undecorated

from minicnn.backends.numba.runtime import numba  # it makes room for 8 threads

njit, prange = numba.njit, numba.prange

TITLE, MINUTES = "sums per block", 20
PAGE = "parallel.md", "The same bits for any number of threads"
PREDICTION = "c"
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
    rounds = [0]

    def backward(*bounds):
        rounds.append(len(range(*bounds)))
        return reversed(range(*bounds))

    sums = [in_order(function, order) for order in (range, backward)]
    a, block = wild()
    if rounds == [0]:
        raise WrongError("prange", "there is no loop over prange, so one thread does all the work")
    compiled = function, *helpers(function).values()
    if not any(part.targetoptions.get("parallel") for part in compiled):
        raise WrongError("prange", "without parallel=True one thread does all the work")
    if max(rounds) < len(a) // block:
        raise WrongError(
            "prange",
            f"rounds of prange: {max(rounds)}, wanted {-(-len(a) // block)}:",
            f"one for each block of {block} numbers, {len(a)} in all",
        )
    if sums[0] != sums[1]:
        raise WrongError(
            "the same bits",
            f"blocks from first to last: {sums[0]!r}, from last to first: {sums[1]!r}",
            "The order in which threads finish shows, so blocks share a sum: each needs its own.",
        )


def helpers(function):
    """The compiled functions that a compiled function calls by their names."""
    plain = function.py_func
    called = {name: plain.__globals__.get(name) for name in plain.__code__.co_names}
    return {name: other for name, other in called.items() if hasattr(other, "py_func")}


def in_order(function, order):
    """The sum as plain Python makes it, with an order in place of prange."""
    decorator = "@njit(parallel=True)"
    known = undecorated(function, "py_func", decorator).__globals__
    names = {name: order for name, value in known.items() if value is prange}
    with played(function, decorator, **names) as plain, mock.patch.object(numba, "prange", order):
        return float(plain(*wild()))


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
    right = float(block_sum.py_func(*wild()))
    if sums[1] != right:
        raise WrongError(
            "the same bits", f"yours {sums[1]!r}, wanted {right!r}: the order is another one.",
            "A block is `block` numbers side by side. All sums go from the first to the last.",
        )  # fmt: skip


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


@njit
def not_parallel(a, block):
    """without parallel=True"""
    total = 0.0
    for i in prange(len(a)):
        total += a[i]
    return total


@njit(parallel=True)
def blocks_counted(a, block):
    """rounds of prange: 64, wanted 79"""
    parts = np.zeros(block)
    for k in prange(block):
        for i in range(k * len(a) // block, (k + 1) * len(a) // block):
            parts[k] += a[i]
    return parts.sum()


@njit(parallel=True)
def interleaved(a, block):
    """the order is another one"""
    blocks = (len(a) + block - 1) // block
    parts = np.zeros(blocks)
    for k in prange(blocks):
        for i in range(k, len(a), blocks):
            parts[k] += a[i]
    total = 0.0
    for k in range(blocks):
        total += parts[k]
    return total


SLIPS = one_sum, no_prange, not_parallel, blocks_counted, interleaved


@njit
def rest_left_out(a, block):
    """the last, shorter block is left out"""
    total = 0.0
    for i in range(len(a) // block * block):
        total += a[i]
    return total


MISTAKES = (rest_left_out,)
