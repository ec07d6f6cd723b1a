"""Layers made of layers in files and in ONNX; `torch_modules.py` says what they are in PyTorch."""

from ...network import Parallel, Residual, Sequential
from .kind import register


def sequential(graph, layer, x, shape, name):
    for k, inner, of in Sequential.inner(layer, shape):
        x = graph.add(inner, x, of, f"{name}.{k}" if name else k)
    return x


def residual(graph, layer, x, shape, name):
    around = x
    if layer.shortcut is not None:
        around = graph.add(layer.shortcut, x, shape, f"{name}.shortcut")
    return graph.node("Add", [around, sequential(graph, layer, x, shape, name)], f"{name}.y")


def parallel(graph, layer, x, shape, name):
    ys = [graph.add(branch, x, of, f"{name}.{k}") for k, branch, of in layer.inner(shape)]
    return graph.node("Concat", ys, f"{name}.y", axis=1)


register(Sequential, sequential)
register(Residual, residual)
register(Parallel, parallel)
