"""Cross-validation with a curve: 5 folds, fresh weights in each, judged after every epoch."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from minicnn import History, Penalty, Sequential, SigmoidCrossEntropy, SoftmaxCrossEntropy, fit
from minicnn.data import Dataset
from minicnn.data.batches import shuffled

FOLDS = 5
BATCH = 256  # of 800 cards: four steps an epoch, as in the report
Samples = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Curves:
    """What the folds measured, each an array (folds, epochs)."""

    accuracy: np.ndarray  # of the held-out fold
    loss: np.ndarray
    seconds: np.ndarray

    def at(self, epoch: int) -> tuple[float, float]:
        """Mean and standard deviation over the folds, in %, after so many epochs."""
        values = 100 * self.accuracy[:, epoch - 1]
        return float(values.mean()), float(values.std(ddof=1))


def targets_of(cards: Dataset, symbol: int | None) -> np.ndarray:
    """Labels 0..4 of all five symbols, or 1 for one of them and 0 for the rest."""
    return cards.labels if symbol is None else (cards.labels == symbol).astype(np.int64)


def loss_of(symbol: int | None):
    return SoftmaxCrossEntropy() if symbol is None else SigmoidCrossEntropy()


def folds(images: np.ndarray, targets: np.ndarray, seed: int) -> Iterator[tuple[Samples, Samples]]:
    """(training samples, held-out samples) of each fold."""
    parts = np.array_split(shuffled(len(images), seed, 0), FOLDS)
    for k, held_out in enumerate(parts):
        others = np.concatenate(parts[:k] + parts[k + 1 :])
        yield (images[others], targets[others]), (images[held_out], targets[held_out])


def cross_validated(
    network: Sequential,
    make_optimizer,
    cards: Dataset,
    symbol: int | None,
    epochs: int,
    seed: int,
    penalty: Penalty | None = None,
) -> Curves:
    histories = []
    for k, (train, held_out) in enumerate(folds(cards.images, targets_of(cards, symbol), seed)):
        network.initialize(seed + k)
        history = fit(
            network, loss_of(symbol), make_optimizer(), train, held_out, epochs=epochs,
            batch_size=BATCH, seed=seed + k, penalty=penalty, progress=False,
        )  # fmt: skip
        histories.append(history)
    return curves(histories)


def curves(histories: list[History]) -> Curves:
    columns = "validation_accuracy", "validation_loss", "seconds"
    return Curves(*(np.array([h[name] for h in histories], float) for name in columns))
