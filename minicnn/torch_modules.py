"""The same network in PyTorch, and back: to compare layer by layer.

Only `nn.Sequential` of modules that compute what a layer here computes; a module with an option
that has no counterpart is refused by name. PyTorch is needed by these two functions alone.
"""

from __future__ import annotations

from typing import Any

from . import layers as nn
from .layers.base import Layer, Parameter
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

    Two layers become a torch.nn.Sequential of two modules: GlobalAvgPool2D (AdaptiveAvgPool2d,
    Flatten) and Reshape (Flatten, Unflatten). Raises ImportError without PyTorch and TypeError for
    a layer that is not minicnn's own.
    """
    torch = torch_nn()
    modules = []
    for position, layer in enumerate(network.layers):
        if isinstance(layer, nn.BatchNorm):
            before, after = network.layers[:position], network.layers[position + 1 :]
            module = batch_norm_module(layer, before, after)
        else:
            module = module_of(layer, position)
        copy_state(layer, module)
        modules.append(module)
    return torch.Sequential(*modules).train(False)


def module_of(layer: Layer, position: int) -> Any:
    from torch import nn as torch

    a = layer.arguments
    match layer:
        case Sequential():
            return to_torch(layer)
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
        case nn.Dropout():
            return torch.Dropout(layer.p)
    raise TypeError(f"to_torch: layer {position}, {layer!r}, has no counterpart in PyTorch")


def batch_norm_module(layer: Layer, before: list[Layer], after: list[Layer]) -> Any:
    """PyTorch has one class for rows and one for images; the neighbours tell which it is."""
    from torch import nn as torch

    rows = (nn.Dense, nn.Flatten, nn.GlobalAvgPool2D)
    images = (nn.Conv2D, nn.ConvTranspose2D, nn.MaxPool2D, nn.AvgPool2D)
    makers = [k for k in before if isinstance(k, rows + images)]
    takers = [k for k in after if isinstance(k, (nn.Dense, nn.GlobalAvgPool2D, *images))]
    of_rows = isinstance(makers[-1], rows) if makers else isinstance([*takers, None][0], nn.Dense)
    return (torch.BatchNorm1d if of_rows else torch.BatchNorm2d)(**layer.arguments)


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
    if not isinstance(module, torch.Sequential):
        raise TypeError(f"from_torch: wanted a torch.nn.Sequential, got {type(module).__name__}")
    network = Sequential(*(layer_of(m, k) for k, m in enumerate(module)))
    dtypes = {p.dtype for p in module.parameters()}
    if len(dtypes) > 1:
        found = ", ".join(sorted(map(str, dtypes)))
        raise ValueError(f"from_torch: wanted parameters of one dtype, got {found}")
    for dtype in dtypes:
        network.astype(str(dtype).removeprefix("torch."))
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

    match module:
        case torch.Sequential():
            kinds = [type(part) for part in module]
            if kinds == [torch.AdaptiveAvgPool2d, torch.Flatten]:
                refuse("output_size", module[0].output_size, 1)
                return nn.GlobalAvgPool2D()
            if kinds == [torch.Flatten, torch.Unflatten]:
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
            refuse("dilation", module.dilation, 1)
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
            refuse("(start_dim, end_dim)", (module.start_dim, module.end_dim), (1, -1))
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
