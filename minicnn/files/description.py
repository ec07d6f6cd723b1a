"""Layers and optimisers as JSON, and back, for model files.

Only registered kinds of layers and minicnn's optimisers are ever built, with the arguments that
they are saved with, and no layer before the file has proved to hold its arrays: a header
cannot ask for more memory than the file has bytes.
"""

from __future__ import annotations

from collections.abc import Callable
from reprlib import repr as shortened
from typing import Any

import numpy as np

from .. import optimizers
from ..common.errors import ModelFileError
from ..layers.base import Layer
from ..layers.parameter import Parameter, Shape, place
from ..network import Container, Sequential
from ..optimizers import Optimizer
from .kinds import KINDS, argument_names, default_arguments, kind_of
from .model_file import field

Arrays = dict[str, np.ndarray]
Arguments = dict[str, Any]

OPTIMIZERS: dict[str, type[Optimizer]] = {
    name: made
    for name, made in vars(optimizers).items()
    if isinstance(made, type) and issubclass(made, Optimizer) and made is not Optimizer
}
MAX_STEPS = 2**53  # up to here floating-point numbers, in which Adam counts, are whole
MAX_LAYERS = 10_000  # a layer costs a hundred times the memory of its line in the header


def describe_network(network: Sequential) -> dict[str, Any]:
    """A network for JSON. TypeError for a layer that is not registered, ValueError for too many."""
    described = describe_layer(network)
    if count_layers(described) > MAX_LAYERS:
        raise ValueError(f"{network} has more than {MAX_LAYERS} layers in all")
    return described


def describe_layer(layer: Layer) -> dict[str, Any]:
    name = type(layer).__name__
    if kind_of(layer) is None:
        raise TypeError(
            f"{layer!r} is none of the layers that can be saved: {', '.join(KINDS)}; a layer of "
            f"your own becomes one by minicnn.register({name})"
        )
    if isinstance(layer, Container):
        parts = {part: describe_layer(inner) for part, inner in layer.parts().items()}
        optional = {part: parts.pop(part) for part in layer.optional if part in parts}
        return {"class": name, "layers": [*parts.values()], **optional}
    if layer.arguments.keys() != set(argument_names(type(layer))) or not plain(layer.arguments):
        raise TypeError(
            f"{layer!r} cannot be saved: its constructor must hand all that it gets to "
            "super().__init__, and that must be numbers, text, None or tuples of these; got "
            f"{shortened(layer.arguments)}"
        )
    described: dict[str, Any] = {"class": name, "arguments": layer.arguments}
    if layer.mask_seed is not None:  # `reseed` changes it, not the argument
        described["mask_seed"] = layer.mask_seed
    if frozen := frozen_names(layer):
        described["frozen"] = frozen
    return described


def frozen_names(layer: Layer) -> list[str]:
    return [name for name, p in layer.state().items() if not (p.learned or p.statistic)]


def plain(value: Any) -> bool:
    """Whether JSON gives it back; a tuple comes back as a list, and becomes a tuple again."""
    if isinstance(value, dict):
        return all(map(plain, value.values()))
    if isinstance(value, tuple):
        return all(type(v) in (bool, int, float, str, type(None)) for v in value)
    return type(value) in (bool, int, float, str, type(None))


def build_network(described: Any, arrays: Arrays, kinds: dict[str, type[Layer]]) -> Sequential:
    """The network, with the arrays that are its own: they are taken out of `arrays`.

    kinds: the classes that layers may be of, by name.
    """
    try:
        if count_layers(described) > MAX_LAYERS:
            raise ModelFileError(f"has more than {MAX_LAYERS} layers")
        network = build_layer(described, "network/", arrays, kinds)
        state = take_state(network, arrays, "network/")
    except RecursionError:
        raise ModelFileError("has networks in networks, too deep to be built") from None
    if not isinstance(network, Sequential):
        raise ModelFileError(f"holds a {described['class']}, wanted a Sequential")
    place([*network.state().values()], [*state.values()], "numpy")
    return network


