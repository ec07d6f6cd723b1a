"""Activations: one number in, one number out, any shape."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import ClassVar

from ..arguments import number
from ..backends import scalar
from .base import Layer, Shape


class Activation(Layer):
    """y = forward_formula(x), dx = backward_formula(dy, kept), for each number by itself.

    keeps: "x" or "y", what the backward formula is written in. The layer's arguments, numbers all
    of them, are passed to both formulas after these.
    """

    forward_formula: ClassVar[Callable[..., float]]
    backward_formula: ClassVar[Callable[..., float]]
    keeps: ClassVar[str]

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward_batch(self, x, training):
        numbers = tuple(self.arguments.values())
        y = self.ops.activation_forward(x, type(self).forward_formula, numbers, self.buffers)
        self.kept = x if self.keeps == "x" else y
        return y

    def backward_batch(self, dy, input_gradient=True):
        if not input_gradient:
            return None
        numbers = tuple(self.arguments.values())
        return self.ops.activation_backward(
            dy, self.kept, type(self).backward_formula, numbers, self.buffers
        )


class ReLU(Activation):
    """y = max(x, 0), dx = dy where y > 0 (Nair & Hinton 2010)."""

    forward_formula, backward_formula = scalar.relu, scalar.relu_slope
    keeps = "y"


class LeakyReLU(Activation):
    """y = x where x > 0, else slope · x; dx = dy, or slope · dy (Maas et al. 2013)."""

    forward_formula, backward_formula = scalar.leaky_relu, scalar.leaky_relu_slope
    keeps = "x"

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = number(slope, "slope", "LeakyReLU")
        if not isfinite(slope):
            raise ValueError(f"LeakyReLU: slope must be finite, got {slope!r}")
        super().__init__(slope=self.slope)


class Sigmoid(Activation):
    """y = 1 / (1 + e^−x), dx = dy · y · (1 − y)."""

    forward_formula, backward_formula = scalar.sigmoid, scalar.sigmoid_slope
    keeps = "y"


class Tanh(Activation):
    """y = tanh x, dx = dy · (1 − y²)."""

    forward_formula, backward_formula = scalar.tanh, scalar.tanh_slope
    keeps = "y"
