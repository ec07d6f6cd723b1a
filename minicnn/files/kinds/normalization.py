"""Normalisation in files, in ONNX and in PyTorch."""

import numpy as np

from ...layers.normalization import BatchNorm, GroupNorm
from .kind import Twin, register


def batch_norm(graph, layer, x, shape, name):
    fields = "gamma", "beta", "running_mean", "running_var"
    inputs = [x, *graph.parameters(layer, name, *fields)]
    return graph.node("BatchNormalization", inputs, f"{name}.y", epsilon=layer.eps)


def group_norm(graph, layer, x, shape, name):
    """A group as a channel of an instance normalisation; scaling is per channel, and follows it."""

    def reshaped(x, *sides, to):
        # A 0 keeps the batch, a −1 takes what is left.
        wanted = graph.constant(f"{name}.{to}.shape", (0, *sides), np.int64)
        return graph.node("Reshape", [x, wanted], f"{name}.{to}")

    groups, sides = layer.num_groups, (-1, *[1] * (len(shape) - 1))
    one = graph.constant(f"{name}.one", np.ones(groups))
    zero = graph.constant(f"{name}.zero", np.zeros(groups))
    inputs = [reshaped(x, groups, -1, to="groups"), one, zero]
    x_hat = graph.node("InstanceNormalization", inputs, f"{name}.x_hat", epsilon=layer.eps)
    gamma = graph.constant(f"{name}.gamma", layer.gamma.value.reshape(sides))
    beta = graph.constant(f"{name}.beta", layer.beta.value.reshape(sides))
    scaled = graph.node("Mul", [reshaped(x_hat, *shape, to="channels"), gamma], f"{name}.scaled")
    return graph.node("Add", [scaled, beta], f"{name}.y")


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
register(
    GroupNorm,
    group_norm,
    Twin("GroupNorm", names={"gamma": "weight", "beta": "bias"}, only={"affine": True}),
)
