"""Numba's CUDA simulator: kernels as plain Python, a thread of the machine for each of theirs.

Here it also counts what a kernel reads from global memory, and can hold one thread of a block back
for as long as any other can go on. A kernel that does not wait where it must is then wrong in every
run, while on a GPU it is wrong in a few.
"""

import os
import threading
from contextlib import contextmanager
from math import prod
from pathlib import Path
from time import sleep
from typing import NamedTuple
from unittest import mock

os.environ["NUMBA_ENABLE_CUDASIM"] = "1"  # numba reads it when it is imported

import numpy as np
from numba import config

try:
    from numba import cuda
except ImportError:
    raise SystemExit("this numba has no CUDA simulator: pip install -e '.[cuda]'") from None

if not config.ENABLE_CUDASIM:
    raise RuntimeError("numba was imported before its simulator was asked for")

from numba.cuda.simulator import kernel as simulated
from numba.cuda.simulator.cudadrv.devicearray import FakeWithinKernelCUDAArray

from .blank import WrongError, told, undecorated

__all__ = ["cuda", "launch"]


class Launch(NamedTuple):
    reads: int  # numbers that all threads together took out of global memory
    waits: int  # barriers that each thread came to


def launch(kernel, blocks, threads, *arrays, held=None) -> Launch:
    """Run a kernel, which changes the arrays in place.

    held: the thread (x, y) of every block that goes on only when no other can. Raises WrongError
    for a thread outside of an array, and where threads of a block do not meet at every barrier.
    """
    function = undecorated(kernel, "fn", "@cuda.jit")
    counter, crew = Counter(), Crew(held)
    with counter.watching(), crew.watching():
        try:
            kernel[blocks, threads](*arrays)
        except IndexError as error:
            raise WrongError(
                "bounds", *told(error, Path(function.__code__.co_filename)),
                "(tid is the thread, ctaid its block.) Where there are more threads than numbers,",
                "those outside must do nothing; or do two indices change places?",
            ) from None  # fmt: skip
    waits = {thread.waits for thread in crew.threads}
    if len(waits) > 1:
        raise WrongError(
            "barriers", f"some threads come to {min(waits)} barriers, others to {max(waits)}:",
            "all threads of a block must meet at each, so it may not stand in an `if`.",
        )  # fmt: skip
    return Launch(counter.reads, *waits)


class Crew:
    """The threads that ran, and the barriers that each came to; one of every block is held back."""

    def __init__(self, held):
        self.held, self.threads = held, []

    @contextmanager
    def watching(self):
        thread = simulated.BlockThread
        begin, start, wait = thread.__init__, thread.run, thread.syncthreads

        def init(me, function, manager, *more):
            begin(me, function, manager, *more)
            me.waits, me.done = 0, False
            me.block, me.size = manager, prod(manager._block_dim)
            self.threads.append(me)

        def run(me):
            self.stand_back(me)
            start(me)
            me.done = True

        def syncthreads(me):
            me.waits += 1
            wait(me)
            self.stand_back(me)

        with mock.patch.multiple(thread, __init__=init, run=run, syncthreads=syncthreads):
            yield

    def stand_back(self, me):
        """Wait until all others are done, or at a barrier that lies ahead of this thread."""
        if self.held != (me.threadIdx.x, me.threadIdx.y):
            return
        while not me.abort:
            block = [other for other in list(self.threads) if other.block is me.block]
            if len(block) == me.size and all(
                other is me or other.done or other.waits > me.waits for other in block
            ):
                return
            sleep(1e-4)


class Counter:
    """Counts the numbers that a kernel takes out of its arguments."""

    def __init__(self):
        self.reads, self.lock = 0, threading.Lock()

    def watching(self):
        plain = FakeWithinKernelCUDAArray.__getitem__

        def getitem(array, index):
            found = plain(array, index)
            with self.lock:
                self.reads += np.size(found)
            return found

        return mock.patch.object(FakeWithinKernelCUDAArray, "__getitem__", getitem)
