"""The state of a network, copied and put back."""

from __future__ import annotations

import numpy as np

from ..layers.base import Layer


def snapshot(network: Layer) -> dict[str, np.ndarray]:
    """A copy of the whole state, as NumPy arrays by name."""
    with network.alone():
        return {name: p.value.copy() for name, p in network.state().items()}


def restore(network: Layer, values: dict[str, np.ndarray]) -> None:
    """Put a snapshot back."""
    with network.alone():
        for name, parameter in network.state().items():
            parameter.value = values[name]
