"""Kind: how a class of layers is saved, written as ONNX and made in PyTorch; and their table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from inspect import signature
from typing import Any

from ...layers.base import Layer

Onnx = Callable[..., str]


@dataclass(frozen=True)
class Twin:
    """The module of PyTorch that computes the same as a layer.

    module: its class, by its name in torch.nn or itself. rows: its name where samples are rows, if
    that is another one. names: what it calls our arguments, parameters and statistics, where it
    calls them otherwise. unsaid: our arguments that it has not. only: its options that we have
    not, each with the only value that computes the same. read: functions that find an argument in
    a module, where it is more than an attribute.
    """

    module: Any
    rows: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)
    unsaid: tuple[str, ...] = ()
    only: Mapping[str, Any] = field(default_factory=dict)
    read: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)

    def name(self, ours: str) -> str:
        return self.names.get(ours, ours)


@dataclass(frozen=True)
class Kind:
    """What is known of a class of layers besides what it computes.

    onnx(graph, layer, x, shape, name): append the operators of a layer to an `onnx_file.Graph`: x
    is what its input is called there, shape a sample's, name the layer's own, with which all new
    names begin. Returns what its output is called.
    twins: the modules of PyTorch that do the same one after the other; the layer's arguments are
    those of the last.
    axes: of the samples that it takes and gives, 1 for rows, 3 for images, None for either.
    """

    layer: type[Layer]
    onnx: Onnx | None
    twins: tuple[Twin, ...]
    axes: tuple[int | None, int | None]


KINDS: dict[str, Kind] = {}


def register(
    layer: type[Layer],
    onnx: Onnx | None = None,
    *twins: Twin,
    axes: tuple[int | None, int | None] = (None, None),
) -> None:
    """Make a class of layers known by its name, so that `save` and `load` take it.

    With `onnx` `to_onnx` takes it as well, with `twins` `to_torch` and `from_torch`; `Kind` says
    what they are. Its constructor hands everything that it gets, but for an `initializer`, to
    `super().__init__` under the same names; files keep that, so it must be numbers, text, None or
    tuples of these. Raises TypeError for what is no class of layers, ValueError for a name that
    another class has.
    """
    refuse_name(layer, "register")
    KINDS[layer.__name__] = Kind(layer, onnx, twins, axes)


def refuse_name(layer: type[Layer], owner: str) -> None:
    """TypeError for what is no class of layers, ValueError for the name of a registered one.

    A class that is defined again, as in a notebook, may take the place of its older self.
    """
    if not (isinstance(layer, type) and issubclass(layer, Layer)) or layer is Layer:
        raise TypeError(f"{owner}: wanted a class derived from Layer, got {layer!r}")
    known = KINDS.get(layer.__name__)
    if known is not None and known.layer.__module__ != layer.__module__:
        raise ValueError(f"{owner}: {layer.__name__} is the name of {known.layer} already")


def classes(layers: Iterable[type[Layer]], owner: str) -> dict[str, type[Layer]]:
    """All registered classes and these, by name; errors as `refuse_name` has them."""
    found = {name: kind.layer for name, kind in KINDS.items()}
    if isinstance(layers, type):
        raise TypeError(f"{owner}: layers must be a list of classes, got {layers.__name__} itself")
    for layer in layers:
        refuse_name(layer, owner)
        found[layer.__name__] = layer
    return found


def kind_of(layer: Layer) -> Kind | None:
    """None for a layer whose very class is not registered: a subclass computes what it likes."""
    kind = KINDS.get(type(layer).__name__)
    return kind if kind is not None and kind.layer is type(layer) else None


def argument_names(made: type) -> list[str]:
    """What a constructor takes, but for the initialiser: a function, whose work is done."""
    parameters = signature(made).parameters.values()
    named = [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    return [name for name in named if name != "initializer"]


def default_arguments(made: type) -> dict[str, Any]:
    """What a constructor takes where nobody says it; without those that must be said."""
    parameters = signature(made).parameters
    taken = {name: parameters[name] for name in argument_names(made)}
    return {name: p.default for name, p in taken.items() if p.default is not p.empty}


def operator(name: str, **attributes: str) -> Onnx:
    """A layer that is one operator of ONNX, whose attributes are arguments of the layer."""

    def add(graph: Any, layer: Layer, x: str, shape: tuple[int, ...], of: str) -> str:
        values = {theirs: getattr(layer, ours) for theirs, ours in attributes.items()}
        return graph.node(name, [x], f"{of}.y", **values)

    return add
