"""The same network in PyTorch, and back: to compare layer by layer.

Only `nn.Sequential` of modules that compute what a layer here computes; a module with an option
that has no counterpart is refused by name. PyTorch is needed by these two functions alone.
"""

from __future__ import annotations

from typing import Any

from . import layers as nn
from .description import LAYERS
from .layers.base import Layer
from .layers.parameter import Parameter
from .network import Sequential

# Our names of parameters and statistics, and PyTorch's where they differ.
NAMES = {"gamma": "weight", "beta": "bias"}


def torch_nn() -> Any:
    try:
        from torch import nn
    except ImportError as error:
        raise ImportError("to_torch and from_torch need PyTorch: pip install torch") from error
    return nn


# ── to PyTorch ───────────────────────────────────────────────────────────────────────────────


def to_torch(network: Sequential) -> Any:
    """A torch.nn.Sequential with the same layers, weights, statistics and dtype.

    Whether BatchNorm sees rows or images is read from the layers around it.

    Two layers become a torch.nn.Sequential of two modules: GlobalAvgPool2D (AdaptiveAvgPool2d,
    Flatten) and Reshape (Flatten, Unflatten). Raises ImportError without PyTorch and TypeError for
    a layer that is not minicnn's own.
    """
    torch_nn()
    return modules_of(network, sample_axes(network))


def modules_of(network: Sequential, axes: dict[int, int]) -> Any:
    torch = torch_nn()
    modules = []
    for position, layer in enumerate(network.layers):
        modules.append(module_of(layer, position, axes))
        copy_state(layer, modules[-1])
    return torch.Sequential(*modules).train(False)


def module_of(layer: Layer, position: int, axes: dict[int, int]) -> Any:
    from torch import nn as torch

    if type(layer) is Sequential:
        return modules_of(layer, axes)
    if LAYERS.get(type(layer).__name__) is not type(layer):  # a subclass computes what it likes
        raise TypeError(f"to_torch: layer {position}, {layer!r}, has no counterpart in PyTorch")
    a = layer.arguments
    match layer:
        case nn.Conv2D():
            return torch.Conv2d(
                a["in_channels"], a["out_channels"], a["kernel_size"], a["stride"], a["padding"],
                bias=a["bias"],
            )  # fmt: skip
        case nn.ConvTranspose2D():
            return torch.ConvTranspose2d(
                a["in_channels"], a["out_channels"], a["kernel_size"], a["stride"], a["padding"],
                a["output_padding"], bias=a["bias"],
            )  # fmt: skip
        case nn.MaxPool2D():
            return torch.MaxPool2d(**a)
        case nn.AvgPool2D():
            return torch.AvgPool2d(**a)
        case nn.GlobalAvgPool2D():
            return torch.Sequential(torch.AdaptiveAvgPool2d(1), torch.Flatten())
        case nn.Dense():
            return torch.Linear(**a)
        case nn.Flatten():
            return torch.Flatten()
        case nn.Reshape():
            return torch.Sequential(torch.Flatten(), torch.Unflatten(1, layer.shape))
        case nn.ReLU():
            return torch.ReLU()
        case nn.LeakyReLU():
            return torch.LeakyReLU(layer.slope)
        case nn.Sigmoid():
            return torch.Sigmoid()
        case nn.Tanh():
            return torch.Tanh()
        case nn.BatchNorm():
            return (torch.BatchNorm1d if axes[id(layer)] == 1 else torch.BatchNorm2d)(**a)
        case nn.Dropout():
            return torch.Dropout(layer.p)
    raise AssertionError(layer)  # every layer is above


# How many axes the samples have that a layer takes and gives: 1 for a row, 3 for an image.
IMAGES = (nn.Conv2D, nn.ConvTranspose2D, nn.MaxPool2D, nn.AvgPool2D)
TAKES = dict.fromkeys(IMAGES, 3) | {
    nn.GlobalAvgPool2D: 3, nn.Flatten: 3, nn.Dense: 1, nn.Reshape: 1
}  # fmt: skip
GIVES = dict.fromkeys(IMAGES, 3) | {nn.GlobalAvgPool2D: 1, nn.Flatten: 1, nn.Dense: 1}


def sample_axes(network: Sequential) -> dict[int, int]:
    """How many axes a sample has before each layer, by the layer's id.

    PyTorch has one BatchNorm for rows and one for images, and the layers around it tell which.
    """
    inner = [layer for layer in network.walk() if not isinstance(layer, Sequential)]
    axes, found = next((TAKES[type(k)] for k in inner if type(k) in TAKES), 3), {}
    for layer in inner:
        found[id(layer)] = axes
        axes = len(layer.shape) if isinstance(layer, nn.Reshape) else GIVES.get(type(layer), axes)
    return found


