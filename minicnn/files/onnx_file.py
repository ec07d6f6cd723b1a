"""ONNX: a trained network in a file that other programs run.

Each layer becomes the operators (https://onnx.ai/onnx/operators) that compute its forward pass at
inference: Dropout disappears, BatchNorm uses its running statistics. Which operators stands with
each kind of layer, in `kinds/`.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from ..backends.window import Window
from ..common.paths import path_text, whole_file
from ..layers.base import Layer
from ..layers.parameter import Shape
from ..network import Sequential
from .kinds import kind_of

OPSET = 17  # operators as of 2022: every runtime since knows them
IR_VERSION = 8  # the file format that came with them


def to_onnx(network: Sequential, path: str | os.PathLike[str], input_shape: Shape) -> None:
    """Write a network for samples of input_shape (C, H, W) or (features,) as an ONNX file.

    Input "images" float32 (N, *input_shape), any N; output "outputs" float32 (N, …): the logits,
    where the network ends in them. Weights of float64 are rounded to float32, in which runtimes
    compute. Needs the extra `onnx`.

    Raises ImportError without it, ValueError for an input_shape that does not fit, TypeError for a
    layer that is neither minicnn's own nor registered with its operators or a path that is none,
    OSError, with the file untouched, if it cannot be written.
    """
    path = path_text(path, "path", "to_onnx")
    try:
        import onnx
    except ImportError as error:
        raise ImportError("to_onnx needs onnx: pip install onnx") from error
    shape = tuple(map(int, input_shape))
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
        kind = kind_of(layer)
        if kind is None or kind.onnx is None:
            raise TypeError(
                f"to_onnx: layer {name}, {layer!r}, has no counterpart in ONNX; a layer of your "
                "own gets one by minicnn.register"
            )
        return kind.onnx(self, layer, x, shape, name)

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

    @staticmethod
    def geometry(window: Window) -> dict[str, Any]:
        """Window attributes; pads are rows above, columns left, rows below, columns right."""
        sides = zip(window.output, window.stride, window.reach, window.image, window.padding)
        after = [max(0, (o - 1) * s + r - n - p) for o, s, r, n, p in sides]
        pads = [*window.padding, *after]
        return {"kernel_shape": window.kernel, "strides": window.stride, "pads": pads}
