"""Who trains: one process, or the ranks of a job (`ranks.py`). The training loop asks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeVar

from ..backends.contract import EpochSteps, Indices, Scalar
from ..losses import Loss
from ..network import Sequential
from .evaluation import measure
from .samples import Prepared, Samples
from .step import forward_and_backward, repeatable

T = TypeVar("T")


class Team(Protocol):
    """What the members of a team agree on, and how their work becomes one step."""

    size: int
    leads: bool  # whether this member writes files and shows the progress

    def described(self) -> dict[str, str]:
        """What a checkpoint says of the team."""

    def agree(self, stated: Sequence[str], samples: dict[str, Samples | None]) -> None:
        """ValueError on every member where one was asked for another training."""

    def from_leader(self, thing: T) -> T:
        """What the leader passed."""

    def start(self, network: Sequential, seed: int) -> None:
        """Everybody gets the leader's parameters, and random masks that follow from the seed."""

    def steps(self, network: Sequential, loss: Loss, dtype: Any, same_update: bool) -> EpochSteps:
        """What takes the steps of an epoch. same_update: see `contract.Steps`."""

    def gradients(
        self, network: Sequential, loss: Loss, samples: Prepared, indices: Indices
    ) -> tuple[Scalar, Scalar | None]:
        """Write the gradients of the mean loss over these samples; the loss and right answers."""

    def check(self, network: Sequential, epoch: int) -> None:
        """RuntimeError on every member where one has other parameters after an epoch."""

    def judge(
        self, network: Sequential, loss: Loss, samples: Prepared
    ) -> tuple[float, float | None]:
        """Loss and accuracy."""


class Alone:
    """One process, which does everything."""

    size, leads = 1, True

    def described(self):
        return {}

    def agree(self, stated, samples):
        pass

    def from_leader(self, thing):
        return thing

    def start(self, network, seed):
        network.reseed(seed)

    def steps(self, network, loss, dtype, same_update):
        written = [p.data for p in network.state().values() if p.statistic]
        return network.ops.Steps(dtype, written, repeatable(network, loss), same_update)

    def gradients(self, network, loss, samples, indices):
        return forward_and_backward(network, loss, samples, indices)

    def check(self, network, epoch):
        pass

    def judge(self, network, loss, samples):
        found = measure(network, loss, samples)
        return found.loss, found.accuracy


ALONE: Team = Alone()
