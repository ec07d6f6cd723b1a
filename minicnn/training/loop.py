"""fit: one training loop, for one process and for many ranks. `step.py` has what it repeats."""

from __future__ import annotations

import os
from collections.abc import Callable
from math import isfinite
from time import perf_counter

import numpy as np

from ..backends.contract import EpochSteps, Indices, Number, Scalar
from ..common.errors import warn
from ..common.paths import path_text
from ..common.turns import sole_trainer
from ..data.augment import Augmented, Transform
from ..data.batches import as_samples, in_batches, memory_mapped, shuffled
from ..files.checkpoint import Progress, facts, load_training, save
from ..files.history import History
from ..losses import Loss
from ..network import Sequential, restore
from ..optimizers import Optimizer, Penalty
from .checks import (
    check_arguments,
    check_batches,
    check_classes,
    check_options,
    check_parts,
    check_weights,
    described,
)
from .evaluation import Tally
from .interrupt import WholeSteps
from .progress import Report, report
from .samples import Prepared, Samples, inputs_and_targets, prepare
from .step import Rules, constant, not_finite, same_update, update
from .team import ALONE, Team

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]
AfterEpoch = Callable[[int, Sequential, History], object]


class StopTraining(Exception):
    """Raised by `after_epoch`: the epoch that was done is the last."""


# Overflow shows in the loss, which is checked: NumPy's warnings would only say it earlier.
@sole_trainer
@np.errstate(over="ignore", invalid="ignore")
def fit(
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
    patience: int | None = None,
    augment: Augment | None = None,
    after_epoch: AfterEpoch | None = None,
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
    every: int = 1,
    resume: bool = True,
    team: Team = ALONE,
) -> History:
    """Train a network in place with mini-batch gradient descent; returns what happened.

    train, validation: a Dataset or (inputs, targets); uint8 inputs are pixels, value / 255. Inputs
    in a memory-mapped file stay there: batches are read from it, and augmented one by one by the
    transforms of `data` (a function of your own gets the whole set).
    seed: the order of the samples in every epoch and all dropout masks follow from it.
    schedule: factor on the learning rate at a fractional epoch (see `schedules`).
    penalty: L1 / L2 on the weights; it enters the gradient, not the losses that are recorded.
    max_gradient_norm: gradients of a larger norm are scaled down to it.
    patience: stop when the validation loss has not improved for so many epochs, and put the best
    epoch's parameters back.
    augment: draws the inputs of each epoch: augment(inputs, rng) gives others of the same shape and
    dtype, and rng follows from (seed, epoch). See `data.RandomFlip`, `data.Compose` and the like.
    after_epoch: a function of epoch (from 0), network and history; returning True, or raising
    StopTraining, ends the training. It may change the network, but not its backend or dtype.
    progress: show loss and accuracy: a line for each epoch on standard error, and in a terminal a
    bar with images/s while it runs; in a notebook one output of the cell, whose text changes.
    checkpoint: a file that is written before the first epoch, after each `every` epochs, and at the
    end; see `load`. If it is there already, training goes on from it, to the same bits as if it had
    never stopped, on the same backend with as many lanes (a processor with others goes on too, to
    results that differ by rounding); resume=False starts again and replaces it.
    team: who shares the work; `distributed.fit` passes the ranks of an MPI job.

    Training losses and accuracies are means over the batches as they were trained on.
    Raises ValueError or TypeError for data that does not fit before anything is computed, and
    FloatingPointError, naming epoch and step, when a loss is not finite: the parameters are then
    those after the last good step, and so are, in one process and not on a GPU, statistics and
    counters (the losses are looked at when the bar is drawn and at the end of an epoch). Also where
    the last step of an epoch leaves a weight that is not finite: the network is then as that step
    left it, and the checkpoint as before the epoch.
    Ctrl-C leaves the network as after a whole step.
    Warns of floats from 0 to 255, which look like pixels that were not scaled, and of a loss that
    rises more than a hundredfold in the first epoch.
    Raises ModelFileError for a checkpoint that is broken, ValueError, naming what differs, for one
    of another training, OSError for one that cannot be written.
    """
    check_parts("fit", network, loss, optimizer)
    check_options(schedule, penalty, augment, after_epoch)
    check_arguments(epochs, batch_size, seed, patience, validation, every, max_gradient_norm)
    if checkpoint is not None:
        path_text(checkpoint, "checkpoint", "fit")
    rules = Rules(schedule or constant, penalty, max_gradient_norm)
    run = Progress(
        {
            "seed": str(seed),
            "batch_size": str(batch_size),
            **team.described(),
            "loss": repr(loss),
            "train": described(train, "train"),
            "validation": described(validation, "validation"),
            **rules.described(),
            "patience": str(patience),
            "augment": described(augment),
        }
    )
    stated = [f"epochs={epochs}", *facts(network, optimizer, run.arguments, [*run.arguments])]
    team.agree(stated, {"train": train, "validation": validation})
    loss = loss.on(network.backend)
    samples = prepare(network, loss, train, "train")
    check_batches(network, samples, batch_size, team.size)
    judged = None if validation is None else prepare(network, loss, validation, "validation")
    check_classes(samples, judged)
    kept = checkpoint if team.leads else None
    run = begin(team, network, optimizer, run, kept, epochs, seed, resume)
    steps: EpochSteps | None = None
    shown = report(progress and team.leads, epochs, samples.size)
    stopped, kind = False, (network.backend, network.dtype)
    while not (stopped or run.ended(epochs, patience)):
        epoch, start = len(run.history), perf_counter()
        if augment is not None:
            samples = augmented(samples, train, augment, seed, epoch, network)
        if steps is None or augment is not None or after_epoch is not None:
            # Old ones know the old data, and where the network's numbers were.
            steps = team.steps(network, loss, samples.dtype, same_update(optimizer, penalty))
        batches = list(in_batches(shuffled(samples.size, seed, epoch), batch_size))
        with shown.epoch(epoch):
            tally = train_epoch(
                team, network, loss, optimizer, samples, batches, epoch, rules, steps, shown
            )
            team.check(network, epoch)
            check_weights(network, optimizer, epoch)
            found = (None, None) if judged is None else team.judge(network, loss, judged)
            run.history.append(
                train_loss=tally.loss,
                train_accuracy=tally.accuracy,
                validation_loss=found[0],
                validation_accuracy=found[1],
                learning_rate=rules.rate(optimizer, epoch + (len(batches) - 1) / len(batches)),
                seconds=perf_counter() - start,
            )
            shown.end(run.history)
        if patience is not None and found[0] is not None:
            run.compare(found[0], network)
        stopped = team.from_leader(stops(after_epoch, epoch, network, run.history))
        if (network.backend, network.dtype) != kind:
            raise ValueError(
                f"fit: after_epoch made the network {network.dtype} on {network.backend!r}; it was "
                f"{kind[1]} on {kind[0]!r}"
            )
        if after_epoch is not None:  # which may have changed weights, on one rank alone
            team.check(network, epoch)
        due = len(run.history) % every == 0 or stopped or run.ended(epochs, patience)
        if kept is not None and due:
            save(kept, network, optimizer, run)
    if run.best is not None:
        restore(network, run.best.state)
    return run.history


