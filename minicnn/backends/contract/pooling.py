"""The largest or the mean value of each window."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ..window import Window
from .names import Batch


class Operations(Protocol):
    def max_pool_forward(
        self, x: Batch, window: Window, rectified: bool, buffers: Any
    ) -> tuple[Batch, Batch]:
        """y[n,c,i,j] = max over the window's taps (u, v) inside the image; and which tap it was.

        x (N, C, H, W) → y (N, C, OH, OW), winner (N, C, OH, OW) with values u·KW + v. Padding
        never wins. Of equal values the first in row-major order wins; a NaN wins over all.

        rectified: a ReLU comes along, y = max(0, …). Where 0 is the largest, or a NaN, winner is
        KH·KW: the gradient goes nowhere.
        """

    def max_pool_backward(self, dy: Batch, winner: Batch, window: Window, buffers: Any) -> Batch:
        """dx at a pixel is the sum of dy over the windows in which it won.

        Windows may overlap, so this *adds*: dy, winner (N, C, OH, OW) → dx (N, C, H, W). Where they
        do not, dx may be dy and winner in another form, and is valid while they are.
        """

    def avg_pool_forward(
        self, x: Batch, window: Window, divisor: np.ndarray, buffers: Any
    ) -> Batch:
        """y[n,c,i,j] = (sum over the window's taps inside the image) / divisor[i,j].

        x (N, C, H, W) → y (N, C, OH, OW); divisor int64 (OH, OW).
        """

    def avg_pool_backward(
        self, dy: Batch, window: Window, divisor: np.ndarray, buffers: Any
    ) -> Batch:
        """Every pixel under a window gets the same share: dx = Σ over its windows dy / divisor."""
