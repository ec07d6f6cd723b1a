"""Synchronous data-parallel training on MPI: every rank holds the same network and the same data
set, computes the gradient of its share of each batch, and the gradients are added up.

    g = Σ_r w_r · g_r,   w_r = (divisor of rank r's share) / (divisor of the whole batch)

(A divisor of 0, where class weights leave nothing to count, divides like 1.)

g_r is the gradient of the mean loss over rank r's share, so g is that of the mean over the whole
batch, for any shares. Losses are averaged with the same w_r, BatchNorm's running statistics with
each rank's part of the samples, which class weights don't change.
All of it travels in one flat buffer, in one Allreduce a step; then every rank takes the same step.

What differs from one process: BatchNorm in training normalises with the statistics of a rank's own
share, and each rank draws its own dropout masks, so that no two samples of a batch share one.
"""

from __future__ import annotations

import os
import socket
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import zip_longest
from time import sleep
from typing import Any
from zlib import crc32

import numpy as np

from ..backends.numpy.steps import Steps
from ..common.arguments import instance
from ..data.batches import in_batches
from ..data.dataset import Dataset
from ..files.history import History
from ..losses import Loss
from ..network import Sequential, restore, snapshot
from ..optimizers import Optimizer
from .evaluation import measure
from .loop import fit as fit_as
from .samples import Samples, inputs_and_targets
from .step import forward_and_backward

try:
    from mpi4py import MPI
except ImportError as error:
    raise ImportError("minicnn.distributed needs mpi4py: pip install mpi4py mpich") from error


@contextmanager
def job() -> Iterator[MPI.Intracomm]:
    """All ranks of this job: `with job() as comm:`. An error on one rank ends them all.

    Without it the others would wait forever for the rank that left. (sys.exit() says that all is
    well, so it ends this rank alone.) The error is printed with the rank's number and its machine,
    and mpiexec returns with exit code 1. A process that is killed can print nothing; mpiexec then
    says so and names a process (rank 0 prints who is who first), be it the one that died or one
    that mpiexec ended because of it.
    """
    comm = MPI.COMM_WORLD
    machine = socket.gethostname()
    processes = comm.gather(f"rank {comm.rank}: process {os.getpid()} on {machine}")
    if processes is not None:
        print(*processes, sep="\n", file=sys.stderr, flush=True)
    comm.Barrier()  # nobody can die before it is printed
    try:
        yield comm
    except BaseException as error:
        if isinstance(error, SystemExit) and not error.code:
            raise
        where = f"rank {comm.rank} of {comm.size} on {machine}"
        try:
            print(f"{where} ends the job:\n{traceback.format_exc()}", file=sys.stderr, flush=True)
            sleep(0.5)  # what is printed travels through mpiexec, which drops it once the job ends
        finally:  # also after a second Ctrl-C
            comm.Abort(1)


def fit(
    comm: MPI.Intracomm,
    network: Sequential,
    loss: Loss,
    optimizer: Optimizer,
    train: Samples,
    validation: Samples | None = None,
    **arguments: Any,
) -> History:
    """`minicnn.fit` on all ranks of comm at once; every rank calls it with the same arguments.

    batch_size: samples in a step, over all ranks. Rank 0's parameters are sent to all before the
    first step. Every rank gets the same History, up to its own seconds; rank 0 shows the progress,
    decides what `after_epoch` says, and writes and reads the checkpoint, to which no other rank
    needs access. Training goes on from it to the same bits on as many ranks as before.

    Raises ValueError on every rank, naming what differs, when ranks were given different data or
    arguments; ValueError when there are fewer samples in a batch or in `validation` than ranks (as
    for any argument that makes no sense, on those ranks that were given it); RuntimeError, naming
    the rank, when a rank's parameters are not bit for bit those of rank 0 at the end of an epoch;
    and what `minicnn.fit` raises. Call it inside `job`, so that an error on one rank ends all of
    them.
    """
    instance(comm, MPI.Comm, "comm", "distributed.fit", "the communicator that `job` gives")
    return fit_as(network, loss, optimizer, train, validation, team=Ranks(comm), **arguments)


