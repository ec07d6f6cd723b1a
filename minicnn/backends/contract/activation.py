"""Functions of one number, and their slopes."""

from __future__ import annotations

from typing import Any, Protocol

from .names import Batch


class Operations(Protocol):
    def relu_forward(self, x: Batch, buffers: Any) -> Batch:
        """y = max(x, 0) (Nair & Hinton 2010)."""

    def relu_backward(self, dy: Batch, y: Batch, buffers: Any) -> Batch:
        """dx = dy where y > 0, else 0 (at the kink 0 the slope is taken as 0)."""

    def leaky_relu_forward(self, x: Batch, slope: float, buffers: Any) -> Batch:
        """y = x where x > 0, else slope · x (Maas et al. 2013)."""

    def leaky_relu_backward(self, dy: Batch, x: Batch, slope: float, buffers: Any) -> Batch:
        """dx = dy where x > 0, else slope · dy."""

    def sigmoid_forward(self, x: Batch, buffers: Any) -> Batch:
        """y = 1 / (1 + e^−x), computed from e^−|x| ≤ 1, so that no x overflows."""

    def sigmoid_backward(self, dy: Batch, y: Batch, buffers: Any) -> Batch:
        """dx = dy · y · (1 − y)."""

    def tanh_forward(self, x: Batch, buffers: Any) -> Batch:
        """y = tanh x."""

    def tanh_backward(self, dy: Batch, y: Batch, buffers: Any) -> Batch:
        """dx = dy · (1 − y²)."""