def count_layers(described: Any) -> int:
    """Layers of any depth, containers among them."""
    parts: list[Any] = []
    for value in described.values() if isinstance(described, dict) else ():
        parts += value if isinstance(value, list) else [value]
    return 1 + sum(count_layers(p) for p in parts if isinstance(p, dict) and "class" in p)


def build_layer(
    described: Any, prefix: str, arrays: Arrays, kinds: dict[str, type[Layer]]
) -> Layer:
    """A layer with parameters of the right shapes. prefix: how the names of its arrays begin."""
    name = field(described, "class", str)
    if name not in kinds:
        raise ModelFileError(
            f"has a layer {name[:40]!r}, wanted one of {', '.join(kinds)}; of a layer of your own, "
            "load(path, layers=[…]) wants the class"
        )
    kind = kinds[name]
    if issubclass(kind, Container):
        return build_container(kind, described, prefix, arrays, kinds)
    said = with_tuples(field(described, "arguments", dict))
    arguments = default_arguments(kind) | said  # an older file does not say what is newer than it

    def make() -> Layer:
        for array, shape in kind.array_shapes(**arguments).items():
            check_shape(arrays, prefix + array, shape)
        return kind(**arguments)

    layer = construct(kind, arguments, make)
    if layer.arguments | said != layer.arguments:
        raise ModelFileError(f"has a {name} with {shortened(said)}, wanted {layer.arguments}")
    if layer.mask_seed is not None:
        mask_seed = field(described, "mask_seed", list)
        if [type(n) for n in mask_seed] != [int, int] or not all(0 <= n < 2**32 for n in mask_seed):
            raise ModelFileError(
                f"has a mask_seed {shortened(mask_seed)}, wanted two whole numbers of 32 bits"
            )
        layer.reseed((mask_seed[0], mask_seed[1]))
    for array in field(described, "frozen", list) if "frozen" in described else []:
        parameter = layer.state().get(array) if isinstance(array, str) else None
        if parameter is None or parameter.statistic:
            raise ModelFileError(f"has {shortened(array)} as frozen, wanted a parameter of {layer}")
        parameter.learned = False
    return layer


def build_container(
    kind: type[Container],
    described: Any,
    prefix: str,
    arrays: Arrays,
    kinds: dict[str, type[Layer]],
) -> Container:
    def part(name: Any, described: Any) -> Layer:
        return build_layer(described, f"{prefix}{name}.", arrays, kinds)

    layers = [part(k, one) for k, one in enumerate(field(described, "layers", list))]
    optional = {k: part(k, described[k]) for k in kind.optional if k in described}
    try:
        return kind(*layers, **optional)
    except (ValueError, TypeError) as error:
        raise ModelFileError(f"has layers that make no {kind.__name__}: {error}") from None


def describe_optimizer(optimizer: Optimizer) -> dict[str, Any]:
    """An optimiser for JSON, without its slots. TypeError for one that is not minicnn's own."""
    kind = type(optimizer)
    if OPTIMIZERS.get(kind.__name__) is not kind:
        raise TypeError(
            f"{kind.__name__} is none of the optimizers that can be saved: {', '.join(OPTIMIZERS)}"
        )
    arguments = arguments_of(optimizer)
    return {"class": kind.__name__, "arguments": arguments, "steps": optimizer.steps}


def arguments_of(optimizer: Optimizer) -> Arguments:
    """What its constructor got, as far as it keeps it under the same names."""
    names = argument_names(type(optimizer))
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
    names = argument_names(kind)
    if arguments.keys() != set(names):
        raise ModelFileError(
            f"has a {kind.__name__} with arguments {shortened([*arguments])}, wanted {names}"
        )
    try:
        return make()
    except ModelFileError:
        raise
    except (ValueError, TypeError, LookupError, ArithmeticError) as error:
        why = str(error)[:200]
        raise ModelFileError(f"has arguments that make no {kind.__name__}: {why}") from None


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
