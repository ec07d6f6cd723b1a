"""Standardised inputs in files and in ONNX. No module of PyTorch computes them."""

import numpy as np

from ...layers.standardize import Standardize
from .kind import register


def standardize(graph, layer, x, shape, name):
    def number(what):
        values = np.reshape(layer.arguments[what], (-1, *[1] * (len(shape) - 1)))
        return graph.constant(f"{name}.{what}", values)

    centred = graph.node("Sub", [x, number("mean")], f"{name}.centred")
    return graph.node("Div", [centred, number("std")], f"{name}.y")


register(Standardize, standardize)
