from types import FunctionType

import numpy as np
from grading.blank import WrongError, undecorated
from grading.simulator import cuda, launch
from grading.steps import CLOSE, at, numbers, worst
from numba import float64

TITLE, MINUTES = "tiled kernel", 40
PAGE = "cuda-kernels.md", "2. Tiled: a block shares what it reads"
PREDICTION = "a"
BECAUSE = "(16 + 16) numbers serve 16 · 16 products"
HINTS = (
    "Which number of w and which of x does thread (column, row) fetch for step k? Who reads them, "
    "and when may they be overwritten?",
    "panel_w[row, column] = w[f, k + column],   panel_x[row, column] = x[k + row, m]; wait; "
    "total += panel_w[row, d] · panel_x[d, column] for all d; wait",
    "total +=",
)
LIBRARY = "examples/cuda_convolution.py", "tiled"
BLANK, GIVES = "product", ("y",)
SIDE = 4


@cuda.jit
def product(w, x, y):
    panel_w = cuda.shared.array((SIDE, SIDE), float64)
    panel_x = cuda.shared.array((SIDE, SIDE), float64)
    column, row = cuda.threadIdx.x, cuda.threadIdx.y
    m, f = cuda.grid(2)
    total = 0.0
    for k in range(0, w.shape[1], SIDE):
        panel_w[row, column] = w[f, k + column]
        panel_x[row, column] = x[k + row, m]
        cuda.syncthreads()
        for d in range(SIDE):
            total += panel_w[row, d] * panel_x[d, column]
        cuda.syncthreads()
    y[f, m] = total


def launched(function, w, x, held=None):
    side = undecorated(function, "fn", "@cuda.jit").__globals__.get("SIDE", SIDE)
    if side != SIDE:
        raise WrongError(
            "SIDE", f"SIDE is {side}, but a block has {SIDE} × {SIDE} threads: leave it at {SIDE}."
        )
    y = np.full((len(w), x.shape[1]), np.nan)
    blocks = y.shape[1] // SIDE, y.shape[0] // SIDE
    return y, launch(function, blocks, (SIDE, SIDE), w, x, y, held=held)


def run(function, w, x):
    return launched(function, w, x)[0]


def cases():
    rng = np.random.default_rng(24)
    return [
        (rng.standard_normal((SIDE * f, SIDE * k)), rng.standard_normal((SIDE * k, SIDE * m)))
        for f, k, m in ((1, 3, 2), (2, 1, 1))
    ]


def extras(function):
    """Right whoever is slow, and few reads. (Numbers are compared here, for without a barrier they
    are wrong in some runs only.)"""
    w, x = cases()[0]
    panels = len(x) // SIDE
    slow = None, (0, 0), (SIDE - 1, SIDE - 1)
    runs, (found, *_) = zip(*(launched(function, w, x, held) for held in slow))
    for y in runs:
        index = worst(y, w @ x, CLOSE)
        if index is not None:
            ours, right = numbers(y[index], (w @ x)[index])
            line = f"{at('y', index)}: yours {ours}, wanted {right}"
            if all(np.array_equal(y, other, equal_nan=True) for other in runs):
                raise WrongError("loops", line)  # who is slow does not matter
            raise WrongError("barriers", line, *which_barrier(function, found.waits / panels))
    most = 2 * y.size * panels
    if found.reads > most:
        raise WrongError(
            "reads", f"a thread reads {found.reads / y.size:g} numbers, wanted {most / y.size:g}:",
            "each is to be fetched once for the block, into a panel.",
        )  # fmt: skip


def which_barrier(function, waits):
    """A single panel is never overwritten: with one, only the first barrier matters."""
    w, x = cases()[1]
    y, _ = launched(function, w, x, held=(0, 0))
    said = f"Barriers for each panel: {waits:g}, wanted 2: one before the products, one after."
    if worst(y, w @ x, CLOSE) is not None:
        return said, "Some read from a panel what is not there yet: wait before the products."
    return said, "Some overwrite what a slower thread still reads: wait after the products, too."


# ── mistakes ─────────────────────────────────────────────────────────────────────────────────


def waiting(before, after, said):
    """A kernel with so many barriers before its products, and after, and what is said of it."""

    @cuda.jit
    def product(w, x, y):
        panel_w = cuda.shared.array((SIDE, SIDE), float64)
        panel_x = cuda.shared.array((SIDE, SIDE), float64)
        column, row = cuda.threadIdx.x, cuda.threadIdx.y
        m, f = cuda.grid(2)
        total = 0.0
        for k in range(0, w.shape[1], SIDE):
            panel_w[row, column] = w[f, k + column]
            panel_x[row, column] = x[k + row, m]
            for _ in range(before):
                cuda.syncthreads()
            for d in range(SIDE):
                total += panel_w[row, d] * panel_x[d, column]
            for _ in range(after):
                cuda.syncthreads()
        y[f, m] = total

    product.__doc__ = said
    return product


@cuda.jit
def without_panels(w, x, y):
    """into a panel"""
    m, f = cuda.grid(2)
    total = 0.0
    for k in range(w.shape[1]):
        total += w[f, k] * x[k, m]
    y[f, m] = total


@cuda.jit
def barrier_in_an_if(w, x, y):
    """it may not stand in an `if`"""
    m, f = cuda.grid(2)
    if cuda.threadIdx.x == 0:
        cuda.syncthreads()
    y[f, m] = 0.0


def larger_side():
    function = FunctionType(product.fn.__code__, globals() | {"SIDE": 16})
    function.__doc__ = "SIDE is 16"
    return cuda.jit(function)


SLIPS = (
    waiting(1, 0, "wait after the products, too"), waiting(2, 0, "wait after the products, too"),
    waiting(0, 1, "wait before the products"), waiting(0, 2, "wait before the products"),
    without_panels, barrier_in_an_if, larger_side(),
)  # fmt: skip


@cuda.jit
def crossed_panel(w, x, y):
    """the panel of x is filled by columns and read by rows"""
    panel_w = cuda.shared.array((SIDE, SIDE), float64)
    panel_x = cuda.shared.array((SIDE, SIDE), float64)
    column, row = cuda.threadIdx.x, cuda.threadIdx.y
    m, f = cuda.grid(2)
    total = 0.0
    for k in range(0, w.shape[1], SIDE):
        panel_w[row, column] = w[f, k + column]
        panel_x[column, row] = x[k + row, m]
        cuda.syncthreads()
        for d in range(SIDE):
            total += panel_w[row, d] * panel_x[d, column]
        cuda.syncthreads()
    y[f, m] = total


@cuda.jit
def last_panel_only(w, x, y):
    """the sum begins anew with each panel, and only the last one counts"""
    m, f = cuda.grid(2)
    total = 0.0
    for k in range(w.shape[1] - SIDE, w.shape[1]):
        total += w[f, k] * x[k, m]
    cuda.syncthreads()
    y[f, m] = total


MISTAKES = crossed_panel, last_panel_only
