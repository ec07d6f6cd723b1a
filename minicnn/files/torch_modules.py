"""The same network in PyTorch, and back: to compare layer by layer.

Only modules that compute what a layer here computes; one with an option that has no counterpart is
refused by name. Which module is which layer stands with each kind of layer, in `kinds/`; what
PyTorch has no module for, in `torch_branches.py`. PyTorch is needed by these two functions alone.
"""

from __future__ import annotations

from functools import reduce
from typing import Any

from ..layers.base import Layer
from ..layers.dense import Reshape
from ..layers.parameter import Parameter
from ..network import Container, Parallel, Residual, Sequential
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
    Flatten) and Reshape (Flatten, Unflatten); Residual and Parallel become the modules of these
    names in `minicnn.files.torch_branches`. Raises ImportError without PyTorch and TypeError for
    a layer that is neither minicnn's own nor registered with its module.
    """
    return modules_of(network, sample_axes(network))


def modules_of(network: Sequential, axes: dict[int, int]) -> Any:
    modules = [module_of(layer, axes, name) for name, layer in network.parts().items()]
    return torch_nn().Sequential(*modules).train(False)


def module_of(layer: Layer, axes: dict[int, int], where: str) -> Any:
    if isinstance(layer, Container):
        from . import torch_branches

        parts = {k: module_of(part, axes, f"{where}.{k}") for k, part in layer.parts().items()}
        if type(layer) is Sequential:
            return torch_nn().Sequential(*parts.values())
        if type(layer) is Residual:
            shortcut = parts.pop("shortcut", None)
            return torch_branches.Residual(*parts.values(), shortcut=shortcut)
        if type(layer) is Parallel:
            return torch_branches.Parallel(*parts.values())
    kind = kind_of(layer)
    if kind is None or not kind.twins:
        raise TypeError(
            f"to_torch: layer {where}, {layer!r}, has no counterpart in PyTorch; a layer of "
            "your own gets one by minicnn.register"
        )
    *others, last = kind.twins
    modules = [make(twin, {}, axes[id(layer)]) for twin in others]
    modules.append(make(last, layer.arguments, axes[id(layer)]))
    copy_state(layer, last, modules[-1])
    return torch_nn().Sequential(*modules) if others else modules[0]


def make(twin: Twin, arguments: dict[str, Any], axes: int) -> Any:
    found = class_of(twin.rows if twin.rows and axes == 1 else twin.module)
    said = {twin.name(k): value for k, value in arguments.items() if k not in twin.unsaid}
    return found(**said, **twin.only)


def sample_axes(network: Sequential) -> dict[int, int]:
    """How many axes a sample has before each layer, by the layer's id: 1 for a row, 3 for an image.

    PyTorch has one BatchNorm for rows and one for images, and the layers around it tell which.
    """
    found: dict[int, int] = {}

    def after(layer: Layer, axes: int) -> int:
        found[id(layer)] = axes
        if isinstance(layer, Sequential):
            return reduce(lambda before, inner: after(inner, before), layer.parts().values(), axes)
        if isinstance(layer, Container):
            return [after(branch, axes) for branch in layer.parts().values()][-1]
        gives = axes_of(layer)[1]
        return len(layer.shape) if isinstance(layer, Reshape) else gives or axes

    taken = (axes_of(layer)[0] for layer in network.walk())
    after(network, next((axes for axes in taken if axes), 3))
    return found


def axes_of(layer: Layer) -> tuple[int | None, int | None]:
    kind = kind_of(layer)
    return kind.axes if kind else (None, None)


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
    counterpart here, ValueError for an option of it that has none, for a hook, and for parameters
    or statistics that two modules share.
    """
    torch = torch_nn()
    if type(module) is not torch.Sequential:
        raise TypeError(f"from_torch: wanted a torch.nn.Sequential, got {type(module).__name__}")
    dtypes = {str(p.dtype) for p in module.parameters()}
    if len(dtypes) > 1:
        raise ValueError(
            f"from_torch: wanted parameters of one dtype, got {', '.join(sorted(dtypes))}"
        )
    dtype = dtypes.pop().removeprefix("torch.") if dtypes else "float32"
    if dtype not in ("float32", "float64"):
        raise ValueError(f"from_torch: wanted float32 or float64, got parameters of {dtype}")
    refuse_what_no_layer_has(module)
    return Sequential(*(layer_of(part, dtype, str(k)) for k, part in enumerate(module)))


def refuse_what_no_layer_has(module: Any) -> None:
    """ValueError for hooks, which change what a module computes, and for numbers that two modules
    share: here each would have its own.
    """
    for name, part in module.named_modules():
        if part._forward_hooks or part._forward_pre_hooks:
            where = f"module {name}, {part}" if name else f"{part}"
            raise ValueError(f"from_torch: {where}: a hook has no counterpart")
    seen: dict[int, str] = {}
    for named in (module.named_parameters, module.named_buffers):
        for name, numbers in named(remove_duplicate=False):
            place = numbers.data_ptr() or id(numbers)  # one without numbers has no place
            if place in seen:
                raise ValueError(
                    f"from_torch: {name} and {seen[place]} are the same numbers; here each layer "
                    "has its own"
                )
            seen[place] = name


def layer_of(module: Any, dtype: str, where: str) -> Layer:
    from . import torch_branches

    several = type(module) is torch_nn().Sequential
    inside = [*module] if several else [module]
    for kind in KINDS.values():
        # A network of one module is a network; only several together can be one layer.
        if kind.twins and several == (len(kind.twins) > 1) and all_twins(kind, inside):
            layer = build(kind, inside, f"from_torch: module {where}, {module}").astype(dtype)
            fill(layer, kind.twins[-1], inside[-1])
            return layer

    def parts(modules: Any) -> list[Layer]:
        return [layer_of(part, dtype, f"{where}.{k}") for k, part in enumerate(modules)]

    if several:
        return Sequential(*parts(module))
    if type(module) is torch_branches.Residual:
        shortcut = module.shortcut
        if shortcut is not None:
            shortcut = layer_of(shortcut, dtype, f"{where}.shortcut")
        return Residual(*parts(module.layers), shortcut=shortcut)
    if type(module) is torch_branches.Parallel:
        return Parallel(*parts(module.branches))
    raise TypeError(f"from_torch: module {where}, {module}, has no counterpart")


def fill(layer: Layer, twin: Twin, module: Any) -> None:
    for name, parameter in floats(layer):
        theirs = getattr(module, twin.name(name))
        parameter.value = theirs.detach().cpu().numpy()
        if not parameter.statistic:
            parameter.learned = theirs.requires_grad


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
    twin, module = kind.twins[-1], modules[-1]  # the layer's arguments are those of the last
    found = {
        name: twin.read[name](module) if name in twin.read else getattr(module, twin.name(name))
        for name in argument_names(kind.layer)
        if name not in twin.unsaid
    }
    try:
        return kind.layer(**found)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where}: {error}") from None
