"""Cross-validation: every sample is judged once, by a network that never saw it."""

from __future__ import annotations

import copy
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ..common.arguments import whole_number
from ..common.paths import path_text
from ..data.batches import shuffled
from ..data.dataset import Dataset
from ..files.history import History
from ..losses import Loss
from ..network import Sequential
from ..optimizers import Optimizer
from .evaluation import Evaluation, evaluate
from .loop import fit
from .samples import Samples, inputs_and_targets


@dataclass(frozen=True)
class CrossValidation:
    """k evaluations, each on the fold that its network did not train on."""

    evaluations: list[Evaluation]
    histories: list[History]

    def mean_and_std(self, name: str = "accuracy") -> tuple[float, float]:
        """Mean and sample standard deviation over the folds of `accuracy` or `loss`.

        ValueError for the accuracy where the targets are no classes.
        """
        values = [getattr(e, name) for e in self.evaluations]
        if None in values:
            raise ValueError(f"mean_and_std: these folds have no {name}, ask for the 'loss'")
        return float(np.mean(values)), float(np.std(values, ddof=1))


def cross_validate(
    network: Sequential,
    loss: Loss,
    optimizer: Optimizer,
    samples: Samples,
    *,
    folds: int = 5,
    seed: int = 0,
    checkpoint: str | os.PathLike[str] | None = None,
    **fit_arguments: Any,
) -> CrossValidation:
    """k-fold cross-validation: every sample is judged once, by a network that never saw it.

    The samples are shuffled and cut into k folds. For each, a copy of the network with fresh
    parameters (seed + fold) and a copy of the optimiser train on the other folds, with the
    arguments of `fit`; the network that was passed in stays as it is. A checkpoint "cards.npz" is
    one of `fit` for each fold: cards-fold-0.npz, cards-fold-1.npz, ... Those of folds that are done
    are only read when it is run again, and the one that was interrupted goes on.
    What a fold trains on is copied, in memory, also where the samples lie in a memory-mapped file.
    Raises TypeError or ValueError for fewer than two folds, more folds than samples, or another
    number of targets than of inputs.
    """
    inputs, targets = inputs_and_targets(samples, "samples")
    if len(inputs) != len(targets):
        raise ValueError(f"samples: {len(inputs)} inputs but {len(targets)} targets")
    whole_number(seed, "seed", "cross_validate", at_least=0)
    if not 2 <= whole_number(folds, "folds", "cross_validate") <= len(inputs):
        raise ValueError(f"folds must be between 2 and the {len(inputs)} samples, got {folds}")

    def part(chosen: np.ndarray) -> Samples:
        if isinstance(samples, Dataset):  # which knows the names of its classes
            return samples[chosen]
        return inputs[chosen], targets[chosen]

    evaluations, histories = [], []
    parts = np.array_split(shuffled(len(inputs), seed, 0), folds)
    for fold, held_out in enumerate(parts):
        others = np.concatenate(parts[:fold] + parts[fold + 1 :])
        fresh, its_optimizer = copy.deepcopy((network, optimizer))
        fresh.initialize(seed + fold)
        histories.append(
            fit(fresh, loss, its_optimizer, part(others), seed=seed + fold,
                checkpoint=file_of(fold, checkpoint), **fit_arguments)
        )  # fmt: skip
        evaluations.append(evaluate(fresh, loss, part(held_out)))
    return CrossValidation(evaluations, histories)


def file_of(fold: int, checkpoint: str | os.PathLike[str] | None) -> Path | None:
    """The checkpoint of one fold."""
    if checkpoint is None:
        return None
    path = Path(path_text(checkpoint, "checkpoint", "cross_validate"))
    return path.with_name(f"{path.stem}-fold-{fold}{path.suffix}")
