"""The layers. Each states its formula, its shapes and its gradient; a backend computes them."""

from .activation import ELU, GELU, LeakyReLU, ReLU, Sigmoid, SiLU, Softplus, Tanh
from .base import Layer
from .convolution import Conv2D, ConvTranspose2D
from .dense import Dense, Flatten, Reshape
from .dropout import Dropout
from .normalization import BatchNorm, GroupNorm
from .parameter import Parameter
from .pooling import AvgPool2D, GlobalAvgPool2D, MaxPool2D
from .standardize import Standardize

__all__ = [
    "ELU",
    "GELU",
    "AvgPool2D",
    "BatchNorm",
    "Conv2D",
    "ConvTranspose2D",
    "Dense",
    "Dropout",
    "Flatten",
    "GlobalAvgPool2D",
    "GroupNorm",
    "Layer",
    "LeakyReLU",
    "MaxPool2D",
    "Parameter",
    "ReLU",
    "Reshape",
    "SiLU",
    "Sigmoid",
    "Softplus",
    "Standardize",
    "Tanh",
]
