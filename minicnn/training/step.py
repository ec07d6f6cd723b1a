"""One training step: gather, forward, loss, backward, update."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from types import FunctionType
from typing import NamedTuple

import numpy as np

from ..backends.contract import Indices, Number, Scalar
from ..layers.checked import is_own
from ..layers.parameter import Parameter
from ..losses import Loss
from ..network import Sequential
from ..optimizers import Optimizer, Penalty, clip_gradients
from .checks import described
from .samples import Prepared


def forward_and_backward(
    network: Sequential, loss: Loss, samples: Prepared, indices: Indices
) -> tuple[Scalar, Scalar | None]:
    """One step up to the gradients: gather, forward, loss, backward.

    Returns the mean loss and, where there are classes, the number of right answers.
    """
    ops, answers = network.ops, samples.targets.answers
    prediction = network.forward_batch(samples.batch(network, indices), training=True)
    value = loss.compare(prediction, samples.targets, indices)
    right = None
    if answers is not None:
        labels = ops.pick(answers, indices, network.buffers)
        right = ops.count_correct(prediction, labels, network.buffers)
    network.backward_batch(loss.backward_batch(), input_gradient=False)
    return value, right


def repeatable(network: Sequential, loss: Loss) -> bool:
    """Whether a step can be replayed: whether all that it goes through is minicnn's own.

    What a class of the user's does at one step, it may leave out at the next.
    """
    parts = *network.walk(), loss
    called = [getattr(p, name) for p in parts for name in ("forward_batch", "backward_batch")]
    own = all(is_own(method) for method in (*called, loss.compare, loss.divisor))
    return own and not any(map(overrides, parts))


def same_update(optimizer: Optimizer, penalty: Penalty | None) -> bool:
    """Whether its update can be replayed too."""
    return not (overrides(optimizer) or overrides(penalty))


def overrides(part: object) -> bool:
    """Whether a class of the user's overrides a method or a property that a step calls, such as the
    numbers of a formula. Constructors and shapes are not among them: they are asked before.
    """
    kinds, ours = type(part).__mro__, __name__.partition(".")[0]
    own = [kind for kind in kinds if kind.__module__.partition(".")[0] == ours]
    asked = {name for kind in own for name in vars(kind) if not name.startswith("__")}
    asked -= {"output_shape", "array_shapes"}
    return any(
        isinstance(thing, FunctionType | property | staticmethod | classmethod)
        for kind in kinds
        if kind not in own
        for name, thing in vars(kind).items()
        if name in asked
    )


def update(
    parameters: list[Parameter], optimizer: Optimizer, lr: Number, step: Number, rules: Rules
) -> None:
    """The other half of a step: penalty, clipping, and the optimiser."""
    if rules.penalty is not None:
        rules.penalty.add_gradient(parameters)
    if rules.max_gradient_norm is not None:
        clip_gradients(parameters, rules.max_gradient_norm)
    optimizer.apply(parameters, lr, step)


class Rules(NamedTuple):
    """How a gradient becomes a step."""

    schedule: Callable[[float], float]
    penalty: Penalty | None
    max_gradient_norm: float | None

    def rate(self, optimizer: Optimizer, epoch: float) -> float:
        """The learning rate at a moment of the training."""
        said = np.asarray(self.schedule(epoch))
        if said.ndim or said.dtype.kind not in "biuf":
            raise TypeError(
                f"schedule: the factor at epoch {epoch:g} must be a number, got {said.tolist()!r}"
            )
        factor = float(said)
        if not (factor >= 0 and isfinite(factor)):
            raise ValueError(f"schedule: the factor at epoch {epoch:g} must be ≥ 0, got {factor}")
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


def not_finite(loss: float, epoch: int, step: int, lr: float) -> FloatingPointError:
    return FloatingPointError(
        f"the loss is {loss} in epoch {epoch + 1}, step {step + 1}: try a smaller learning rate "
        f"(it is {lr:g}), or look for NaN and Inf in the data"
    )
