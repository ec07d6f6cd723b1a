"""Evaluation: the loss of a network on samples, and how often it is right."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from . import metrics
from .backends.contract import Data
from .data.batches import as_samples, in_batches
from .data.dataset import Dataset
from .losses import Loss, Targets
from .network import Sequential

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


def evaluate(
    network: Sequential, loss: Loss, samples: Samples, batch_size: int = 256
) -> Evaluation:
    """Loss, accuracy, confusion matrix, and precision and recall per class; nothing is trained.

    Raises ValueError or TypeError for data that does not fit.
    """
    loss = loss.on(network.backend)
    return measure(network, loss, prepare(network, loss, samples, "samples"), batch_size)


@np.errstate(over="ignore", invalid="ignore")
def measure(
    network: Sequential, loss: Loss, samples: Prepared, batch_size: int = 256
) -> Evaluation:
    ops, labels = network.ops, samples.targets.labels
    tally, predicted = Tally(), []
    with network.alone():
        network.mark()
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


class Prepared(NamedTuple):
    """A data set that was checked and brought to the network's backend."""

    data: Data
    targets: Targets
    shape: tuple[int, ...]
    dtype: Any

    @property
    def size(self) -> int:
        return self.shape[0]


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
    return Prepared(network.ops.upload(inputs), loss.targets(target, output), inputs.shape, dtype)


def split(samples: Samples, name: str) -> tuple[np.ndarray, np.ndarray]:
    if isinstance(samples, Dataset):
        return samples.images, samples.labels
    if not (isinstance(samples, tuple) and len(samples) == 2):
        raise TypeError(f"{name}: wanted a Dataset or (inputs, targets), got {type(samples)}")
    return np.asarray(samples[0]), np.asarray(samples[1])


class Tally:
    """Running means of an epoch, each batch weighted as in the mean over all its samples."""

    def __init__(self) -> None:
        self.total, self.weight, self.samples, self.steps = 0.0, 0.0, 0, 0
        self.correct: int | None = None

    def add(self, loss: float, weight: float, samples: int) -> None:
        self.total += loss * weight
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

    def summary(self) -> str:
        right = "" if self.accuracy is None else f", accuracy {self.accuracy:.2%}"
        return f"loss {self.loss:.4f}{right}"
