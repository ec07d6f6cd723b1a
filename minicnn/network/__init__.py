"""Layers made of layers: a network is one, and a block with branches is another."""

from .branches import Parallel, Residual
from .container import Container
from .sequential import Sequential, likeliest, probabilities
from .snapshot import restore, snapshot

__all__ = [
    "Container",
    "Parallel",
    "Residual",
    "Sequential",
    "likeliest",
    "probabilities",
    "restore",
    "snapshot",
]
