"""The steps of an epoch: the first with a number of samples is recorded, and then replayed."""

import numpy as np

from ...common.arguments import switch
from ..numpy import steps
from .data import Chosen
from .recording import Recording
from .runtime import get_threads, team


class Steps(steps.Steps):
    """See `contract.EpochSteps`. MINICNN_REPLAY=0 goes through the layers at every step."""

    def __init__(self, dtype, state=(), repeatable=True) -> None:
        super().__init__(dtype, state)
        self.repeatable = repeatable and switch("MINICNN_REPLAY")

    def start(self, batches, rates, taken):
        super().start(batches, rates, taken)
        self.recordings = {}  # between two epochs the network may change

    def result(self, compute, indices):
        if not self.repeatable:
            return compute(indices)
        kind = len(indices), get_threads()  # some operations take memory for each thread
        if kind in self.recordings:
            chosen, recording = self.recordings[kind]
            chosen.numbers[...] = indices
            with team:
                return recording.replay()
        chosen = Chosen(np.array(indices))
        recording = Recording(lambda: compute(chosen))
        self.recordings[kind] = chosen, recording
        self.repeatable = recording.calls is not None
        return recording.result
