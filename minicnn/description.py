"""Layers and optimisers as JSON, and back, for model files.

Only the classes in the tables below are ever built, with exactly the arguments that they are saved
with, and no layer before the file has proved to hold its largest array: a header cannot ask for
more memory than the file has bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from inspect import signature
from reprlib import repr as shortened
from typing import Any

import numpy as np

from . import layers
from .errors import ModelFileError
from .layers.base import Layer
from .layers.parameter import Parameter, Shape, place
from .model_file import field
from .network import Sequential
from .optimizers import SGD, Adagrad, Adam, AdamW, Optimizer, RMSprop

Arrays = dict[str, np.ndarray]
Arguments = dict[str, Any]

LAYERS: dict[str, type[Layer]] = {
    kind.__name__: kind
    for kind in (
        layers.AvgPool2D, layers.BatchNorm, layers.Conv2D, layers.ConvTranspose2D, layers.Dense,
        layers.Dropout, layers.Flatten, layers.GlobalAvgPool2D, layers.LeakyReLU,
        layers.MaxPool2D, layers.ReLU, layers.Reshape, layers.Sigmoid, layers.Tanh,
    )
}  # fmt: skip
OPTIMIZERS: dict[str, type[Optimizer]] = {
    kind.__name__: kind for kind in (SGD, RMSprop, Adagrad, Adam, AdamW)
}
MAX_STEPS = 2**53  # up to here floating-point numbers, in which Adam counts, are whole
MAX_LAYERS = 10_000  # a layer costs a hundred times the memory of its line in the header
# The largest array of a layer that learns, and its shape.
LARGEST: dict[str, tuple[str, Callable[[Arguments], tuple[Any, ...]]]] = {
    "BatchNorm": ("gamma", lambda a: (a["num_features"],)),
    "Conv2D": ("weight", lambda a: (a["out_channels"], a["in_channels"], *a["kernel_size"])),
    "ConvTranspose2D": (
        "weight", lambda a: (a["in_channels"], a["out_channels"], *a["kernel_size"])
    ),
    "Dense": ("weight", lambda a: (a["out_features"], a["in_features"])),
}  # fmt: skip


def describe_network(network: Sequential) -> dict[str, Any]:
    """TypeError for a layer that is not minicnn's own, ValueError for too many."""
    described = describe_layer(network)
    if count_layers(described) > MAX_LAYERS:
        raise ValueError(f"{network} has more than {MAX_LAYERS} layers in all")
    return described


def describe_layer(layer: Layer) -> dict[str, Any]:
    name = type(layer).__name__
    if type(layer) is Sequential:
        return {"class": name, "layers": [describe_layer(inner) for inner in layer.layers]}
    if LAYERS.get(name) is not type(layer):
        raise TypeError(f"{layer!r} is none of the layers that can be saved: {', '.join(LAYERS)}")
    described: dict[str, Any] = {"class": name, "arguments": layer.arguments}
    if isinstance(layer, layers.Dropout):
        described["mask_seed"] = layer.mask_seed  # `reseed` changes it, not the argument
    return described


def build_network(described: Any, arrays: Arrays) -> Sequential:
    """The network, with the arrays that are its own: they are taken out of `arrays`."""
    try:
        if count_layers(described) > MAX_LAYERS:
            raise ModelFileError(f"has more than {MAX_LAYERS} layers")
        network = build_layer(described, "network/", arrays)
        state = take_state(network, arrays, "network/")
    except RecursionError:
        raise ModelFileError("has networks in networks, too deep to be built") from None
    if not isinstance(network, Sequential):
        raise ModelFileError(f"holds a {described['class']}, wanted a Sequential")
    place([*network.state().values()], [*state.values()], "numpy")
    return network


def count_layers(described: Any) -> int:
    """Layers of any depth, networks among them."""
    inner = described.get("layers") if isinstance(described, dict) else None
    return 1 + (sum(map(count_layers, inner)) if isinstance(inner, list) else 0)


def build_layer(described: Any, prefix: str, arrays: Arrays) -> Layer:
    """A layer with parameters of the right shapes. prefix: how the names of its arrays begin."""
    name = field(described, "class", str)
    if name == "Sequential":
        inner = enumerate(field(described, "layers", list))
        return Sequential(*(build_layer(one, f"{prefix}{k}.", arrays) for k, one in inner))
    if name not in LAYERS:
        raise ModelFileError(f"has a layer {name[:40]!r}, wanted one of {', '.join(LAYERS)}")
    arguments = with_tuples(field(described, "arguments", dict))

    def make() -> Layer:
        if name in LARGEST:
            array, shape = LARGEST[name]
            check_shape(arrays, prefix + array, shape(arguments))
        return LAYERS[name](**arguments)

    layer = construct(LAYERS[name], arguments, make)
    if layer.arguments != arguments:
        raise ModelFileError(f"has a {name} with {shortened(arguments)}, wanted {layer.arguments}")
    if isinstance(layer, layers.Dropout):
        mask_seed = field(described, "mask_seed", list)
        if [type(n) for n in mask_seed] != [int, int] or not all(0 <= n < 2**32 for n in mask_seed):
            raise ModelFileError(
                f"has a mask_seed {shortened(mask_seed)}, wanted two whole numbers of 32 bits"
            )
        layer.reseed((mask_seed[0], mask_seed[1]))
    return layer


