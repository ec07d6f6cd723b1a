"""Activations: functions of one number, and their slopes.

The functions are plain Python in `backends/scalar.py`. `numba` and `cuda` compile those lines; the
reference has the same under the same names in NumPy.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from .names import Batch

Formula = Callable[..., float]  # of one element, as in `backends/scalar.py`


class Operations(Protocol):
    def activation_forward(
        self, x: Batch, formula: Formula, numbers: Sequence[float], buffers: Any
    ) -> Batch:
        """y = formula(x, *numbers), element by element."""

    def activation_backward(
        self, dy: Batch, kept: Batch, slope: Formula, numbers: Sequence[float], buffers: Any
    ) -> Batch:
        """dx = slope(dy, kept, *numbers), element by element; kept: x or y, as the slope wants."""
