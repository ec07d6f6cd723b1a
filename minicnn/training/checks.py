"""What `fit` asks of its arguments, before anything is computed."""

from __future__ import annotations

import re
from reprlib import repr as shortened
from typing import Any

import numpy as np

from ..common.arguments import function, instance, number, whole_number
from ..data.dataset import Dataset
from ..losses import Loss
from ..network import Sequential
from ..optimizers import Optimizer, Penalty
from .samples import Prepared, Samples, inputs_and_targets


def check_parts(who: str, network: Any, loss: Any, optimizer: Any) -> None:
    """TypeError, saying what to write, for what is none of ours; ValueError for a network in which
    nothing is left to learn.
    """
    instance(network, Sequential, "network", who, "a Sequential")
    if not network.parameters() and any(not p.statistic for p in network.state().values()):
        raise ValueError(f"{who}: every parameter is frozen: nothing would be learned")
    instance(loss, Loss, "loss", who, "a loss such as SoftmaxCrossEntropy()")
    instance(optimizer, Optimizer, "optimizer", who, "an optimizer such as Adam(1e-3)")


def check_options(schedule: Any, penalty: Any, augment: Any, after_epoch: Any) -> None:
    """TypeError, saying what to write, for what is none of ours or cannot be called."""
    if penalty is not None:
        instance(penalty, Penalty, "penalty", "fit", "a Penalty such as Penalty(l2=1e-4)")
    if schedule is not None:
        function(schedule, "schedule", "fit", "a function of the epoch, as in minicnn.schedules")
    if augment is not None:
        function(augment, "augment", "fit", "a function such as data.RandomAffine(shift=2)")
    if after_epoch is not None:
        function(after_epoch, "after_epoch", "fit", "a function of epoch, network and history")


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


def check_batches(network: Sequential, samples: Prepared, batch_size: int, parts: int) -> None:
    """ValueError where a layer cannot train on as few samples as the smallest batch has, or the
    smallest share of one that is cut into parts.
    """
    if batch_size < parts:
        raise ValueError(f"batch_size {batch_size} gives some of the {parts} ranks no sample")
    smallest = min(samples.size, samples.size % batch_size or batch_size)
    share = max(1, smallest // parts)
    needed = network.smallest_batch(samples.shape[1:])
    if share < needed:
        shared = "" if parts == 1 else f", which is {share} on some of {parts} ranks"
        raise ValueError(
            f"train: {samples.size} samples in batches of {batch_size} leave one of {smallest}"
            f"{shared}, and BatchNorm needs {needed} values per channel: choose another batch_size"
        )


def check_classes(train: Prepared, validation: Prepared | None) -> None:
    """ValueError where both know the names of their classes, and a label means another class."""
    names = None if validation is None else validation.classes
    if None not in (train.classes, names) and train.classes != names:
        raise ValueError(
            f"fit: train has the classes {shortened(train.classes)}, validation {shortened(names)}"
        )


def check_weights(network: Sequential, optimizer: Optimizer, epoch: int) -> None:
    """FloatingPointError where a weight is not finite: the last step's loss could not show it."""
    for name, parameter in network.state().items():
        if parameter.learned and not np.isfinite(parameter.value).all():
            raise FloatingPointError(
                f"{name} is not finite after epoch {epoch + 1}: try a smaller learning rate (it is "
                f"{optimizer.lr:g})"
            )


def described(part: Any, name: str = "") -> str:
    """What a checkpoint says of a part of a training: samples by their shapes and dtypes, functions
    by their repr as it is in any process, without an address.
    """
    if isinstance(part, Dataset | tuple):
        inputs, targets = inputs_and_targets(part, name)
        # Labels are the same numbers in whatever integers they come.
        labels = targets.ndim == 1 and targets.dtype.kind in "iu"
        kind = "integers" if labels else targets.dtype.name
        return f"inputs {inputs.shape} of {inputs.dtype.name}, targets {targets.shape} of {kind}"
    return re.sub(" at 0x[0-9A-Fa-f]+", "", repr(part))
