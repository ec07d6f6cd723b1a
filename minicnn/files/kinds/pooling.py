"""Poolings in files, in ONNX and in PyTorch."""

from ...layers.pooling import AvgPool2D, GlobalAvgPool2D, MaxPool2D
from .dense import FLATTEN
from .kind import Twin, register


def max_pool(graph, layer, x, shape, name):
    return graph.node("MaxPool", [x], f"{name}.y", **graph.geometry(layer.window(shape)))


def avg_pool(graph, layer, x, shape, name):
    """ONNX divides by the whole kernel; our windows count fewer pixels where they are cut off."""
    window = layer.window(shape)
    pooled = graph.node(
        "AveragePool", [x], f"{name}.pooled", count_include_pad=1, **graph.geometry(window)
    )
    share = window.kernel[0] * window.kernel[1] / layer.window_sizes(window)
    return graph.node("Mul", [pooled, graph.constant(f"{name}.share", share)], f"{name}.y")


def global_avg_pool(graph, layer, x, shape, name):
    pooled = graph.node("GlobalAveragePool", [x], f"{name}.pooled")
    return graph.node("Flatten", [pooled], f"{name}.y", axis=1)


register(
    MaxPool2D,
    max_pool,
    Twin("MaxPool2d", only={"dilation": (1, 1), "return_indices": False}),
    axes=(3, 3),
)
register(AvgPool2D, avg_pool, Twin("AvgPool2d", only={"divisor_override": None}), axes=(3, 3))
register(
    GlobalAvgPool2D,
    global_avg_pool,
    Twin("AdaptiveAvgPool2d", only={"output_size": (1, 1)}),
    FLATTEN,
    axes=(3, 1),
)
