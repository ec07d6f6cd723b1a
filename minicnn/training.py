"""Training: one step is gather, forward, loss, backward, update; fit repeats it."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from math import isfinite
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np

from .arguments import function, instance, number, whole_number
from .backends.contract import EpochSteps, Indices, Number, Scalar
from .checkpoint import Progress, load_training, save
from .data.batches import as_samples, in_batches, shuffled
from .data.dataset import Dataset
from .errors import warn
from .evaluation import Prepared, Samples, Tally, measure, prepare, split
from .history import History
from .interrupt import WholeStep
from .layers.base import Parameter
from .losses import Loss
from .network import Sequential, restore
from .optimizers import Optimizer, Penalty, clip_gradients
from .progress import Report, report
from .turns import sole_trainer

Augment = Callable[[np.ndarray, np.random.Generator], np.ndarray]


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
    progress: bool = True,
    checkpoint: str | os.PathLike[str] | None = None,
    every: int = 1,
    resume: bool = True,
) -> History:
    """Train a network in place with mini-batch gradient descent; returns what happened.

    train, validation: a Dataset or (inputs, targets); uint8 inputs are pixels, value / 255.
    seed: the order of the samples in every epoch and all dropout masks follow from it.
    schedule: factor on the learning rate at a fractional epoch (see `schedules`).
    penalty: L1 / L2 on the weights; it enters the gradient, not the losses that are recorded.
    max_gradient_norm: gradients of a larger norm are scaled down to it.
    patience: stop when the validation loss has not improved for so many epochs, and put the best
    epoch's parameters back.
    augment: draws the inputs of each epoch: augment(inputs, rng) gives others of the same shape and
    dtype, and rng follows from (seed, epoch). See `data.RandomAffine`.
    progress: show loss and accuracy: a line for each epoch on standard error, and in a terminal a
    bar with images/s while it runs; in a notebook one output of the cell, whose text changes.
    checkpoint: a file that is written before the first epoch, after each `every` epochs, and at the
    end; see `load`. If it is there already, training goes on from it, to the same bits as if it had
    never stopped, on the same backend; resume=False starts again and replaces it.

    Training losses and accuracies are means over the batches as they were trained on.
    Raises ValueError or TypeError for data that does not fit before anything is computed, and
    FloatingPointError, naming epoch and step, when a loss is not finite: the parameters are then
    those after the last good step (the losses are looked at when the bar is drawn and at the end of
    an epoch). Ctrl-C leaves the network as after a whole step.
    Warns of floats from 0 to 255, which look like pixels that were not scaled, and of a loss that
    rises more than a hundredfold in the first epoch.
    Raises ModelFileError for a checkpoint that is broken, ValueError, naming what differs, for one
    of another training, OSError for one that cannot be written.
    """
    check_parts(network, loss, optimizer, schedule, penalty, augment)
    check_arguments(epochs, batch_size, seed, patience, validation, every, max_gradient_norm)
    loss = loss.on(network.backend)
    training_set = prepare(network, loss, train, "train")
    check_batches(network, training_set, batch_size)
    judging_set = None if validation is None else prepare(network, loss, validation, "validation")
    rules = Rules(schedule or constant, penalty, max_gradient_norm)
    run = Progress(
        {
            "seed": str(seed),
            "batch_size": str(batch_size),
            "loss": repr(loss),
            "train": described(train),
            "validation": described(validation),
            **rules.described(),
            "patience": str(patience),
            "augment": described(augment),
        }
    )
    saved = None
    if checkpoint is not None and resume and os.path.exists(checkpoint):
        saved = load_training(checkpoint, network, optimizer, run.arguments, epochs)
    network.reseed(seed)
    if saved is not None:
        run = saved.put_into(network, optimizer)
    elif checkpoint is not None:
        save(checkpoint, network, optimizer, run)
    steps = network.ops.Steps(training_set.dtype)
    shown = report(progress, epochs, training_set.size)
    while not run.ended(epochs, patience):
        epoch = len(run.history)
        start = perf_counter()
        if augment is not None:
            training_set = augmented(training_set, train, augment, seed, epoch, network)
            steps = network.ops.Steps(training_set.dtype)  # the old ones know the old data
        batches = list(in_batches(shuffled(training_set.size, seed, epoch), batch_size))
        with shown.epoch(epoch):
            tally = train_epoch(
                network, loss, optimizer, training_set, batches, epoch, rules, steps, shown
            )
            if epoch == 0 and tally.loss > 100 * max(tally.first_loss, 1):
                warn(
                    f"the loss rose from {tally.first_loss:.4g} in the first step to a mean of "
                    f"{tally.loss:.4g} in the first epoch: try a smaller learning rate (it is "
                    f"{optimizer.lr:g})"
                )
            judged = None if judging_set is None else measure(network, loss, judging_set)
            last_moment = epoch + (len(batches) - 1) / len(batches)
            run.history.append(
                train_loss=tally.loss,
                train_accuracy=tally.accuracy,
                validation_loss=None if judged is None else judged.loss,
                validation_accuracy=None if judged is None else judged.accuracy,
                learning_rate=rules.rate(optimizer, last_moment),
                seconds=perf_counter() - start,
            )
            shown.end(run.history)
        if patience is not None and judged is not None:
            run.compare(judged.loss, network)
        due = len(run.history) % every == 0 or run.ended(epochs, patience)
        if checkpoint is not None and due:
            save(checkpoint, network, optimizer, run)
    if run.best is not None:
        restore(network, run.best.state)
    return run.history


def described(part: Any) -> str:
    """What a checkpoint says of a part of a training: samples by their shape, functions by their
    repr as it is in any process, without an address.
    """
    if isinstance(part, Dataset | tuple):
        return f"inputs {split(part, 'samples')[0].shape}"
    return re.sub(" at 0x[0-9A-Fa-f]+", "", repr(part))


def augmented(
    samples: Prepared, train: Samples, augment: Augment, seed: int, epoch: int, network: Sequential
) -> Prepared:
    """The training set with the inputs that `augment` draws for this epoch."""
    inputs, _ = split(train, "train")
    inputs = as_samples(inputs, "train").view()
    inputs.flags.writeable = False  # they are the user's own
    drawn = as_samples(augment(inputs, np.random.default_rng((seed, epoch, 1))), "augment")
    if drawn.shape != inputs.shape or drawn.dtype != inputs.dtype:
        raise ValueError(
            f"augment gave {drawn.dtype} {drawn.shape}, wanted {inputs.dtype} {inputs.shape}"
        )
    return samples._replace(data=network.ops.upload(drawn))


class Rules(NamedTuple):
    """How a gradient becomes a step."""

    schedule: Callable[[float], float]
    penalty: Penalty | None
    max_gradient_norm: float | None

    def rate(self, optimizer: Optimizer, epoch: float) -> float:
        """The learning rate at a moment of the training."""
        factor = float(self.schedule(epoch))
        if not (factor >= 0 and isfinite(factor)):
            raise ValueError(
                f"schedule: got the factor {factor} at epoch {epoch:g}, wanted one ≥ 0"
            )
        return optimizer.lr * factor

    def described(self) -> dict[str, str]:
        penalty = self.penalty
        return {
            "schedule": described(None if self.schedule is constant else self.schedule),
            "penalty": "None" if penalty is None else f"l1 {penalty.l1}, l2 {penalty.l2}",
            "max_gradient_norm": str(self.max_gradient_norm),
        }


def constant(epoch: float) -> float:
    return 1.0


def train_epoch(
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
        return forward_and_backward(network, loss, samples, indices)

    def change(lr: Number, step: Number) -> None:
        update(parameters, optimizer, lr, step, rules)

    steps.start(batches, rates, taken)
    alone = network.alone()
    for k in range(len(batches)):
        with WholeStep(), alone:
            network.mark()
            steps.take(compute, change)
            optimizer.steps += 1
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
    return tally


def forward_and_backward(
    network: Sequential, loss: Loss, samples: Prepared, indices: Indices
) -> tuple[Scalar, Scalar | None]:
    """One step up to the gradients: gather, forward, loss, backward.

    Returns the mean loss and, where there are classes, the number of right answers.
    """
    ops, answers = network.ops, samples.targets.answers
    x = ops.gather(samples.data, indices, samples.dtype, network.buffers)
    prediction = network.forward_batch(x, training=True)
    value = loss.compare(prediction, samples.targets, indices)
    right = None
    if answers is not None:
        labels = ops.pick(answers, indices, network.buffers)
        right = ops.count_correct(prediction, labels, network.buffers)
    network.backward_batch(loss.backward_batch(), input_gradient=False)
    return value, right


def update(
    parameters: list[Parameter], optimizer: Optimizer, lr: Number, step: Number, rules: Rules
) -> None:
    """The other half of a step: penalty, clipping, and the optimiser."""
    if rules.penalty is not None:
        rules.penalty.add_gradient(parameters)
    if rules.max_gradient_norm is not None:
        clip_gradients(parameters, rules.max_gradient_norm)
    optimizer.apply(parameters, lr, step)


def not_finite(loss: float, epoch: int, step: int, lr: float) -> FloatingPointError:
    return FloatingPointError(
        f"the loss is {loss} in epoch {epoch + 1}, step {step + 1}: try a smaller learning rate "
        f"(it is {lr:g}), or look for NaN and Inf in the data"
    )


def check_parts(
    network: Any, loss: Any, optimizer: Any, schedule: Any, penalty: Any, augment: Any = None
) -> None:
    """TypeError, saying what to write, for what is none of ours or cannot be called."""
    instance(network, Sequential, "network", "fit", "a Sequential")
    instance(loss, Loss, "loss", "fit", "a loss such as SoftmaxCrossEntropy()")
    instance(optimizer, Optimizer, "optimizer", "fit", "an optimizer such as Adam(1e-3)")
    if penalty is not None:
        instance(penalty, Penalty, "penalty", "fit", "a Penalty such as Penalty(l2=1e-4)")
    if schedule is not None:
        function(schedule, "schedule", "fit", "a function of the epoch, as in minicnn.schedules")
    if augment is not None:
        function(augment, "augment", "fit", "a function such as data.RandomAffine(shift=2)")


def check_arguments(
    epochs: int,
    batch_size: int,
    seed: int,
    patience: int | None,
    validation: Samples | None,
    every: int,
    max_gradient_norm: float | None,
) -> None:
    whole_number(epochs, "epochs", "fit", at_least=0)
    whole_number(batch_size, "batch_size", "fit")
    whole_number(seed, "seed", "fit", at_least=0)
    whole_number(every, "every", "fit")
    if patience is not None:
        whole_number(patience, "patience", "fit")
        if validation is None:
            raise ValueError("patience watches the validation loss: pass validation too")
    norm = max_gradient_norm
    if norm is not None and not number(norm, "max_gradient_norm", "fit") > 0:
        raise ValueError(f"fit: max_gradient_norm must be positive, got {norm!r}")


def check_batches(network: Sequential, samples: Prepared, batch_size: int) -> None:
    """ValueError where a layer cannot train on as few samples as the smallest batch has."""
    smallest = min(samples.size, samples.size % batch_size or batch_size)
    needed = network.smallest_batch(samples.shape[1:])
    if smallest < needed:
        raise ValueError(
            f"train: {samples.size} samples in batches of {batch_size} leave one of {smallest}, "
            f"and BatchNorm needs {needed} values per channel: choose another batch_size"
        )
