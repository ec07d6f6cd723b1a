"""A copy of a network in float64, and what goes through each of its nodes in a step."""

from __future__ import annotations

import copy
from typing import Any

import numpy as np

from ..layers.base import Layer
from ..layers.parameter import Shape
from ..losses import Loss
from ..network import Sequential, restore
from .described import MEASURED, kind_of
from .flattened import flattened
from .measured import Measured, measured


class Twin:
    """The network on the reference backend, every layer computed by itself; the user's own is left
    alone.

    heard: of each node, copies of x and y forward, and of dy and dx back, in the last step.
    """

    def __init__(self, network: Sequential, sample: Shape) -> None:
        self.network = copy.deepcopy(network).to("numpy").astype("float64")
        for layer in self.network.walk():
            if isinstance(layer, Sequential):
                layer.computed = dict(enumerate(layer.layers))
        self.nodes = flattened(self.network, sample)
        self.heard = [overheard(node.layer) for node in self.nodes]

    def step(
        self, state: dict[str, np.ndarray], loss: Loss, images: np.ndarray, target: Any
    ) -> tuple[float, np.ndarray, np.ndarray]:
        """The loss, the output, and the images' gradient, by the network's own formulas."""
        for heard in self.heard:
            heard.clear()
        restore(self.network, state)
        output = self.network.forward(images, training=True)
        value = loss.forward(output, target)
        return value, output, self.network.backward(loss.backward())

    def measured(self, state: dict[str, np.ndarray]) -> dict[int, Measured]:
        """The slopes, in the step just made, of the nodes that the page cannot compute."""
        restore(self.network, state)
        found = {}
        for k, (node, heard) in enumerate(zip(self.nodes, self.heard)):
            if kind_of(node.layer) == MEASURED:
                found[k] = measured(node.layer, node.name, heard)
        return found


def overheard(layer: Layer) -> dict[str, np.ndarray]:
    """Where from now on copies of what goes through the layer are left."""
    forward, backward = layer.forward_batch, layer.backward_batch
    heard: dict[str, np.ndarray] = {}

    def forward_batch(x, training):
        heard["x"] = x.copy()
        y = forward(x, training)
        heard["y"] = y.copy()
        return y

    def backward_batch(dy, input_gradient=True):
        heard["dy"] = dy.copy()
        dx = backward(dy, input_gradient)
        if dx is not None:
            heard["dx"] = dx.copy()
        return dx

    vars(layer).update(forward_batch=forward_batch, backward_batch=backward_batch)
    return heard
