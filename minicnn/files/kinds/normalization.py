"""Normalisation in files, in ONNX and in PyTorch."""

from ...layers.normalization import BatchNorm
from .kind import Twin, register


def batch_norm(graph, layer, x, shape, name):
    fields = "gamma", "beta", "running_mean", "running_var"
    inputs = [x, *graph.parameters(layer, name, *fields)]
    return graph.node("BatchNormalization", inputs, f"{name}.y", epsilon=layer.eps)


register(
    BatchNorm,
    batch_norm,
    Twin(
        "BatchNorm2d",
        rows="BatchNorm1d",
        names={"gamma": "weight", "beta": "bias"},
        only={"affine": True, "track_running_stats": True},
    ),
)
