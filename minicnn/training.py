"""Training: fit, evaluate, cross_validate."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from math import isfinite
from time import perf_counter
from typing import Any, NamedTuple

import numpy as np
from tqdm import tqdm

from . import metrics
from .backends.contract import Data
from .data.batches import as_samples, in_batches, shuffled
from .data.dataset import Dataset
from .history import History
from .interrupt import WholeStep
from .layers.base import Parameter
from .losses import Loss, Targets
from .network import Sequential
from .optimizers import Optimizer, Penalty, clip_gradient_norm

Samples = Dataset | tuple[Any, Any]  # a data set, or (inputs, targets)


@dataclass(frozen=True)
class Evaluation:
    """What `evaluate` found. Without classes (regression) only `loss` is a number.

    accuracy: the share of samples that were classified right. confusion: int64 (C, C), a row per
    true class, a column per predicted one. precision, recall: float64 (C,), NaN for a class that
    was never predicted, or does not occur.
    """

    loss: float
    accuracy: float | None = None
    confusion: np.ndarray | None = None
    precision: np.ndarray | None = None
    recall: np.ndarray | None = None


class Prepared(NamedTuple):
    """A data set that was checked and brought to the network's backend."""

    data: Data
    targets: Targets
    size: int
    dtype: Any


# Overflow shows in the loss, which is checked: NumPy's warnings would only say it earlier.
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
    progress: bool = True,
) -> History:
    """Train a network in place with mini-batch gradient descent; returns what happened.

    train, validation: a Dataset or (inputs, targets); uint8 inputs are pixels, value / 255.
    seed: the order of the samples in every epoch and all dropout masks follow from it.
    schedule: factor on the learning rate at a fractional epoch (see `schedules`).
    penalty: L1 / L2 on the weights; it enters the gradient, not the losses that are recorded.
    max_gradient_norm: gradients of a larger norm are scaled down to it.
    patience: stop when the validation loss has not improved for so many epochs, and put the best
    epoch's parameters back.
    progress: a bar with loss, accuracy and images/s, when standard error is a terminal.

    Training losses and accuracies are means over the batches as they were trained on.
    Raises ValueError or TypeError for data that does not fit before anything is computed, and
    FloatingPointError, naming epoch and step, when a loss is not finite: the parameters are then
    those after the last good step. Ctrl-C leaves the network as after a whole step.
    """
    check_arguments(epochs, batch_size, patience, validation)
    loss.to(network.backend)
    training_set = prepare(network, loss, train, "train")
    judging_set = None if validation is None else prepare(network, loss, validation, "validation")
    network.reseed(seed)
    rules = Rules(schedule or constant, penalty, max_gradient_norm)
    history, best = History(), None
    for epoch in range(epochs):
        start = perf_counter()
        batches = list(in_batches(shuffled(training_set.size, seed, epoch), batch_size))
        with tqdm(
            total=training_set.size,
            desc=f"epoch {epoch + 1}/{epochs}",
            unit=" images",
            disable=None if progress else True,
        ) as bar:
            tally = train_epoch(network, loss, optimizer, training_set, batches, epoch, rules, bar)
        judged = None if judging_set is None else measure(network, loss, judging_set)
        last_moment = epoch + (len(batches) - 1) / len(batches)
        history.append(
            train_loss=tally.loss,
            train_accuracy=tally.accuracy,
            validation_loss=None if judged is None else judged.loss,
            validation_accuracy=None if judged is None else judged.accuracy,
            learning_rate=optimizer.lr * rules.schedule(last_moment),
            seconds=perf_counter() - start,
        )
        if patience is not None and judged is not None:
            if best is None or judged.loss < best[0]:
                best = judged.loss, epoch, snapshot(network)
            elif epoch - best[1] >= patience:
                break
    if best is not None:
        restore(network, best[2])
    return history


