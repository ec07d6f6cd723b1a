"""Numba's CUDA simulator: kernels as plain Python, a thread of the machine for each of theirs.

Here it also counts what a kernel reads from global memory, and can hold one thread of a block back
for as long as any other can go on. A kernel that does not wait where it must is then wrong in every
run, while on a GPU it is wrong in a few.
"""

import os
import threading
from math import prod
from pathlib import Path
from time import sleep
from typing import NamedTuple
from unittest import mock

os.environ["NUMBA_ENABLE_CUDASIM"] = "1"  # numba reads it when it is imported

import numpy as np
from numba import config, cuda

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
    counter, waits = Counter(), set()

    class Thread(simulated.BlockThread):
        """A thread that counts its barriers, and stands back if it is the one."""

        def __init__(self, function, manager, *more):
            super().__init__(function, manager, *more)
            self.waits, self.done = 0, False
            self.crew = vars(manager).setdefault("crew", [])
            self.size = prod(manager._block_dim)
            self.crew.append(self)

        def run(self):
            self.stand_back()
            super().run()
            self.done = True
            waits.add(self.waits)

        def syncthreads(self):
            self.waits += 1
            super().syncthreads()
            self.stand_back()

        def stand_back(self):
            """Wait until all others are done, or at a barrier that lies ahead of this thread."""
            if held == (self.threadIdx.x, self.threadIdx.y):
                while len(self.crew) < self.size or any(map(self.is_behind, list(self.crew))):
                    sleep(1e-4)

        def is_behind(self, other):
            return other is not self and not (self.abort or other.done or other.waits > self.waits)

    with counter.watching(), mock.patch.object(simulated, "BlockThread", Thread):
        try:
            kernel[blocks, threads](*arrays)
        except IndexError as error:
            raise WrongError(
                "bounds", *told(error, Path(function.__code__.co_filename)),
                "(tid is the thread, ctaid its block.) Where there are more threads than numbers,",
                "those outside must do nothing; or do two indices change places?",
            ) from None  # fmt: skip
    if len(waits) > 1:
        raise WrongError(
            "barriers", f"some threads come to {min(waits)} barriers, others to {max(waits)}:",
            "all threads of a block must meet at each, so it may not stand in an `if`.",
        )  # fmt: skip
    return Launch(counter.reads, *waits)


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