def describe_optimizer(optimizer: Optimizer) -> dict[str, Any]:
    """TypeError for an optimiser that is not minicnn's own."""
    kind = type(optimizer)
    if OPTIMIZERS.get(kind.__name__) is not kind:
        raise TypeError(
            f"{kind.__name__} is none of the optimizers that can be saved: {', '.join(OPTIMIZERS)}"
        )
    arguments = arguments_of(optimizer)
    return {"class": kind.__name__, "arguments": arguments, "steps": optimizer.steps}


def arguments_of(optimizer: Optimizer) -> Arguments:
    """What its constructor got, as far as it keeps it under the same names."""
    names = names_of_arguments(type(optimizer))
    return {name: getattr(optimizer, name) for name in names if hasattr(optimizer, name)}


def build_optimizer(described: Any, parameters: list[Parameter], arrays: Arrays) -> Optimizer:
    """The optimiser of these parameters, with its slots: they are taken out of `arrays`."""
    name = field(described, "class", str)
    if name not in OPTIMIZERS:
        known = ", ".join(OPTIMIZERS)
        raise ModelFileError(f"has an optimizer {name[:40]!r}, wanted one of {known}")
    arguments = with_tuples(field(described, "arguments", dict))
    kind = OPTIMIZERS[name]
    optimizer: Optimizer = construct(kind, arguments, lambda: kind(**arguments))
    if describe_optimizer(optimizer)["arguments"] != arguments:
        raise ModelFileError(f"has {name} with {shortened(arguments)}, which it would not keep")
    steps = field(described, "steps", int)
    if not 0 <= steps <= MAX_STEPS:
        raise ModelFileError(
            f"has an optimizer after {shortened(steps)} steps, wanted 0 to {MAX_STEPS}"
        )
    slots = {}
    if any(array.startswith("optimizer/") for array in arrays):
        for slot in optimizer.slot_names:
            values = [
                take(arrays, f"optimizer/{slot}/{k}", p.shape, "f")
                for k, p in enumerate(parameters)
            ]
            slots[slot] = [Parameter(value, learned=False) for value in values]
    optimizer.restore(steps, slots)
    return optimizer


def construct(kind: type, arguments: Arguments, make: Callable[[], Any]) -> Any:
    """What make returns; ModelFileError where the class does not take the arguments."""
    names = names_of_arguments(kind)
    if arguments.keys() != set(names):
        raise ModelFileError(
            f"has a {kind.__name__} with arguments {shortened([*arguments])}, wanted {names}"
        )
    try:
        return make()
    except ModelFileError:
        raise
    except (ValueError, TypeError, LookupError, OverflowError) as error:
        why = str(error)[:200]
        raise ModelFileError(f"has arguments that make no {kind.__name__}: {why}") from None


def names_of_arguments(kind: type) -> list[str]:
    """What the constructor takes, but for the initialiser: a function, whose work is done."""
    parameters = signature(kind).parameters.values()
    named = [p.name for p in parameters if p.kind is p.POSITIONAL_OR_KEYWORD]
    return [name for name in named if name != "initializer"]


def with_tuples(arguments: Arguments) -> Arguments:
    """JSON has no tuples, and no argument is a list."""
    return {name: tuple(v) if isinstance(v, list) else v for name, v in arguments.items()}


def take_state(network: Layer, arrays: Arrays, prefix: str) -> Arrays:
    """The arrays of a network's state, by name without the prefix, taken out of `arrays`."""
    return {
        name: take(arrays, prefix + name, parameter.shape, parameter.dtype.kind)
        for name, parameter in network.state().items()
    }


def take(arrays: Arrays, name: str, shape: Shape, kind: str) -> np.ndarray:
    """One array, taken out of `arrays`; kind: "f" for floating-point, "i" for whole numbers."""
    check_shape(arrays, name, shape)
    if arrays[name].dtype.kind != kind:
        wanted = "floating-point" if kind == "f" else "whole"
        raise ModelFileError(f"{name} holds {arrays[name].dtype}, wanted {wanted} numbers")
    if kind == "i" and not ((arrays[name] >= 0) & (arrays[name] <= MAX_STEPS)).all():
        raise ModelFileError(f"{name} holds {arrays[name]}, wanted counts of 0 to {MAX_STEPS}")
    return arrays.pop(name)


def check_shape(arrays: Arrays, name: str, wanted: tuple[Any, ...]) -> None:
    if name not in arrays:
        raise ModelFileError(f"has no array {name!r}, wanted one of shape {wanted}")
    if arrays[name].shape != wanted:
        raise ModelFileError(f"{name} has shape {arrays[name].shape}, wanted {wanted}")