class Ranks:
    """The ranks of a job, as a `Team`.

    What they compute in a step is added up in one flat buffer, which holds every gradient, every
    running statistic, then loss and number of right answers.
    """

    def __init__(self, comm: MPI.Intracomm) -> None:
        self.comm, self.size, self.leads = comm, comm.size, comm.rank == 0

    def described(self):
        return {"ranks": str(self.size)}

    def agree(self, stated: Sequence[str], samples: dict[str, Samples | None]) -> None:
        if (judged := samples["validation"]) is not None:
            inputs, _ = inputs_and_targets(judged, "validation")
            if len(inputs) < self.size:
                raise ValueError(f"validation: {len(inputs)} samples for {self.size} ranks")
        mine = [*stated, *(f"{name} with {checksums(s, name)}" for name, s in samples.items())]
        for rank, other in enumerate(calls := self.comm.allgather(mine)):
            for first, theirs in zip_longest(calls[0], other, fillvalue="no further layer"):
                if first != theirs:
                    raise ValueError(f"fit: rank {rank} was given {theirs}, rank 0 {first}")

    def from_leader(self, thing):
        return self.comm.bcast(thing)

    def start(self, network: Sequential, seed: int) -> None:
        restore(network, self.from_leader(snapshot(network)))
        network.reseed((seed, self.comm.rank))
        self.parameters = network.parameters()
        floats = [p for p in network.state().values() if p.dtype.kind == "f"]
        self.statistics = [p for p in floats if p.statistic]
        self.counters = [p for p in network.state().values() if p.dtype.kind != "f"]
        learned = sum(int(np.prod(p.shape)) for p in self.parameters)
        sizes = [int(np.prod(p.shape)) for p in (*self.parameters, *self.statistics)]
        self.buffer = np.empty(sum(sizes) + 2, network.dtype or np.float32)
        self.gradient_part = slice(0, learned)
        self.statistics_part = slice(learned, sum(sizes))
        self.pieces = np.split(self.buffer[:-2], np.cumsum(sizes)[:-1])

    def steps(self, network, loss, dtype, same_update):
        return Steps(dtype)  # every step meets the other ranks, on the host

    def gradients(self, network, loss, samples, indices):
        share = np.array_split(indices, self.size)[self.comm.rank]
        divisor = loss.divisor(samples.targets, indices)
        weight = (loss.divisor(samples.targets, share) or 1.0) / (divisor or 1.0)
        value, right = 0.0, 0
        if len(share):
            found, correct = forward_and_backward(network, loss, samples, share)
            value, right = network.ops.to_float(found), int(network.ops.to_float(correct or 0))
        self.add_up(network, weight, len(share) / len(indices), value, right)
        return float(self.buffer[-2]), int(self.buffer[-1])

    def add_up(
        self, network: Sequential, weight: float, part: float, value: float, right: int
    ) -> None:
        """Replace gradients and statistics by their weighted sums over the ranks."""
        arrays: list[Any] = [p.gradient for p in self.parameters]
        arrays += [p.data for p in self.statistics]
        if part:
            for piece, array in zip(self.pieces, arrays):
                piece[...] = network.ops.read(array).ravel()
            self.buffer[self.gradient_part] *= weight
            self.buffer[self.statistics_part] *= part
            self.buffer[-2:] = weight * value, right
        else:
            self.buffer[:] = 0
        self.comm.Allreduce(MPI.IN_PLACE, self.buffer)
        for piece, array in zip(self.pieces, arrays):
            network.ops.write(array, piece.reshape(array.shape))

    def check(self, network: Sequential, epoch: int) -> None:
        checksum = 0
        for parameter in (*self.parameters, *self.statistics):
            checksum = crc32(parameter.value.tobytes(), checksum)
        found = self.comm.allgather(checksum)
        other = [rank for rank, theirs in enumerate(found) if theirs != found[0]]
        if other:
            raise RuntimeError(
                f"after epoch {epoch + 1} the parameters of rank {', '.join(map(str, other))} are "
                "not those of rank 0: do all ranks run the same machine code and optimiser?"
            )
        # Rank 0 takes part in every step, so its counts of steps are everybody's (a checkpoint
        # holds one set of them). Masks still differ between ranks, by their seeds.
        counts = self.from_leader([counter.value for counter in self.counters])
        for counter, value in zip(self.counters, counts):
            counter.value = value

    def judge(self, network, loss, samples):
        """Each rank judges every size-th sample, from its number on."""
        mine = np.arange(self.comm.rank, samples.size, self.size)
        found = measure(network, loss, samples, mine)
        weight = loss.divisor(samples.targets, mine)
        sums = np.array([found.loss * (weight or 1.0), weight, (found.accuracy or 0) * len(mine)])
        self.comm.Allreduce(MPI.IN_PLACE, sums)
        accuracy = None if found.accuracy is None else float(sums[2] / samples.size)
        return self.from_leader((float(sums[0] / (sums[1] or 1.0)), accuracy))


def checksums(samples: Samples | None, name: str) -> str:
    """The same for the same samples: whose differ would train on shares of another batch."""
    if samples is None:
        return "no samples"
    inputs, targets = inputs_and_targets(samples, name)
    classes = f", classes {samples.classes}" if isinstance(samples, Dataset) else ""
    sums = f"{checksum(inputs):08x} and {checksum(targets):08x}"
    return f"inputs and targets of the checksums {sums}{classes}"


def checksum(array: np.ndarray) -> int:
    """CRC-32 of the bytes in C order, read in pieces: they may lie in a file larger than memory."""
    found = 0
    for rows in in_batches(np.atleast_1d(array), 100):
        found = crc32(rows.tobytes(), found)
    return found
