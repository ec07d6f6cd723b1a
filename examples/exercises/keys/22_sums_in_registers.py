from pathlib import Path
from time import perf_counter

import numpy as np
from grading.blank import WrongError, played, told
from numba import njit

TITLE, MINUTES = "sums in registers", 25
PAGE = "ladder.md", "7. A tile of registers"
PREDICTION = "c"
BECAUSE = "once for four filters, not once for each"
HINTS = (
    "Which loop must be the innermost, so that a sum is finished before the next begins?",
    "for f in steps of 4, for n: s0 = s1 = s2 = s3 = 0; for k: read x[k, n] once, for all four",
    "s0 +=",
)
LIBRARY = "examples/ladder_rungs.py", "register_tile"
BLANK, GIVES = "product", ("y",)
TILE = 4


@njit
def product(w, x, y):
    for f in range(0, len(w), 4):
        for n in range(x.shape[1]):
            s0 = s1 = s2 = s3 = 0.0
            for k in range(len(x)):
                pixel = x[k, n]
                s0 += w[f, k] * pixel
                s1 += w[f + 1, k] * pixel
                s2 += w[f + 2, k] * pixel
                s3 += w[f + 3, k] * pixel
            y[f, n], y[f + 1, n], y[f + 2, n], y[f + 3, n] = s0, s1, s2, s3


def run(function, w, x):
    """Played first: Python sees an index that is out of bounds, compiled code goes there."""
    play(function, w, x, np.zeros((len(w), x.shape[1])))
    y = np.full((len(w), x.shape[1]), np.nan)
    function(w, x, y)
    return y


def play(function, *arrays):
    with played(function, "@njit") as plain:
        try:
            plain(*arrays)
        except IndexError as error:
            path = Path(plain.__code__.co_filename)
            raise WrongError("bounds", *told(error, path)) from None


def cases():
    rng = np.random.default_rng(22)
    return [
        (rng.standard_normal((f, k)), rng.standard_normal((k, n)))
        for f, k, n in ((8, 3, 5), (4, 6, 2), (4, 1, 1))
    ]


def loops(w, x):
    y = np.zeros((len(w), x.shape[1]))
    for f, n, k in np.ndindex(*y.shape, len(x)):
        y[f, n] += w[f, k] * x[k, n]
    return y


class Counted:
    """An array that counts how many numbers are read and written."""

    def __init__(self, array):
        self.array, self.shape, self.size = array, array.shape, array.size
        self.reads = self.writes = 0

    def __len__(self):
        return len(self.array)

    def __getitem__(self, index):
        found = self.array[index]
        self.reads += np.size(found)
        return found

    def __setitem__(self, index, value):
        self.writes += np.size(self.array[index])
        self.array[index] = value


def extras(function):
    w, x = cases()[0]
    w, x, y = Counted(w), Counted(x), Counted(np.zeros((len(w), x.shape[1])))
    try:
        play(function, w, x, y)
    except (AttributeError, TypeError):
        raise WrongError("memory", "Write loops over single numbers, not whole arrays.") from None
    most = x.array.size * len(w) // TILE
    if y.reads:
        raise WrongError(
            "memory", f"y is read {y.reads} times, wanted 0: the sums live in memory, where",
            "every product waits for the one before. Keep each in a plain variable.",
        )  # fmt: skip
    if y.writes > y.array.size:
        raise WrongError("memory", f"y is written {y.writes} times, wanted {y.array.size}")
    if x.reads > most:
        raise WrongError(
            "memory", f"x is read {x.reads} times, wanted {most}: four sums at a time share a read"
        )
    timed.append(function)


timed = []


def remarks():
    w, x = np.ones((64, 256)), np.ones((256, 256))
    plain, tiled = (milliseconds(function, w, x) for function in (sums_in_memory, timed[-1]))
    return [f"Here {tiled:.2f} ms, with sums in memory {plain:.2f} ms (not judged)."]


def milliseconds(function, w, x):
    times, y = [], np.zeros((len(w), x.shape[1]))
    for _ in range(4):
        start = perf_counter()
        function(w, x, y)
        times.append(perf_counter() - start)
    return 1e3 * min(times)


@njit
def sums_in_memory(w, x, y):
    """the sums live in memory"""
    for f in range(len(w)):
        for n in range(x.shape[1]):
            y[f, n] = 0
            for k in range(len(x)):
                y[f, n] += w[f, k] * x[k, n]


@njit
def one_at_a_time(w, x, y):
    """four sums at a time share a read"""
    for f in range(len(w)):
        for n in range(x.shape[1]):
            total = 0.0
            for k in range(len(x)):
                total += w[f, k] * x[k, n]
            y[f, n] = total


@njit
def past_the_last_row(w, x, y):
    """is out of bounds"""
    for f in range(len(w) + 1):
        for n in range(x.shape[1]):
            y[f, n] = 0


SLIPS = sums_in_memory, one_at_a_time, past_the_last_row


@njit
def never_emptied(w, x, y):
    """a sum goes on from the output before: each begins at 0"""
    total = 0.0
    for f in range(len(w)):
        for n in range(x.shape[1]):
            for k in range(len(x)):
                total += w[f, k] * x[k, n]
            y[f, n] = total


MISTAKES = (never_emptied,)
