"""A network with branches as a list in the order of computation: each node makes one array."""

from __future__ import annotations

from typing import NamedTuple

from ..layers.base import Layer
from ..layers.parameter import Shape
from ..network import Container, Parallel, Residual, Sequential

FORWARDS = [kind.forward_batch for kind in (Sequential, Residual, Parallel)]


class Node(NamedTuple):
    """name: as in the network's `state`. layer: what makes the array, or the container whose ways
    meet in it. enters: the array that the layer gets; reads: those of which this one is made. 0 is
    the images, k + 1 what node k makes. shape: of a sample of `enters`.
    """

    name: str
    layer: Layer
    enters: int
    reads: list[int]
    shape: Shape


def flattened(network: Sequential, sample: Shape) -> list[Node]:
    """The nodes; a Sequential is none, and Residual and Parallel are their addition and their
    concatenation. TypeError for another container.
    """
    nodes: list[Node] = []

    def made(layer: Layer, name: str, source: int, shape: Shape) -> int:
        """Nodes for a layer that gets array `source`, and the array that it makes."""
        if not isinstance(layer, Container):
            nodes.append(Node(name, layer, source, [source], shape))
            return len(nodes)
        if type(layer).forward_batch not in FORWARDS:
            raise TypeError(
                f"microscope: layer {name}, {type(layer).__name__}, is made of layers in a way "
                "that the page does not know; it knows Sequential, Residual and Parallel"
            )
        end, beside = source, []
        for part, inner, its_shape in layer.inner(shape):
            path = f"{name}.{part}" if name else part
            if isinstance(layer, Parallel) or part == "shortcut":
                beside.append(made(inner, path, source, its_shape))
            else:
                end = made(inner, path, end, its_shape)
        if not isinstance(layer, (Residual, Parallel)):
            return end
        reads = beside if isinstance(layer, Parallel) else [*(beside or [source]), end]
        nodes.append(Node(name, layer, source, reads, shape))
        return len(nodes)

    made(network, "", 0, sample)
    return nodes
