"""Activations in files, in ONNX and in PyTorch."""

import math

from ...layers.activation import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from .kind import Twin, operator, register


def silu(graph, layer, x, shape, name):
    share = graph.node("Sigmoid", [x], f"{name}.share")
    return graph.node("Mul", [x, share], f"{name}.y")


def gelu(graph, layer, x, shape, name):
    """x · (1 + f) / 2, f = erf(x / √2) or tanh(√(2/π) · (x + 0.044715 · x³))."""

    def scaled(y, factor, out):
        return graph.node("Mul", [y, graph.constant(f"{name}.{out}.by", factor)], f"{name}.{out}")

    if layer.arguments["approximate"] == "none":
        f = graph.node("Erf", [scaled(x, math.sqrt(0.5), "inner")], f"{name}.f")
    else:
        square = graph.node("Mul", [x, x], f"{name}.square")
        cube = graph.node("Mul", [square, x], f"{name}.cube")
        u = graph.node("Add", [x, scaled(cube, 0.044715, "bend")], f"{name}.u")
        f = graph.node("Tanh", [scaled(u, math.sqrt(2 / math.pi), "inner")], f"{name}.f")
    half = scaled(x, 0.5, "half")
    rest = graph.node("Mul", [half, f], f"{name}.rest")
    return graph.node("Add", [half, rest], f"{name}.y")


register(ReLU, operator("Relu"), Twin("ReLU"))
register(
    LeakyReLU,
    operator("LeakyRelu", alpha="slope"),
    Twin("LeakyReLU", names={"slope": "negative_slope"}),
)
register(Sigmoid, operator("Sigmoid"), Twin("Sigmoid"))
register(Tanh, operator("Tanh"), Twin("Tanh"))
register(SiLU, silu, Twin("SiLU"))
register(GELU, gelu, Twin("GELU"))
register(ELU, operator("Elu", alpha="alpha"), Twin("ELU"))
# Above the threshold PyTorch gives x itself, which there is the same to nine digits.
register(Softplus, operator("Softplus"), Twin("Softplus", only={"beta": 1, "threshold": 20}))
