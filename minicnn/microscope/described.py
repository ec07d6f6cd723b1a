"""What the page has to know of a node: its kind, its arguments, its shapes, where its windows lie.

The page computes in JavaScript what `layers/` states in Python, so it knows only the kinds below;
a layer of another kind is measured (`measured.py`).
"""

from __future__ import annotations

from typing import Any

from .. import layers as kinds
from ..layers.base import Layer
from ..layers.parameter import Parameter, Shape
from ..network import Container, Parallel, Residual, Sequential
from .flattened import Node

KNOWN = (
    kinds.Conv2D, kinds.ConvTranspose2D, kinds.Dense, kinds.Flatten, kinds.Reshape,
    kinds.ReLU, kinds.LeakyReLU, kinds.Sigmoid, kinds.Tanh,
    kinds.SiLU, kinds.GELU, kinds.ELU, kinds.Softplus,
    kinds.MaxPool2D, kinds.AvgPool2D, kinds.GlobalAvgPool2D,
    kinds.BatchNorm, kinds.GroupNorm, kinds.Dropout, kinds.Standardize,
    Residual, Parallel,
)  # fmt: skip
MEASURED = "Measured"
MOST_MULTIPLY_ADDS = 4_000_000  # for an image: above that the page would stop at every touch


def refuse_slow(network: Sequential, sample: Shape) -> None:
    """ValueError for a network that a browser would compute for seconds."""
    count = network.multiply_adds(sample)
    if count > MOST_MULTIPLY_ADDS:
        raise ValueError(
            f"microscope: the network has {count:,} multiply-adds for an image, and the page "
            f"computes it anew at every touch: at most {MOST_MULTIPLY_ADDS:,}"
        )


def kind_of(layer: Layer) -> str:
    """The kind that the page computes it as: the nearest known class above it whose forward it
    has, whatever its backward is. Of another layer the slopes are measured.
    """
    own = type(layer)
    known = next((kind for kind in own.__mro__ if kind in KNOWN), None)
    if known is None or isinstance(layer, Container):
        return known.__name__ if known else MEASURED
    formula, its = (getattr(kind, "formulas", (None,))[0] for kind in (own, known))
    same = own.forward_batch is known.forward_batch and formula is its
    return known.__name__ if same else MEASURED


def described(nodes: list[Node]) -> list[dict[str, Any]]:
    """A table for every node, of what JSON can hold. arrays: by name, whether they are learned."""
    return [
        {
            "kind": kind_of(layer), "class": type(layer).__name__, "name": name,
            "text": str(layer), "enters": enters, "reads": reads,
            "input": joined(layer, shape), "output": layer.output_shape(shape),
            "arrays": {array: p.learned for array, p in arrays_of(layer).items()},
        } | constants(layer, shape)
        for name, layer, enters, reads, shape in nodes
    ]  # fmt: skip


def joined(layer: Layer, shape: Shape) -> Shape:
    """The shape of what a node reads: of several arrays, one after the other."""
    match layer:
        case Residual():
            return (2, *layer.output_shape(shape))
        case Parallel():
            return layer.output_shape(shape)
        case _:
            return shape


def arrays_of(layer: Layer) -> dict[str, Parameter]:
    """The arrays of a node; those of a container are its layers'."""
    return {} if isinstance(layer, Container) else layer.state()


def constants(layer: Layer, shape: Shape) -> dict[str, Any]:
    """The arguments that the formulas need, and the window."""
    if kind_of(layer) == MEASURED:
        return {}
    match layer:
        case kinds.Conv2D() | kinds.ConvTranspose2D():
            return {"groups": layer.groups, "window": layer.window(shape)._asdict()}
        case kinds.MaxPool2D():
            return {"window": layer.window(shape)._asdict()}
        case kinds.AvgPool2D():
            window = layer.window(shape)
            sizes = layer.window_sizes(window).ravel().tolist()
            return {"window": window._asdict(), "divisor": sizes}
        case kinds.GlobalAvgPool2D():
            _, height, width = shape
            return {"divisor": [height * width]}
        case kinds.Standardize():
            each = {}
            for name in ("mean", "std"):
                value = layer.arguments[name]
                each[name] = list(value) if isinstance(value, tuple) else [value] * shape[0]
            return each
        case _:
            return {name: value for name, value in layer.arguments.items() if name != "seed"}
