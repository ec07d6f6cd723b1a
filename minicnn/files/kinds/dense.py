"""Dense layers and reshapes in files, in ONNX and in PyTorch."""

import numpy as np

from ...layers.dense import Dense, Flatten, Reshape
from .kind import Twin, register

FLATTEN = Twin("Flatten", only={"start_dim": 1, "end_dim": -1})


def dense(graph, layer, x, shape, name):
    inputs = [x, *graph.parameters(layer, name, "weight", "bias")]
    return graph.node("Gemm", inputs, f"{name}.y", transB=1)


def reshape(graph, layer, x, shape, name):
    """A 0 in the new shape keeps the batch."""
    wanted = graph.constant(f"{name}.shape", (0, *layer.output_shape(shape)), np.int64)
    return graph.node("Reshape", [x, wanted], f"{name}.y")


register(
    Dense, dense, Twin("Linear", read={"bias": lambda module: module.bias is not None}), axes=(1, 1)
)
register(Flatten, reshape, FLATTEN, axes=(3, 1))
register(
    Reshape,
    reshape,
    FLATTEN,
    Twin(
        "Unflatten",
        names={"shape": "unflattened_size"},
        only={"dim": 1},
        read={"shape": lambda module: tuple(module.unflattened_size)},
    ),
    axes=(1, None),
)
