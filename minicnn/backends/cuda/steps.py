"""The steps of an epoch: nothing is copied, allocated or waited for between them.

Batches and learning rates of the whole epoch are on the device before its first step. The first
kernel of a step takes the step's own from there, and `judge` notes its loss, so all its kernels
have the same arguments every time. That makes a step something to record (see `recording.py`).
"""

from math import isfinite

import numpy as np

from .arrays import join
from .compiling import compile_ahead
from .data import Chosen
from .device import Buffers, NotRecordableError, cuda, for_each, kernel, launch, queue
from .recording import Recording, launch_all, written_down

STOPPED = -1  # a learning rate that updates nothing

# Where `clock` keeps what a step must know.
STEP, TAKEN, BROKEN = 0, 1, 2  # steps of this epoch, steps of all epochs, a loss was not finite


class Steps:
    """See `contract.EpochSteps`. The first step with a number of samples launches kernel by kernel,
    for those are compiled and loaded then; the second becomes a recording, which is replayed.
    """

    def __init__(self, dtype, state=(), repeatable=True, same_update=True) -> None:
        self.dtype, self.buffers = np.dtype(dtype), Buffers()
        self.recordings: dict[int, Recording] = {}
        self.seen: set[int] = set()
        self.recordable = repeatable and same_update
        written = join([list(state)])[0] if state else []
        self.state = [(a, cuda.device_array(a.size, a.dtype)) for a in written]

    def start(self, batches, rates, taken):
        self.batches, self.longest, self.step = batches, len(batches[0]), 0
        self.recordings.clear()  # between two epochs the network may change
        self.order = self.filled("order", np.concatenate(batches), np.int64)
        self.rates = self.filled("rates", rates, self.dtype)
        self.clock = self.filled("clock", [0, taken, 0], np.int64)
        self.none_right = self.filled("none right", [0], np.int64)
        self.lr = self.buffers.empty("lr", 1, self.dtype)
        self.losses = self.buffers.empty("losses", len(batches), self.dtype)
        self.right = self.buffers.empty("right", len(batches), np.int64)

    def filled(self, name, values, dtype):
        """An array on the device."""
        array = self.buffers.empty(name, len(values), dtype)
        array[: len(values)].copy_to_device(np.asarray(values, dtype))
        return array

    def take(self, compute, update):
        batch = self.batches[self.step]

        def step():
            self.launch(batch, compute, update)

        take = self.recorded(len(batch), step) if self.recordable else step
        take()
        self.step += 1

    def recorded(self, count, step):
        """What does the same as `step` without asking the layers; itself, where nothing can."""
        try:
            if count not in self.seen:
                self.seen.add(count)
                launches = written_down(step)
                compile_ahead(launches)
                return lambda: launch_all(launches, queue())
            if count not in self.recordings:
                self.recordings[count] = Recording(step)
            return self.recordings[count].replay
        except NotRecordableError:
            self.recordable = False
            return step

    def launch(self, batch, compute, update):
        """One step, kernel by kernel."""
        chosen = self.buffers.empty("chosen", self.longest, np.int64)
        arguments = self.order, self.clock, self.longest, self.rates, len(batch), chosen, self.lr
        for_each(begin, len(batch), *arguments)
        for array, before in self.state:
            self.copy_if(0, array.flat, before)
        loss, right = compute(Chosen(chosen, len(batch), batch))
        right = self.none_right if right is None else right
        arguments = loss, right, self.clock, self.lr, self.losses, self.right
        launch(judge, 1, *arguments, threads=1)
        for array, before in self.state:
            self.copy_if(1, before, array.flat)
        update(self.lr, self.clock[TAKEN : TAKEN + 1])

    def copy_if(self, broken, a, b):
        """Copy what forward writes, if a loss of this epoch was not finite, or if none was."""
        copier = copy_numbers if a.dtype == np.int64 else copy_floats
        for_each(copier, b.size, a, self.clock, broken, b.size, b)

    def read(self):
        taken = (array[: self.step].copy_to_host() for array in (self.losses, self.right))
        losses, right = (array.tolist() for array in taken)
        return losses, right


@kernel("I I n F n I F")
def begin(order, clock, longest, rates, count, chosen, lr):
    """Take this step's samples and learning rate; an index a thread."""
    step = clock[STEP]
    for n in range(cuda.grid(1), count, cuda.gridsize(1)):
        chosen[n] = order[step * longest + n]
    if cuda.grid(1) == 0:
        lr[0] = rates[step]


@kernel("F I I F F I")
def judge(loss, right, clock, lr, losses, rights):
    """Note the step's results, and let nothing be updated after a loss that is not finite."""
    losses[clock[STEP]], rights[clock[STEP]] = loss[0], right[0]
    clock[STEP] += 1
    clock[TAKEN] += 1
    if not isfinite(loss[0]):
        clock[BROKEN] = 1
    if clock[BROKEN]:
        lr[0] = STOPPED


def copy(a, clock, broken, size, b):
    """b = a, if clock[BROKEN] says so."""
    if clock[BROKEN] == broken:
        for k in range(cuda.grid(1), size, cuda.gridsize(1)):
            b[k] = a[k]


copy_floats = kernel("F I n n F", "steps.copy_floats")(copy)
copy_numbers = kernel("I I n n I", "steps.copy_numbers")(copy)
