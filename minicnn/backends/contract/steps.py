"""The steps of an epoch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

import numpy as np

from .names import Array, Indices, Number, Scalar


class Operations(Protocol):
    def Steps(
        self,
        dtype: Any,
        state: Sequence[Array] = (),
        repeatable: bool = True,
        same_update: bool = True,
    ) -> EpochSteps:
        """What takes the training steps of a network of that dtype.

        state: arrays that forward writes (statistics, counters). They are put back to what they
        were before a loss that is not finite. repeatable: whether every step goes through the same
        operations; if not, nothing is replayed. same_update: the same of the update alone.
        """


class EpochSteps(Protocol):
    """Takes the training steps of an epoch, without waiting for their results.

    A step is compute(indices), which leaves gradients and returns the loss and, where there are
    classes, the number of right answers; then update(lr, step). A backend may call these two, or
    replay what they did in an earlier step: so what they do may depend on their arguments alone,
    and only go through operations of this contract. Nor may it depend on the numbers that those
    give: while a step is written down nothing is computed. After a loss that is not finite no step
    of the epoch updates anything.
    """

    def start(self, batches: Sequence[np.ndarray], rates: Sequence[float], taken: int) -> None:
        """Begin an epoch: each step's samples and learning rate; steps taken before it."""

    def take(
        self,
        compute: Callable[[Indices], tuple[Scalar, Scalar | None]],
        update: Callable[[Number, Number], None],
    ) -> None:
        """Take the next step."""

    def read(self) -> tuple[list[float], list[int]]:
        """Losses and right answers of the epoch's steps so far (on a device this waits)."""
