from collections import Counter
from threading import current_thread
from unittest import mock

import numpy as np
from grading.blank import WrongError
from grading.simulator import cuda, launch
from numba.cuda.simulator.cudadrv.devicearray import FakeWithinKernelCUDAArray

TITLE, MINUTES = "naive kernel", 15
PAGE = "cuda-kernels.md", "1. Naive: a thread for each output"
PREDICTION = "b"
BECAUSE = "64 / 16 = 4 blocks one way, and 100 / 16, rounded up, 7 the other"
HINTS = (
    "Which output is this thread's, and is there one at all?",
    "m, f = cuda.grid(2); if f < F and m < M: sum over k in a plain variable, then one write",
    "if ",
)
LIBRARY = "examples/cuda_convolution.py", "naive"
BLANK, GIVES = "product", ("y",)
THREADS = 4, 2


@cuda.jit
def product(w, x, y):
    m, f = cuda.grid(2)
    if f < y.shape[0] and m < y.shape[1]:
        total = 0.0
        for k in range(w.shape[1]):
            total += w[f, k] * x[k, m]
        y[f, m] = total


def launched(function, w, x):
    y = np.full((len(w), x.shape[1]), np.nan)
    blocks = tuple(-(-n // t) for n, t in zip(y.shape[::-1], THREADS))
    return y, launch(function, blocks, THREADS, w, x, y)


def run(function, w, x):
    return launched(function, w, x)[0]


def cases():
    rng = np.random.default_rng(23)
    return [
        (rng.standard_normal((f, k)), rng.standard_normal((k, m)))
        for f, k, m in ((3, 4, 6), (2, 1, 4), (4, 3, 4))
    ]


def loops(w, x):
    y = np.zeros((len(w), x.shape[1]))
    for f, m, k in np.ndindex(*y.shape, len(x)):
        y[f, m] += w[f, k] * x[k, m]
    return y


def extras(function):
    w, x = cases()[0]
    plain, writers = FakeWithinKernelCUDAArray.__setitem__, []

    def setitem(array, index, value):
        writers.extend([current_thread()] * np.size(array._item[index]))
        plain(array, index, value)

    with mock.patch.object(FakeWithinKernelCUDAArray, "__setitem__", setitem):
        y, found = launched(function, w, x)
    most = 2 * y.size * len(x)
    if found.reads > most:
        raise WrongError(
            "reads", f"a thread reads {found.reads / y.size:g} numbers, wanted {most / y.size:g}:",
            "does the sum live in y? Keep it in a plain variable, a register. (And no slices.)",
        )  # fmt: skip
    writes = max(Counter(writers).values())
    if writes > 1:
        raise WrongError(
            "writes", f"a thread writes {writes} times, wanted once: it makes one output alone,",
            "whose sum it keeps in a plain variable, a register, until it is whole.",
        )  # fmt: skip


@cuda.jit
def crossed(w, x, y):
    """m and f change places: cuda.grid(2) gives x, along which outputs lie, before y"""
    f, m = cuda.grid(2)
    if f < y.shape[0] and m < y.shape[1]:
        y[f, m] = 0.0
        for k in range(w.shape[1]):
            y[f, m] += w[f, k] * x[k, m]


@cuda.jit
def thread_alone(w, x, y):
    """a thread looks at its place in the block, and not at the block's place"""
    m, f = cuda.threadIdx.x, cuda.threadIdx.y
    if f < y.shape[0] and m < y.shape[1]:
        total = 0.0
        for k in range(w.shape[1]):
            total += w[f, k] * x[k, m]
        y[f, m] = total


MISTAKES = crossed, thread_alone


@cuda.jit
def without_bounds(w, x, y):
    """those outside must do nothing"""
    m, f = cuda.grid(2)
    total = 0.0
    for k in range(w.shape[1]):
        total += w[f, k] * x[k, m]
    y[f, m] = total


@cuda.jit
def sum_in_memory(w, x, y):
    """does the sum live in y?"""
    m, f = cuda.grid(2)
    if f < y.shape[0] and m < y.shape[1]:
        y[f, m] = 0.0
        for k in range(w.shape[1]):
            y[f, m] += w[f, k] * x[k, m]


@cuda.jit
def row_for_a_thread(w, x, y):
    """a thread writes 6 times"""
    m, f = cuda.grid(2)
    if f < y.shape[0] and m == 0:
        for j in range(y.shape[1]):
            total = 0.0
            for k in range(w.shape[1]):
                total += w[f, k] * x[k, j]
            y[f, j] = total


@cuda.jit
def written_in_the_loop(w, x, y):
    """a thread writes 4 times"""
    m, f = cuda.grid(2)
    if f < y.shape[0] and m < y.shape[1]:
        total = 0.0
        for k in range(w.shape[1]):
            total += w[f, k] * x[k, m]
            y[f, m] = total


SLIPS = without_bounds, sum_in_memory, row_for_a_thread, written_in_the_loop
