"""What the page has to know of a layer: its kind, its arguments, its shapes, where its windows lie.

The page computes in JavaScript what `layers/` states in Python, so it knows only the kinds below.
"""

from __future__ import annotations

from typing import Any

from .. import layers as kinds
from ..layers.base import Layer
from ..layers.parameter import Shape
from ..network import Sequential

KNOWN = (
    kinds.Conv2D, kinds.ConvTranspose2D, kinds.Dense, kinds.Flatten, kinds.Reshape,
    kinds.ReLU, kinds.LeakyReLU, kinds.Sigmoid, kinds.Tanh,
    kinds.SiLU, kinds.GELU, kinds.ELU, kinds.Softplus,
    kinds.MaxPool2D, kinds.AvgPool2D, kinds.GlobalAvgPool2D,
    kinds.BatchNorm, kinds.Dropout, kinds.Standardize,
)  # fmt: skip
MOST_MULTIPLY_ADDS = 4_000_000  # for an image: above that the page would stop at every touch


def refuse_unknown(network: Sequential) -> None:
    """TypeError for the first layer that the page cannot compute."""
    for position, layer in enumerate(network.layers):
        if type(layer) not in KNOWN:
            names = ", ".join(kind.__name__ for kind in KNOWN)
            raise TypeError(
                f"microscope: layer {position}, {type(layer).__name__}, is none that the page can "
                f"compute; it knows {names}"
            )


def refuse_slow(network: Sequential, sample: Shape) -> None:
    """ValueError for a network that a browser would compute for seconds."""
    count = network.multiply_adds(sample)
    if count > MOST_MULTIPLY_ADDS:
        raise ValueError(
            f"microscope: the network has {count:,} multiply-adds for an image, and the page "
            f"computes it anew at every touch: at most {MOST_MULTIPLY_ADDS:,}"
        )


def described(network: Sequential, sample: Shape) -> list[dict[str, Any]]:
    """A table for every layer, of what JSON can hold."""
    return [
        {"kind": type(layer).__name__, "text": repr(layer), "input": shape,
         "output": layer.output_shape(shape)} | constants(layer, shape)
        for _, layer, shape in network.inner(sample)
    ]  # fmt: skip


def constants(layer: Layer, shape: Shape) -> dict[str, Any]:
    """The arguments that the formulas need, and the window."""
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