class Rules(NamedTuple):
    """How a gradient becomes a step."""

    schedule: Callable[[float], float]
    penalty: Penalty | None
    max_gradient_norm: float | None


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
    bar: tqdm,
) -> Tally:
    """One step per batch; returns the epoch's mean loss and accuracy."""
    tally, parameters = Tally(), network.parameters()
    for step, indices in enumerate(batches):
        factor = rules.schedule(epoch + step / len(batches))
        with WholeStep():
            value = forward_and_backward(network, loss, samples, indices, tally)
            if not isfinite(value):
                raise FloatingPointError(
                    f"the loss is {value} in epoch {epoch + 1}, step {step + 1}: try a smaller "
                    f"learning rate (it is {optimizer.lr * factor:g}), or look for NaN and Inf "
                    "in the data"
                )
            update(parameters, optimizer, factor, rules)
        if not bar.disable:
            bar.set_postfix_str(tally.summary(), refresh=False)
            bar.update(len(indices))
    return tally


def forward_and_backward(
    network: Sequential, loss: Loss, samples: Prepared, indices: np.ndarray, tally: Tally
) -> float:
    """One step up to the gradients: gather, forward, loss, backward. Returns the mean loss.

    No gradient is computed from a loss that is not finite.
    """
    ops = network.ops
    x = ops.gather(samples.data, indices, samples.dtype, network.buffers)
    prediction = network.forward_batch(x, training=True)
    value = ops.to_float(loss.compare(prediction, samples.targets, indices))
    if isfinite(value):
        tally.add(value, loss.divisor(samples.targets, indices), len(indices))
        if samples.targets.labels is not None:
            correct = ops.count_correct(prediction, samples.targets.labels[indices])
            tally.add_correct(int(ops.to_float(correct)))
        network.backward_batch(loss.backward_batch(), input_gradient=False)
    return value


def update(
    parameters: list[Parameter], optimizer: Optimizer, factor: float, rules: Rules
) -> None:
    """The other half of a step: penalty, clipping, and the optimiser."""
    if rules.penalty is not None:
        rules.penalty.add_gradient(parameters)
    if rules.max_gradient_norm is not None:
        clip_gradient_norm(parameters, rules.max_gradient_norm)
    optimizer.step(parameters, factor)


def evaluate(
    network: Sequential, loss: Loss, samples: Samples, batch_size: int = 256
) -> Evaluation:
    """Loss, accuracy, confusion matrix, and precision and recall per class; nothing is trained.

    Raises ValueError or TypeError for data that does not fit.
    """
    loss.to(network.backend)
    return measure(network, loss, prepare(network, loss, samples, "samples"), batch_size)


@np.errstate(over="ignore", invalid="ignore")
def measure(
    network: Sequential, loss: Loss, samples: Prepared, batch_size: int = 256
) -> Evaluation:
    ops, labels = network.ops, samples.targets.labels
    tally, predicted = Tally(), []
    for indices in in_batches(np.arange(samples.size), batch_size):
        x = ops.gather(samples.data, indices, samples.dtype, network.buffers)
        prediction = network.forward_batch(x, training=False)
        value = ops.to_float(loss.compare(prediction, samples.targets, indices))
        tally.add(value, loss.divisor(samples.targets, indices), len(indices))
        if labels is not None:
            outputs = ops.to_numpy(prediction)
            one = outputs.shape[1] == 1
            predicted.append(outputs[:, 0] > 0 if one else outputs.argmax(axis=1))
    if labels is None:
        return Evaluation(tally.loss)
    classes = max(2, outputs.shape[1])
    matrix = metrics.confusion_matrix(labels, np.concatenate(predicted).astype(np.int64), classes)
    return Evaluation(
        tally.loss,
        metrics.accuracy(matrix),
        matrix,
        metrics.precision(matrix),
        metrics.recall(matrix),
    )


@dataclass(frozen=True)
class CrossValidation:
    """k evaluations, each on the fold that its network did not train on."""

    evaluations: list[Evaluation]
    histories: list[History]

    def mean_and_std(self, name: str = "accuracy") -> tuple[float, float]:
        """Mean and sample standard deviation over the folds of `accuracy` or `loss`."""
        values = [getattr(e, name) for e in self.evaluations]
        return float(np.mean(values)), float(np.std(values, ddof=1))


