"""Synchronous data-parallel training on MPI: every rank holds the same network and the same data
set, computes the gradient of its share of each batch, and the gradients are added up.

    g = Σ_r w_r · g_r,   w_r = (divisor of rank r's share) / (divisor of the whole batch)

g_r is the gradient of the mean loss over rank r's share, so g is that of the mean over the whole
batch, for any shares. Losses, and BatchNorm's running statistics, are averaged with the same w_r.
All of it travels in one flat buffer, in one Allreduce a step; then every rank takes the same step.

What differs from one process: BatchNorm in training normalises with the statistics of a rank's own
share, and each rank draws its own dropout masks, so that no two samples of a batch share one.
"""

from __future__ import annotations

import os
import socket
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from math import isfinite
from time import perf_counter, sleep
from typing import Any
from zlib import crc32

import numpy as np

from . import backends
from .checkpoint import Progress, load_training, save
from .data.batches import in_batches, shuffled
from .evaluation import Prepared, Samples, Tally, measure, prepare, split
from .history import History
from .losses import Loss
from .network import Sequential, restore, snapshot
from .optimizers import Optimizer, Penalty
from .progress import Report, report
from .training import (
    Rules,
    check_arguments,
    check_parts,
    constant,
    described,
    forward_and_backward,
    not_finite,
    update,
)

try:
    from mpi4py import MPI
except ImportError as error:
    raise ImportError("minicnn.distributed needs mpi4py: pip install mpi4py mpich") from error


@contextmanager
def job() -> Iterator[MPI.Intracomm]:
    """All ranks of this job: `with job() as comm:`. An error on one rank ends them all.

    Without it the others would wait forever for the rank that left. The error is printed with the
    rank's number and its machine, and mpiexec returns with exit code 1. A process that is killed
    can print nothing; mpiexec then says so and names a process (rank 0 prints who is who first),
    be it the one that died or one that mpiexec ended because of it.
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
        print(f"{where} ends the job:\n{traceback.format_exc()}", file=sys.stderr, flush=True)
        sleep(0.5)  # what is printed travels through mpiexec, which drops it once the job ends
        comm.Abort(1)


# Overflow shows in the loss, which is checked: NumPy's warnings would only say it earlier.
@np.errstate(over="ignore", invalid="ignore")
def fit(
    comm: MPI.Intracomm,
    network: Sequential,
    loss: Loss,
    optimizer: Optimizer,
    train: Samples,
    validation: Samples | None = None,
    *,
    epochs: int = 1,
    batch_size: int = 32,
    seed: int = 0,
    schedule: Callable[[float], float] | None = None,
    penalty: Penalty | None = None,
    max_gradient_norm: float | None = None,
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
    every: int = 1,
    resume: bool = True,
) -> History:
    """`minicnn.fit` on all ranks of comm at once; every rank calls it with the same arguments.

    batch_size: samples in a step, over all ranks. Rank 0's parameters are sent to all before the
    first step. Every rank gets the same History, up to its own seconds; rank 0 shows the progress,
    and writes and reads the checkpoint, to which no other rank needs access. Training goes on from
    it to the same bits on as many ranks as before.

    Raises ValueError when ranks were given different data or numbers, or when there are fewer
    samples in a batch or in `validation` than ranks; RuntimeError, naming the rank, when a rank's
    parameters are not bit for bit those of rank 0 at the end of an epoch; and what `minicnn.fit`
    raises. Call it inside `job`, so that an error on one rank ends all of them.
    """
    check_parts(network, loss, optimizer, schedule, penalty)
    check_arguments(epochs, batch_size, seed, None, validation, every, max_gradient_norm)
    if batch_size < comm.size:
        raise ValueError(f"batch_size {batch_size} gives some of the {comm.size} ranks no sample")
    check_same_call(comm, train, epochs, batch_size, seed)
    loss = loss.on(network.backend)
    samples = prepare(network, loss, train, "train")
    judged_here = None if validation is None else own_part(comm, network, loss, validation)
    restore(network, comm.bcast(snapshot(network)))
    rules = Rules(schedule or constant, penalty, max_gradient_norm)
    run, saved = Progress(
        {
            "seed": str(seed),
            "batch_size": str(batch_size),
            "ranks": str(comm.size),
            "loss": repr(loss),
            "train": described(train),
            "validation": described(validation),
            **rules.described(),
        }
    ), None
    kept = checkpoint if comm.rank == 0 else None
    if kept is not None and resume and os.path.exists(kept):
        saved = load_training(kept, network, optimizer, run.arguments, epochs)
    saved = comm.bcast(saved)
    network.reseed((seed, comm.rank))
    if saved is not None:
        run = saved.put_into(network, optimizer)
    elif kept is not None:
        save(kept, network, optimizer, run)
    together, history = Together(comm, network), run.history
    shown = report(progress and comm.rank == 0, epochs, samples.size)
    for epoch in range(len(history), epochs):
        start = perf_counter()
        batches = list(in_batches(shuffled(samples.size, seed, epoch), batch_size))
        with shown.epoch(epoch):
            tally = train_epoch(together, loss, optimizer, samples, batches, epoch, rules, shown)
            together.check_identical(epoch)
            together.share_counters()
            validation_loss, validation_accuracy = (
                (None, None) if judged_here is None else judge(comm, network, loss, judged_here)
            )
            history.append(
                train_loss=tally.loss,
                train_accuracy=tally.accuracy,
                validation_loss=validation_loss,
                validation_accuracy=validation_accuracy,
                learning_rate=rules.rate(optimizer, epoch + (len(batches) - 1) / len(batches)),
                seconds=perf_counter() - start,
            )
            shown.end(history)
        if kept is not None and (len(history) % every == 0 or len(history) == epochs):
            save(kept, network, optimizer, run)
    return history


class Together:
    """The network of one rank, and the flat buffer in which the ranks' results are added up.

    The buffer holds every gradient, every running statistic, then loss and number of right answers.
    """

    def __init__(self, comm: MPI.Intracomm, network: Sequential) -> None:
        self.comm, self.network = comm, network
        self.parameters = network.parameters()
        floats = [p for p in network.state().values() if p.dtype.kind == "f"]
        self.statistics = [p for p in floats if not p.learned]
        self.counters = [p for p in network.state().values() if p.dtype.kind != "f"]
        sizes = [int(np.prod(p.shape)) for p in (*self.parameters, *self.statistics)]
        self.buffer = np.empty(sum(sizes) + 2, network.dtype or np.float32)
        self.pieces = np.split(self.buffer[:-2], np.cumsum(sizes)[:-1])

    def reduce(self, weight: float, value: float, correct: int) -> tuple[float, int]:
        """Replace gradients and statistics by their weighted sums over the ranks.

        value: the mean loss of this rank's share. Returns the batch's mean loss and its number of
        right answers.
        """
        ops = backends.get(self.network.backend)
        arrays: list[Any] = [p.gradient for p in self.parameters]
        arrays += [p.data for p in self.statistics]
        if weight:
            for piece, array in zip(self.pieces, arrays):
                np.multiply(ops.read(array).ravel(), weight, out=piece)
            self.buffer[-2:] = weight * value, correct
        else:
            self.buffer[:] = 0
        self.comm.Allreduce(MPI.IN_PLACE, self.buffer)
        for piece, array in zip(self.pieces, arrays):
            ops.write(array, piece.reshape(array.shape))
        return float(self.buffer[-2]), int(self.buffer[-1])

    def share_counters(self) -> None:
        """Rank 0 takes part in every step, so its counts of steps are everybody's (a checkpoint
        holds one set of them). Masks still differ between ranks, by their seeds.
        """
        for counter, value in zip(self.counters, self.comm.bcast([c.value for c in self.counters])):
            counter.value = value

    def check_identical(self, epoch: int) -> None:
        """RuntimeError on every rank when one of them holds other bits than rank 0."""
        checksum = 0
        for parameter in (*self.parameters, *self.statistics):
            checksum = crc32(parameter.value.tobytes(), checksum)
        checksums = self.comm.allgather(checksum)
        other = [rank for rank, found in enumerate(checksums) if found != checksums[0]]
        if other:
            raise RuntimeError(
                f"after epoch {epoch + 1} the parameters of rank {', '.join(map(str, other))} are "
                "not those of rank 0: do all ranks run the same machine code and optimiser?"
            )


def train_epoch(
    together: Together,
    loss: Loss,
    optimizer: Optimizer,
    samples: Prepared,
    batches: list[np.ndarray],
    epoch: int,
    rules: Rules,
    shown: Report,
) -> Tally:
    """One step per batch, taken by all ranks; returns the epoch's mean loss and accuracy."""
    tally, comm, ops = Tally(), together.comm, together.network.ops
    for step, batch in enumerate(batches):
        lr = rules.rate(optimizer, epoch + step / len(batches))
        share = np.array_split(batch, comm.size)[comm.rank]
        divisor = loss.divisor(samples.targets, batch)
        weight = loss.divisor(samples.targets, share) / (divisor or 1.0)
        value, correct = 0.0, 0
        if weight:
            found, right = forward_and_backward(together.network, loss, samples, share)
            value, correct = ops.to_float(found), int(ops.to_float(right or 0))
        value, correct = together.reduce(weight, value, correct)
        # Every rank sees the same sum, so all stop here together or none does.
        if not isfinite(value):
            raise not_finite(value, epoch, step, lr)
        tally.add(value, divisor, len(batch))
        if samples.targets.labels is not None:
            tally.add_correct(correct)
        optimizer.steps += 1
        update(together.parameters, optimizer, lr, optimizer.steps, rules)
        if shown.due() or step + 1 == len(batches):
            shown.update(tally)
    return tally


