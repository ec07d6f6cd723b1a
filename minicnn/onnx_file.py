"""ONNX: a trained network in a file that other programs run.

Each layer becomes the operators (https://onnx.ai/onnx/operators) that compute its forward pass at
inference: Dropout disappears, BatchNorm uses its running statistics.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import numpy as np

from . import layers as nn
from .backends.window import Window
from .files import path_text, whole_file
from .layers.base import Layer, Shape
from .network import Sequential

OPSET = 17  # operators as of 2022: every runtime since knows them
IR_VERSION = 8  # the file format that came with them


def to_onnx(network: Sequential, path: str | os.PathLike[str], input_shape: Shape) -> None:
    """Write a network for samples of input_shape (C, H, W) or (features,) as an ONNX file.

    Input "images" float32 (N, *input_shape), any N; output "outputs" float32 (N, …): the logits,
    where the network ends in them. Weights of float64 are rounded to float32, in which runtimes
    compute. Needs the extra `onnx`.

    Raises ImportError without it, ValueError for an input_shape that does not fit, TypeError for a
    layer that is not minicnn's own or a path that is none, OSError, with the
    file untouched, if it cannot be written.
    """
    path = path_text(path, "path", "to_onnx")
    try:
        import onnx
    except ImportError as error:
        raise ImportError("to_onnx needs onnx: pip install onnx") from error
    shape = tuple(input_shape)
    graph = Graph(onnx.helper)
    last = graph.add(network, "images", shape, "")
    graph.node("Identity", [last], "outputs")
    ends = [
        onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, ["N", *of])
        for name, of in (("images", shape), ("outputs", network.output_shape(shape)))
    ]
    constants = [onnx.numpy_helper.from_array(a, name) for name, a in graph.constants.items()]
    made = onnx.helper.make_graph(graph.nodes, "minicnn", ends[:1], ends[1:], constants)
    opset = onnx.helper.make_opsetid("", OPSET)
    model = onnx.helper.make_model(
        made, opset_imports=[opset], ir_version=IR_VERSION, producer_name="minicnn"
    )
    onnx.checker.check_model(model, full_check=True)
    with whole_file(path) as unfinished:
        unfinished.write_bytes(model.SerializeToString())


class Graph:
    """Nodes and constants as they are collected, layer by layer."""

    def __init__(self, helper: Any) -> None:
        self.helper = helper
        self.nodes: list[Any] = []
        self.constants: dict[str, np.ndarray] = {}

    def add(self, layer: Layer, x: str, shape: Shape, name: str) -> str:
        """Append a layer whose input is called x; returns what its output is called."""
        if type(layer) is Sequential:
            for k, (inner, of) in enumerate(zip(layer.layers, layer.shapes(shape))):
                x = self.add(inner, x, of, f"{name}.{k}" if name else str(k))
            return x
        if type(layer) not in OPERATORS:
            raise TypeError(f"to_onnx: layer {name}, {layer!r}, has no counterpart in ONNX")
        return OPERATORS[type(layer)](self, layer, x, shape, name)

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(self.helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(self, name: str, values: Any, dtype: Any = np.float32) -> str:
        self.constants[name] = np.array(values, dtype)
        return name

    def parameters(self, layer: Any, name: str, *fields: str) -> list[str]:
        """The layer's parameters as constants; those that it has not are left out."""
        found = [(field, getattr(layer, field)) for field in fields]
        return [self.constant(f"{name}.{field}", p.value) for field, p in found if p is not None]


def simple(operator: str, **attributes: Any) -> Callable[..., str]:
    """A layer that is one operator without constants."""

    def add(graph: Graph, layer: Layer, x: str, shape: Shape, name: str) -> str:
        return graph.node(operator, [x], f"{name}.y", **attributes)

    return add


def geometry(window: Window) -> dict[str, Any]:
    """Window attributes; pads are rows above, columns left, rows below, columns right."""
    sides = zip(window.output, window.stride, window.kernel, window.image, window.padding)
    after = [max(0, (o - 1) * s + k - n - p) for o, s, k, n, p in sides]
    pads = [*window.padding, *after]
    return {"kernel_shape": window.kernel, "strides": window.stride, "pads": pads}


def conv2d(graph, layer, x, shape, name):
    inputs = [x, *graph.parameters(layer, name, "weight", "bias")]
    return graph.node("Conv", inputs, f"{name}.y", **geometry(layer.window(shape)))


def conv_transpose2d(graph, layer, x, shape, name):
    inputs = [x, *graph.parameters(layer, name, "weight", "bias")]
    return graph.node(
        "ConvTranspose", inputs, f"{name}.y", kernel_shape=layer.kernel_size, strides=layer.stride,
        pads=[*layer.padding, *layer.padding], output_padding=layer.output_padding,
    )  # fmt: skip


def max_pool(graph, layer, x, shape, name):
    return graph.node("MaxPool", [x], f"{name}.y", **geometry(layer.window(shape)))


def avg_pool(graph, layer, x, shape, name):
    """ONNX divides by the whole kernel; our windows count fewer pixels where they are cut off."""
    window = layer.window(shape)
    pooled = graph.node(
        "AveragePool", [x], f"{name}.pooled", count_include_pad=1, **geometry(window)
    )
    share = window.kernel[0] * window.kernel[1] / layer.window_sizes(window)
    return graph.node("Mul", [pooled, graph.constant(f"{name}.share", share)], f"{name}.y")


def global_avg_pool(graph, layer, x, shape, name):
    pooled = graph.node("GlobalAveragePool", [x], f"{name}.pooled")
    return graph.node("Flatten", [pooled], f"{name}.y", axis=1)


def dense(graph, layer, x, shape, name):
    inputs = [x, *graph.parameters(layer, name, "weight", "bias")]
    return graph.node("Gemm", inputs, f"{name}.y", transB=1)


def reshape(graph, layer, x, shape, name):
    """A 0 in the new shape keeps the batch."""
    wanted = graph.constant(f"{name}.shape", (0, *layer.output_shape(shape)), np.int64)
    return graph.node("Reshape", [x, wanted], f"{name}.y")


def leaky_relu(graph, layer, x, shape, name):
    return graph.node("LeakyRelu", [x], f"{name}.y", alpha=layer.slope)


def batch_norm(graph, layer, x, shape, name):
    fields = "gamma", "beta", "running_mean", "running_var"
    inputs = [x, *graph.parameters(layer, name, *fields)]
    return graph.node("BatchNormalization", inputs, f"{name}.y", epsilon=layer.eps)


OPERATORS: dict[type[Layer], Callable[..., str]] = {
    nn.AvgPool2D: avg_pool,
    nn.BatchNorm: batch_norm,
    nn.Conv2D: conv2d,
    nn.ConvTranspose2D: conv_transpose2d,
    nn.Dense: dense,
    nn.Dropout: simple("Identity"),
    nn.Flatten: reshape,
    nn.GlobalAvgPool2D: global_avg_pool,
    nn.LeakyReLU: leaky_relu,
    nn.MaxPool2D: max_pool,
    nn.ReLU: simple("Relu"),
    nn.Reshape: reshape,
    nn.Sigmoid: simple("Sigmoid"),
    nn.Tanh: simple("Tanh"),
}