def copy_state(layer: Layer, module: Any) -> None:
    import torch

    for name, parameter in floats(layer):
        getattr(module, NAMES.get(name, name)).data = torch.from_numpy(parameter.value.copy())


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
        for name, parameter in floats(layer):
            parameter.value = getattr(part, NAMES.get(name, name)).detach().cpu().numpy()
    return network


def floats(layer: Layer) -> list[tuple[str, Parameter]]:
    """The parameters and statistics of a layer; those of a network are its layers' affair."""
    state = {} if isinstance(layer, Sequential) else layer.state()
    return [(name, p) for name, p in state.items() if p.dtype.kind == "f"]


def layer_of(module: Any, position: int) -> Layer:
    from torch import nn as torch

    def refuse(option: str, got: Any, wanted: Any) -> None:
        if got != wanted:
            raise ValueError(
                f"from_torch: module {position}, {module}: {option} is {got!r}, only "
                f"{wanted!r} has a counterpart"
            )

    def refuse_flatten(part: Any) -> None:
        refuse("(start_dim, end_dim)", (part.start_dim, part.end_dim), (1, -1))

    if getattr(torch, type(module).__name__, None) is not type(module):  # a subclass
        raise TypeError(f"from_torch: module {position}, {module}, has no counterpart")
    match module:
        case torch.Sequential():
            kinds = [type(part) for part in module]
            if kinds == [torch.AdaptiveAvgPool2d, torch.Flatten]:
                size = module[0].output_size
                refuse("output_size", (size, size) if isinstance(size, int) else size, (1, 1))
                refuse_flatten(module[1])
                return nn.GlobalAvgPool2D()
            if kinds == [torch.Flatten, torch.Unflatten]:
                refuse_flatten(module[0])
                refuse("dim", module[1].dim, 1)
                return nn.Reshape(tuple(module[1].unflattened_size))
            return from_torch(module)
        case torch.Conv2d() | torch.ConvTranspose2d():
            refuse("dilation", tuple(module.dilation), (1, 1))
            refuse("groups", module.groups, 1)
            refuse("padding_mode", module.padding_mode, "zeros")
            arguments: dict[str, Any] = {
                "in_channels": module.in_channels,
                "out_channels": module.out_channels,
                "kernel_size": tuple(module.kernel_size),
                "stride": tuple(module.stride),
                "padding": 0 if module.padding == "valid" else module.padding,
                "bias": module.bias is not None,
            }
            if isinstance(module, torch.Conv2d):
                return nn.Conv2D(**arguments)
            extra = tuple(module.output_padding)
            return nn.ConvTranspose2D(**arguments, output_padding=extra)
        case torch.MaxPool2d():
            dilation = module.dilation
            pairwise = (dilation, dilation) if isinstance(dilation, int) else dilation
            refuse("dilation", tuple(pairwise), (1, 1))
            refuse("return_indices", module.return_indices, False)
            return nn.MaxPool2D(
                module.kernel_size, module.stride, module.padding, module.ceil_mode
            )
        case torch.AvgPool2d():
            refuse("divisor_override", module.divisor_override, None)
            return nn.AvgPool2D(
                module.kernel_size, module.stride, module.padding, module.ceil_mode,
                module.count_include_pad,
            )  # fmt: skip
        case torch.Linear():
            return nn.Dense(module.in_features, module.out_features, module.bias is not None)
        case torch.Flatten():
            refuse_flatten(module)
            return nn.Flatten()
        case torch.ReLU():
            return nn.ReLU()
        case torch.LeakyReLU():
            return nn.LeakyReLU(module.negative_slope)
        case torch.Sigmoid():
            return nn.Sigmoid()
        case torch.Tanh():
            return nn.Tanh()
        case torch.BatchNorm1d() | torch.BatchNorm2d():
            refuse("affine", module.affine, True)
            refuse("track_running_stats", module.track_running_stats, True)
            momentum = module.momentum
            if momentum is None:
                raise ValueError(
                    f"from_torch: module {position}, {module}: momentum is None, only a number has "
                    "a counterpart"
                )
            return nn.BatchNorm(module.num_features, momentum, module.eps)
        case torch.Dropout():
            return nn.Dropout(module.p)
    raise TypeError(f"from_torch: module {position}, {module}, has no counterpart")
