"""The same network in PyTorch, and back: to compare layer by layer.

Only `nn.Sequential` of modules that compute what a layer here computes; a module with an option
that has no counterpart is refused by name. Which module is which layer stands with each kind of
layer, in `kinds/`. PyTorch is needed by these two functions alone.
"""

from __future__ import annotations

from typing import Any

from ..layers.base import Layer
from ..layers.dense import Reshape
from ..layers.parameter import Parameter
from ..network import Sequential
from .kinds import KINDS, Kind, Twin, argument_names, kind_of


def torch_nn() -> Any:
    try:
        from torch import nn
    except ImportError as error:
        raise ImportError("to_torch and from_torch need PyTorch: pip install torch") from error
    return nn


def class_of(name: Any) -> Any:
    """The module's class that a twin names; None where this PyTorch has not got it."""
    return getattr(torch_nn(), name, None) if isinstance(name, str) else name


# ── to PyTorch ───────────────────────────────────────────────────────────────────────────────


def to_torch(network: Sequential) -> Any:
    """A torch.nn.Sequential with the same layers, weights, statistics and dtype.

    Frozen stays frozen. Whether BatchNorm sees rows or images is read from the layers around it.

    Two layers become a torch.nn.Sequential of two modules: GlobalAvgPool2D (AdaptiveAvgPool2d,
    Flatten) and Reshape (Flatten, Unflatten). Raises ImportError without PyTorch and TypeError for
    a layer that is neither minicnn's own nor registered with its module.
    """
    return modules_of(network, sample_axes(network))


def modules_of(network: Sequential, axes: dict[int, int]) -> Any:
    modules = []
    for position, layer in enumerate(network.layers):
        if type(layer) is Sequential:
            modules.append(modules_of(layer, axes))
            continue
        kind = kind_of(layer)
        if kind is None or not kind.twins:
            raise TypeError(
                f"to_torch: layer {position}, {layer!r}, has no counterpart in PyTorch; a layer of "
                "your own gets one by minicnn.register"
            )
        *others, last = kind.twins
        parts = [make(twin, {}, axes[id(layer)]) for twin in others]
        parts.append(make(last, layer.arguments, axes[id(layer)]))
        modules.append(torch_nn().Sequential(*parts) if others else parts[0])
        copy_state(layer, last, parts[-1])
    return torch_nn().Sequential(*modules).train(False)


def make(twin: Twin, arguments: dict[str, Any], axes: int) -> Any:
    found = class_of(twin.rows if twin.rows and axes == 1 else twin.module)
    said = {twin.name(k): value for k, value in arguments.items() if k not in twin.unsaid}
    return found(**said, **twin.only)


def sample_axes(network: Sequential) -> dict[int, int]:
    """How many axes a sample has before each layer, by the layer's id: 1 for a row, 3 for an image.

    PyTorch has one BatchNorm for rows and one for images, and the layers around it tell which.
    """
    inner = [layer for layer in network.walk() if not isinstance(layer, Sequential)]
    known = [kind.axes if kind else (None, None) for kind in map(kind_of, inner)]
    axes, found = next((takes for takes, _ in known if takes), 3), {}
    for layer, (_, gives) in zip(inner, known):
        found[id(layer)] = axes
        axes = len(layer.shape) if isinstance(layer, Reshape) else gives or axes
    return found


def copy_state(layer: Layer, twin: Twin, module: Any) -> None:
    import torch

    for name, parameter in floats(layer):
        theirs = getattr(module, twin.name(name))
        theirs.data = torch.from_numpy(parameter.value.copy())
        if not parameter.statistic:
            theirs.requires_grad_(parameter.learned)


def floats(layer: Layer) -> list[tuple[str, Parameter]]:
    """The parameters and statistics of a layer, without its counters."""
    return [(name, p) for name, p in layer.state().items() if p.dtype.kind == "f"]


# ── from PyTorch ─────────────────────────────────────────────────────────────────────────────


def from_torch(module: Any) -> Sequential:
    """The network that a torch.nn.Sequential is, with its weights, statistics and dtype.

    Raises ImportError without PyTorch, TypeError, naming position and module, for one that has no
    counterpart here, ValueError for an option of it that has none.
    """
    torch = torch_nn()
    if type(module) is not torch.Sequential:
        raise TypeError(f"from_torch: wanted a torch.nn.Sequential, got {type(module).__name__}")
    network = Sequential(*(layer_of(m, k) for k, m in enumerate(module)))
    dtypes = {p.dtype for p in module.parameters()}
    if len(dtypes) > 1:
        found = ", ".join(sorted(map(str, dtypes)))
        raise ValueError(f"from_torch: wanted parameters of one dtype, got {found}")
    for dtype in (str(dtype).removeprefix("torch.") for dtype in dtypes):
        if dtype not in ("float32", "float64"):
            raise ValueError(f"from_torch: wanted float32 or float64, got parameters of {dtype}")
        network.astype(dtype)
    for layer, part in zip(network.layers, module):
        kind = kind_of(layer)
        if kind is not None:  # a network inside has filled itself
            last = part[-1] if len(kind.twins) > 1 else part
            for name, parameter in floats(layer):
                theirs = getattr(last, kind.twins[-1].name(name))
                parameter.value = theirs.detach().cpu().numpy()
                if not parameter.statistic:
                    parameter.learned = theirs.requires_grad
    return network


def layer_of(module: Any, position: int) -> Layer:
    torch = torch_nn()
    several = type(module) is torch.Sequential
    inside = [*module] if several else [module]
    for kind in KINDS.values():
        # A network of one module is a network; only several together can be one layer.
        if several == (len(kind.twins) > 1) and all_twins(kind, inside):
            return build(kind, inside, f"from_torch: module {position}, {module}")
    if several:
        return from_torch(module)
    raise TypeError(f"from_torch: module {position}, {module}, has no counterpart")


def all_twins(kind: Kind, modules: list[Any]) -> bool:
    """Whether these modules, one after the other, are what a kind of layer is in PyTorch."""
    return len(kind.twins) == len(modules) and all(
        type(module) in (class_of(twin.module), class_of(twin.rows))
        for twin, module in zip(kind.twins, modules)
    )


def build(kind: Kind, modules: list[Any], where: str) -> Layer:
    for twin, module in zip(kind.twins, modules):
        for option, wanted in twin.only.items():
            got = getattr(module, option)
            if isinstance(wanted, tuple) and isinstance(got, int):
                got = (got, got)
            if got != wanted:
                raise ValueError(f"{where}: {option} is {got!r}, only {wanted!r} has a counterpart")
    names = [name for name in argument_names(kind.layer) if name not in twin.unsaid]
    found = {
        name: twin.read[name](module) if name in twin.read else getattr(module, twin.name(name))
        for name in names
    }
    try:
        return kind.layer(**found)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from None