def cross_validate(
    network: Sequential,
    loss: Loss,
    optimizer: Optimizer,
    samples: Samples,
    *,
    folds: int = 5,
    seed: int = 0,
    **fit_arguments: Any,
) -> CrossValidation:
    """k-fold cross-validation: every sample is judged once, by a network that never saw it.

    The samples are shuffled and cut into k folds. For each, a copy of the network with fresh
    parameters (seed + fold) and a copy of the optimiser train on the other folds, with the
    arguments of `fit`; the network that was passed in stays as it is.
    Raises ValueError for fewer than two folds or more folds than samples.
    """
    inputs, targets = split(samples, "samples")
    if not 2 <= folds <= len(inputs):
        raise ValueError(f"folds must be between 2 and the {len(inputs)} samples, got {folds}")
    evaluations, histories = [], []
    parts = np.array_split(shuffled(len(inputs), seed, 0), folds)
    for fold, held_out in enumerate(parts):
        others = np.concatenate(parts[:fold] + parts[fold + 1 :])
        fresh, its_optimizer = copy.deepcopy((network, optimizer))
        fresh.initialize(seed + fold)
        histories.append(
            fit(fresh, loss, its_optimizer, (inputs[others], targets[others]),
                seed=seed + fold, **fit_arguments)
        )  # fmt: skip
        evaluations.append(evaluate(fresh, loss, (inputs[held_out], targets[held_out])))
    return CrossValidation(evaluations, histories)


class Tally:
    """Running means of an epoch, each batch weighted as in the mean over all its samples."""

    def __init__(self) -> None:
        self.total, self.weight, self.samples = 0.0, 0.0, 0
        self.correct: int | None = None

    def add(self, loss: float, weight: float, samples: int) -> None:
        self.total += loss * weight
        self.weight += weight
        self.samples += samples

    def add_correct(self, correct: int) -> None:
        self.correct = (self.correct or 0) + correct

    @property
    def loss(self) -> float:
        return self.total / self.weight

    @property
    def accuracy(self) -> float | None:
        return None if self.correct is None else self.correct / self.samples

    def summary(self) -> str:
        right = "" if self.accuracy is None else f", accuracy {self.accuracy:.2%}"
        return f"loss {self.loss:.4f}{right}"


def prepare(network: Sequential, loss: Loss, samples: Samples, name: str) -> Prepared:
    """Check inputs and targets against network and loss, and bring them to the backend."""
    inputs, target = split(samples, name)
    inputs = as_samples(inputs, name)
    if len(inputs) == 0:
        raise ValueError(f"{name}: there are no samples")
    if len(inputs) != len(target):
        raise ValueError(f"{name}: {len(inputs)} inputs but {len(target)} targets")
    output = (len(inputs), *network.output_shape(inputs.shape[1:]))
    dtype = network.dtype or np.dtype(np.float32)
    return Prepared(network.ops.upload(inputs), loss.targets(target, output), len(inputs), dtype)


def split(samples: Samples, name: str) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(samples, Dataset):
        return samples.images, samples.labels
    if not (isinstance(samples, tuple) and len(samples) == 2):
        raise TypeError(f"{name}: wanted a Dataset or (inputs, targets), got {type(samples)}")
    return np.asarray(samples[0]), np.asarray(samples[1])


def check_arguments(
    epochs: int, batch_size: int, patience: int | None, validation: Samples | None
) -> None:
    if epochs < 0:
        raise ValueError(f"epochs must be at least 0, got {epochs}")
    if batch_size < 1:
        raise ValueError(f"batch_size must be at least 1, got {batch_size}")
    if patience is not None and validation is None:
        raise ValueError("patience watches the validation loss: pass validation too")
    if patience is not None and patience < 1:
        raise ValueError(f"patience must be at least 1, got {patience}")


def snapshot(network: Sequential) -> dict[str, np.ndarray]:
    return {name: p.value.copy() for name, p in network.state().items()}


def restore(network: Sequential, values: dict[str, np.ndarray]) -> None:
    for name, parameter in network.state().items():
        parameter.value = values[name]
