"""A number for each channel, added."""

from __future__ import annotations

from typing import Any, Protocol

from .names import Array, Batch


class Operations(Protocol):
    def bias_forward(self, x: Batch, b: Array, buffers: Any) -> Batch:
        """y[n,c,…] = x[n,c,…] + b[c].  x (N, C) or (N, C, H, W); b (C,)."""

    def bias_gradient(self, dy: Batch, db: Array, buffers: Any) -> None:
        """A bias reaches every image and position: db[c] = Σ_{n,…} dy[n,c,…], overwritten."""