def begin(
    team: Team,
    network: Sequential,
    optimizer: Optimizer,
    run: Progress,
    checkpoint: str | os.PathLike[str] | None,
    epochs: int,
    seed: int,
    resume: bool,
) -> Progress:
    """Start, or go on from the checkpoint: then network and optimiser are as it left them."""
    saved = None
    if checkpoint is not None and resume and os.path.exists(checkpoint):
        saved = load_training(checkpoint, network, optimizer, run.arguments, epochs)
    saved = team.from_leader(saved)
    team.start(network, seed)
    if saved is not None:
        return saved.put_into(network, optimizer)
    if checkpoint is not None:
        save(checkpoint, network, optimizer, run)
    return run


def stops(
    after_epoch: AfterEpoch | None, epoch: int, network: Sequential, history: History
) -> bool:
    """What the user's function says of an epoch that is done."""
    try:
        said = None if after_epoch is None else after_epoch(epoch, network, history)
    except StopTraining:
        return True
    if not isinstance(said, bool | np.bool_ | None):
        raise TypeError(f"fit: after_epoch must return True, False or None, got {said!r}")
    return bool(said)


def augmented(
    samples: Prepared, train: Samples, augment: Augment, seed: int, epoch: int, network: Sequential
) -> Prepared:
    """The training set with the inputs that `augment` draws for this epoch, the same ones wherever
    the set lies.
    """
    inputs, _ = inputs_and_targets(train, "train")
    inputs = as_samples(inputs, "train").view()
    inputs.flags.writeable = False  # they are the user's own
    rng = np.random.default_rng((seed, epoch, 1))
    if isinstance(augment, Transform) and memory_mapped(inputs):
        return samples._replace(data=Augmented(inputs, augment, rng))  # changed batch by batch
    drawn = as_samples(augment(inputs, rng), "augment")
    if drawn.shape != inputs.shape or drawn.dtype != inputs.dtype:
        raise ValueError(
            f"augment gave {drawn.dtype} {drawn.shape}, wanted {inputs.dtype} {inputs.shape}"
        )
    return samples._replace(data=network.ops.upload(drawn))


def train_epoch(
    team: Team,
    network: Sequential,
    loss: Loss,
    optimizer: Optimizer,
    samples: Prepared,
    batches: list[np.ndarray],
    epoch: int,
    rules: Rules,
    steps: EpochSteps,
    shown: Report,
) -> Tally:
    """One step per batch; returns the epoch's mean loss and accuracy."""
    parameters, taken, tally = network.parameters(), optimizer.steps, Tally()
    rates = [rules.rate(optimizer, epoch + k / len(batches)) for k in range(len(batches))]

    def compute(indices: Indices) -> tuple[Scalar, Scalar | None]:
        return team.gradients(network, loss, samples, indices)

    def change(lr: Number, step: Number) -> None:
        update(parameters, optimizer, lr, step, rules)

    steps.start(batches, rates, taken)
    alone, marks = network.alone(), network.marks()
    with WholeSteps() as whole:
        for k in range(len(batches)):
            with alone:
                for attributes in marks:
                    attributes["_mark"] = None
                steps.take(compute, change)
                optimizer.steps += 1
            whole.step_ends()
            if shown.due() or k + 1 == len(batches):
                losses, right = steps.read()
                for step in range(tally.steps, len(losses)):
                    if not isfinite(losses[step]):
                        optimizer.steps = taken + step
                        raise not_finite(losses[step], epoch, step, rates[step])
                    divisor = loss.divisor(samples.targets, batches[step])
                    tally.add(losses[step], divisor, len(batches[step]))
                    if samples.targets.labels is not None:
                        tally.add_correct(right[step])
                shown.update(tally)
    if epoch == 0 and tally.loss > 100 * max(tally.first_loss, 1):
        warn(
            f"the loss rose from {tally.first_loss:.4g} in the first step to a mean of "
            f"{tally.loss:.4g} in the first epoch: try a smaller learning rate (it is "
            f"{optimizer.lr:g})"
        )
    return tally
