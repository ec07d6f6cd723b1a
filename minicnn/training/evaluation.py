"""Evaluation: the loss of a network on samples, and how often it is right."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .. import metrics
from ..common.arguments import instance, whole_number
from ..common.tables import aligned
from ..data.batches import in_batches
from ..losses import Loss
from ..network import Sequential, likeliest
from .progress import scores
from .samples import Prepared, Samples, prepare


@dataclass(frozen=True, repr=False)
class Evaluation:
    """What `evaluate` found. Without classes (regression) only `loss` is a number.

    accuracy: the share of samples that were classified right. confusion: int64 (C, C), a row per
    true class, a column per predicted one. precision, recall: float64 (C,), NaN for a class that
    was never predicted, or does not occur. classes: their names, where the samples were a Dataset.
    """

    loss: float
    accuracy: float | None = None
    confusion: np.ndarray | None = None
    precision: np.ndarray | None = None
    recall: np.ndarray | None = None
    classes: tuple[str, ...] | None = None

    def __repr__(self) -> str:
        """Loss and accuracy on a line, then a table of the classes."""
        first = scores(self.loss, self.accuracy)
        if self.confusion is None or self.precision is None or self.recall is None:
            return first
        rows = [("class", "samples", "precision", "recall")]
        numbered = map(str, range(len(self.confusion)))
        for name, *row in zip(
            self.classes or numbered, self.confusion.sum(axis=1), self.precision, self.recall
        ):
            rows.append((name, f"{row[0]:,}", f"{row[1]:.2%}", f"{row[2]:.2%}"))
        return "\n".join([first, *aligned(rows, left=1)])


@np.errstate(over="ignore", invalid="ignore")  # Inf and NaN pass through in silence
def evaluate(
    network: Sequential, loss: Loss, samples: Samples, batch_size: int = 256
) -> Evaluation:
    """Loss, accuracy, confusion matrix, and precision and recall per class; nothing is trained.

    Raises ValueError or TypeError for data that does not fit.
    """
    instance(network, Sequential, "network", "evaluate", "a Sequential")
    instance(loss, Loss, "loss", "evaluate", "a loss such as SoftmaxCrossEntropy()")
    whole_number(batch_size, "batch_size", "evaluate")
    loss = loss.on(network.backend)
    return measure(network, loss, prepare(network, loss, samples, "samples"), batch_size=batch_size)


def measure(
    network: Sequential,
    loss: Loss,
    samples: Prepared,
    chosen: np.ndarray | None = None,
    batch_size: int = 256,
) -> Evaluation:
    """What `evaluate` gives, of all samples or of the chosen ones."""
    chosen = np.arange(samples.size) if chosen is None else chosen
    ops, labels, names = network.ops, samples.targets.labels, samples.classes
    tally, predicted = Tally(), []
    with network.alone():
        network.mark()
        for indices in in_batches(chosen, batch_size):
            prediction = network.forward_batch(samples.batch(network, indices), training=False)
            value = ops.to_float(loss.compare(prediction, samples.targets, indices))
            tally.add(value, loss.divisor(samples.targets, indices), len(indices))
            if labels is not None:
                outputs = ops.to_numpy(prediction)
                predicted.append(likeliest(outputs))
    if labels is None:
        return Evaluation(tally.loss)
    classes = max(2, outputs.shape[1])
    matrix = metrics.confusion_matrix(labels[chosen], np.concatenate(predicted), classes)
    return Evaluation(
        tally.loss,
        metrics.accuracy(matrix),
        matrix,
        metrics.precision(matrix),
        metrics.recall(matrix),
        names if names is not None and len(names) == classes else None,
    )


class Tally:
    """Running means of an epoch, each batch weighted as in the mean over all its samples."""

    def __init__(self) -> None:
        self.total, self.weight, self.samples, self.steps = 0.0, 0.0, 0, 0
        self.first_loss = 0.0
        self.correct: int | None = None

    def add(self, loss: float, weight: float, samples: int) -> None:
        if self.steps == 0:
            self.first_loss = loss
        self.total += loss * (weight or 1.0)  # where no sample counts, a loss is a sum
        self.weight += weight
        self.samples += samples
        self.steps += 1

    def add_correct(self, correct: int) -> None:
        self.correct = (self.correct or 0) + correct

    @property
    def loss(self) -> float:
        return self.total / (self.weight or 1.0)  # no sample counted yet

    @property
    def accuracy(self) -> float | None:
        return None if self.correct is None else self.correct / self.samples
