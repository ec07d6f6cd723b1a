"""find_learning_rate: the loss against the learning rate, over one sweep in which the rate grows.

Smith 2017, "Cyclical learning rates for training neural networks", section 3.3: at rates that are
too small nothing is learned, at good ones the loss falls, and at too large ones it rises again.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from math import isfinite

import numpy as np

from ..common.arguments import number, whole_number
from ..common.turns import sole_trainer
from ..data.batches import in_batches, shuffled
from ..losses import Loss
from ..network import Sequential, restore, snapshot
from ..optimizers import Optimizer
from .checks import check_batches, check_parts
from .samples import Samples, prepare
from .step import forward_and_backward

KEEP = 0.9  # how much of the mean of the losses before stays at each step
RISEN = 4  # the sweep ends where the mean is so many times the lowest


@dataclass(frozen=True, repr=False)
class RateSweep:
    """What `find_learning_rate` found: float64 (steps,) each, as far as the sweep came.

    rates: the learning rate of each step. losses: of the batch, before the step. smooth: their
    running mean, Σ 0.9^(k−i) · loss_i / Σ 0.9^(k−i).
    """

    rates: np.ndarray
    losses: np.ndarray
    smooth: np.ndarray

    @property
    def suggestion(self) -> float:
        """A tenth of the rate at which the running mean is lowest.

        There the loss is about to rise again; a training wants to stay clear of that.
        """
        return float(self.rates[self.smooth.argmin()] / 10)

    def __repr__(self) -> str:
        lowest = self.smooth.argmin()
        return (
            f"learning rates {self.rates[0]:.2g} to {self.rates[-1]:.2g} in {len(self.rates)} "
            f"steps: loss {self.losses[0]:.4g}, lowest {self.smooth[lowest]:.4g} at "
            f"{self.rates[lowest]:.2g}; suggestion {self.suggestion:.2g}"
        )


@sole_trainer
@np.errstate(over="ignore", invalid="ignore")
def find_learning_rate(
    network: Sequential,
    loss: Loss,
    optimizer: Optimizer,
    train: Samples,
    *,
    lowest: float = 1e-6,
    highest: float = 10.0,
    steps: int = 100,
    batch_size: int = 32,
    seed: int = 0,
) -> RateSweep:
    """Train for `steps` steps while the rate grows from lowest to highest, each time by the same
    factor; stop early where the loss has risen to four times its lowest or is not finite.

    Network and optimiser are left as they were. `plotting.rate_sweep` draws what is found.
    The optimiser's own lr does not matter. train, batch_size, seed as for `fit`.

    Raises ValueError or TypeError for arguments and data that do not fit, as `fit` does, for rates
    that are not 0 < lowest < highest, for fewer than two steps, and for a loss that is not finite
    at the first.
    """
    who = "find_learning_rate"
    check_parts(who, network, loss, optimizer)
    low, high = number(lowest, "lowest", who), number(highest, "highest", who)
    if not 0 < low < high < float("inf"):
        raise ValueError(f"{who}: wanted 0 < lowest < highest, got {lowest!r} and {highest!r}")
    whole_number(steps, "steps", who, at_least=2)
    whole_number(batch_size, "batch_size", who)
    whole_number(seed, "seed", who, at_least=0)
    loss = loss.on(network.backend)
    samples = prepare(network, loss, train, "train")
    check_batches(network, samples, batch_size, 1)
    rates = np.geomspace(low, high, steps)
    losses: list[float] = []
    smooth: list[float] = []
    optimizer, parameters = copy.deepcopy(optimizer), network.parameters()
    optimizer.restore(0, {})  # as at the start of a training
    before, mean, weight = snapshot(network), 0.0, 0.0
    try:
        for rate, batch in zip(rates, batches(samples.size, batch_size, seed)):
            with network.alone():
                network.mark()
                found, _ = forward_and_backward(network, loss, samples, batch)
                value = network.ops.to_float(found)
                if not isfinite(value):
                    break
                optimizer.apply(parameters, float(rate), len(losses) + 1)
            losses.append(value)
            mean, weight = KEEP * mean + value, KEEP * weight + 1
            smooth.append(mean / weight)
            if smooth[-1] > RISEN * min(smooth):
                break
    finally:
        restore(network, before)
    if not losses:
        raise ValueError(f"{who}: the loss of the first batch is {value}: look for NaN in the data")
    return RateSweep(rates[: len(losses)], np.array(losses), np.array(smooth))


def batches(samples: int, batch_size: int, seed: int) -> Iterator[np.ndarray]:
    """Batches without an end, in the orders that `fit` has in epoch 0, 1, …"""
    for epoch in count():
        yield from in_batches(shuffled(samples, seed, epoch), batch_size)
