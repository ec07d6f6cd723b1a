"""Activations in files, in ONNX and in PyTorch."""

from ...layers.activation import LeakyReLU, ReLU, Sigmoid, Tanh
from .kind import Twin, operator, register

register(ReLU, operator("Relu"), Twin("ReLU"))
register(
    LeakyReLU,
    operator("LeakyRelu", alpha="slope"),
    Twin("LeakyReLU", names={"slope": "negative_slope"}),
)
register(Sigmoid, operator("Sigmoid"), Twin("Sigmoid"))
register(Tanh, operator("Tanh"), Twin("Tanh"))
