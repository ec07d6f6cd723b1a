"""Ways that part and meet again: what containers with branches need besides their layers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from .names import Batch


class Operations(Protocol):
    def add(self, a: Batch, b: Batch, name: str, buffers: Any) -> Batch:
        """a + b, of one shape, as what the buffers call `name`. Its gradient: dy, for a and for b.

        a may be the last sum of that name, so that a sum of many takes no more memory.
        """

    def multiply(self, a: Batch, b: Batch, name: str, buffers: Any) -> Batch:
        """a · b, number by number, likewise. Its gradients: dy · b for a, and dy · a for b."""

    def concatenate(self, xs: Sequence[Batch], buffers: Any) -> Batch:
        """Channels side by side: xs (N, C₀, …), (N, C₁, …), … → y (N, C₀ + C₁ + …, …)."""

    def split(self, dy: Batch, channels: Sequence[int], buffers: Any) -> list[Batch]:
        """Gradient of `concatenate`: each xₖ gets its own channels of dy back.

        dy (N, Σ channels, …) → (N, channels[0], …), (N, channels[1], …), …
        """
