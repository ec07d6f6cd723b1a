"""The dense layer: every output from every input. An Inf may arrive as NaN."""

from __future__ import annotations

from typing import Any, Protocol

from .names import Array, Batch


class Operations(Protocol):
    def dense_forward(self, x: Batch, w: Array, b: Array | None, buffers: Any) -> Batch:
        """y[n,o] = b[o] + Σ_i w[o,i] · x[n,i].  x (N, I); w (O, I); b (O,) or None; y (N, O)."""

    def dense_input_gradient(self, dy: Batch, w: Array, buffers: Any) -> Batch:
        """dx[n,i] = Σ_o w[o,i] · dy[n,o].  dy (N, O); w (O, I); dx (N, I)."""

    def dense_weight_gradient(self, dy: Batch, x: Batch, dw: Array, buffers: Any) -> None:
        """dw[o,i] = Σ_n dy[n,o] · x[n,i].  dy (N, O); x (N, I); dw (O, I), overwritten."""