def own_part(
    comm: MPI.Intracomm, network: Sequential, loss: Loss, samples: Samples
) -> Prepared:
    """Every comm.size-th sample, from this rank's number on."""
    inputs, targets = split(samples, "validation")
    if len(inputs) < comm.size:
        raise ValueError(f"validation: {len(inputs)} samples for {comm.size} ranks")
    mine = slice(comm.rank, None, comm.size)
    return prepare(network, loss, (inputs[mine], targets[mine]), "validation")


def judge(
    comm: MPI.Intracomm, network: Sequential, loss: Loss, part: Prepared
) -> tuple[float, float | None]:
    """Loss and accuracy over the parts of all ranks."""
    found = measure(network, loss, part)
    weight = loss.divisor(part.targets, np.arange(part.size))
    sums = np.array([found.loss * weight, weight, (found.accuracy or 0) * part.size, part.size])
    comm.Allreduce(MPI.IN_PLACE, sums)
    return float(sums[0] / sums[1]), None if found.accuracy is None else float(sums[2] / sums[3])


def check_same_call(comm: MPI.Intracomm, train: Samples, *numbers: int) -> None:
    """ValueError when a rank has other samples or numbers: its share would be of another batch."""
    checksums = [crc32(array.tobytes()) for array in split(train, "train")]
    calls = comm.allgather((*checksums, *numbers))
    for rank, call in enumerate(calls):
        if call != calls[0]:
            raise ValueError(
                f"rank {rank} was given other samples, epochs, batch_size or seed than rank 0"
            )
