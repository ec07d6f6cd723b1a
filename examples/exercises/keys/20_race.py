import numpy as np

from minicnn.backends.numba.runtime import get_threads, numba

TITLE, MINUTES = "a race", 15
PAGE = "parallel.md", "Sums: where threads meet"
PREDICTION = "b"
BECAUSE = "whoever writes last has read 0 or 1, and writes one more"
HINTS = (
    "What must a thread remember from its reading turn to its writing turn?",
    "registers = one for each thread, empty at first; a turn reads if it is empty, else writes + 1",
    "value = registers",
)
LIBRARY = "examples/batch_parallel.py", "add_weight_gradient"
BLANK, GIVES = "race", ("total", "lost")


def race(turns, threads):
    registers, value, writes = [None] * threads, 0, 0
    for thread in turns:
        if registers[thread] is None:
            registers[thread] = value
        else:
            value = registers[thread] + 1
            registers[thread] = None
            writes += 1
    return value, writes - value


def paper():
    """Both read 0 before one writes: two additions, and a total of 1."""
    return ([0, 1, 1, 0], 2), (1, 1)


def cases():
    rng = np.random.default_rng(20)
    drawn = [(rng.integers(threads, size=60).tolist(), threads) for threads in (2, 3, 5)]
    return [([0, 0, 1, 1], 2), ([0, 1, 0], 2), *drawn]


def loops(turns, threads):
    return race(turns, threads)


def at_once(turns, threads):
    """a turn reads and writes at once, so that nothing can come in between"""
    writes = sum(turns.count(thread) // 2 for thread in range(threads))
    return writes, 0


def one_register(turns, threads):
    """all threads share a register: each has its own"""
    register, value, writes = 0, 0, 0
    reading = [True] * threads
    for thread in turns:
        if reading[thread]:
            register = value
        else:
            value = register + 1
            writes += 1
        reading[thread] = not reading[thread]
    return value, writes - value


def turns_counted(turns, threads):
    """turns are counted, reading ones too: an addition is two turns"""
    value, _ = race(turns, threads)
    return value, len(turns) - value


MISTAKES = at_once, one_register, turns_counted


@numba.njit(parallel=True)
def count(places, totals):
    for k in numba.prange(len(places)):
        totals[places[k]] += 1


def remarks():
    """A real race, on this machine, which nobody can repeat."""
    places, totals = np.arange(4_000_000) % 3, np.zeros(3, np.int64)
    count(places, totals)
    lost = len(places) - totals.sum()
    return [
        f"A real race here, on {get_threads()} threads: {lost} of {len(places)} additions lost.",
        "The next run loses other ones, or none: that is why a race is hard to find.",
    ]
