"""Values that are left out at random."""

from __future__ import annotations

from typing import Any, Protocol

from .names import Array, Batch


class Operations(Protocol):
    def dropout_forward(
        self, x: Batch, p: float, seed: tuple[int, int], step: Array, buffers: Any
    ) -> tuple[Batch, Batch]:
        """Inverted dropout (Srivastava et al. 2014).

            y = x · mask        mask = 0 with probability p, else 1 / (1 − p)

        Element k of sample n (row-major in the sample) is drawn by `backends/philox.py` from
        (seed, step, n, k) alone: every backend draws the same mask. step: int64 (1,); it is
        advanced by one. Returns y and mask.
        """

    def dropout_backward(self, dy: Batch, mask: Batch, buffers: Any) -> Batch:
        """dx = dy · mask."""
