"""The steps of an epoch: for each number of samples one is written down, and then replayed."""

import numpy as np

from ...common.arguments import switch
from ..numpy import steps
from .compiling import compile_ahead
from .data import Chosen
from .pooled_convolution import joined
from .recording import NotRecordableError, Recording
from .runtime import take_up, team


class Steps(steps.Steps):
    """See `contract.EpochSteps`. MINICNN_REPLAY=0 goes through the layers at every step."""

    def __init__(self, dtype, state=(), repeatable=True, same_update=True) -> None:
        super().__init__(dtype, state)
        self.repeatable = repeatable and switch("MINICNN_REPLAY")

    def start(self, batches, rates, taken):
        super().start(batches, rates, taken)
        self.recordings = {}  # between two epochs the network may change

    def result(self, compute, indices):
        kind = len(indices), take_up()  # some operations take memory for each thread
        if self.repeatable and kind not in self.recordings:
            self.record(kind, compute, indices)
        if not self.repeatable:
            return compute(indices)
        chosen, recording = self.recordings[kind]
        chosen.numbers[...] = indices
        with team:
            return recording.replay()

    def record(self, kind, compute, indices):
        chosen = Chosen(np.array(indices))
        try:
            recording = Recording(lambda: compute(chosen))
        except NotRecordableError:
            self.repeatable = False
        else:
            calls = recording.calls
            if switch("MINICNN_FUSE"):
                recording.calls = joined(calls)
            compile_ahead([*calls, *recording.calls])  # `predict` takes layer after layer
            self.recordings[kind] = chosen, recording
