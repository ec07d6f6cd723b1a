"""Layers that are computed in one pass, though each stands by itself for who reads the network."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..common.arguments import switch
from ..layers.activation import ReLU
from ..layers.base import Layer
from ..layers.pooling import MaxPool2D


class Rectified:
    """A maximum pooling with the ReLU just before or after it: max(0, x₀, x₁, …) of each window.

    ReLU never falls, so max(relu(x)) = relu(max(x)), to the bit. Of the gradient nothing goes back
    where no number of a window is positive, and all of it to the first of the largest elsewhere:
    so 0 is one more number in the contest. That saves both passes of the ReLU.
    """

    def __init__(self, pool: MaxPool2D) -> None:
        self.pool = pool

    def forward_batch(self, x, training):
        return self.pool.forward_batch(x, training, rectified=True)

    def backward_batch(self, dy, input_gradient=True):
        return self.pool.backward_batch(dy, input_gradient)


def computed(layers: Sequence[Layer]) -> dict[int, Layer | Rectified]:
    """What a list of layers is computed as, in this order, by position; a ReLU that a pooling
    takes along is left out. MINICNN_FUSE=0 computes every layer by itself.
    """
    found: dict[int, Layer | Rectified] = dict(enumerate(layers))
    pairs = pairwise(layers) if switch("MINICNN_FUSE") else ()
    for k, (first, second) in enumerate(pairs):
        if {type(first), type(second)} == {ReLU, MaxPool2D}:
            relu, pool = (k, k + 1) if type(first) is ReLU else (k + 1, k)
            alone = found.get(pool)
            if relu in found and isinstance(alone, MaxPool2D):  # it has no other ReLU yet
                found[pool] = Rectified(alone)
                del found[relu]
    return found
