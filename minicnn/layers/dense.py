"""Dense layers, and the reshapes that lead to them."""

from __future__ import annotations

from collections.abc import Iterable
from math import prod

import numpy as np

from .. import initializers
from ..common.arguments import instance, whole_number
from .base import Layer
from .convolution import draw_weight_and_bias, weight_and_bias
from .parameter import Shape
from .shapes import of_batch


class Dense(Layer):
    """Every output from every input: y = x Wᵀ + b.

        y[n,o] = b[o] + Σ_i w[o,i] · x[n,i]

    x (N, in_features) → y (N, out_features). `weight` (out_features, in_features), `bias`
    (out_features,). Keeps x for backward. Raises ValueError for another number of features.
    """

    def __init__(
        self,
        in_features: int,
        out_features: int,
        bias: bool = True,
        initializer: initializers.Initializer = initializers.torch_default,
    ) -> None:
        self.in_features = whole_number(in_features, "in_features", "Dense")
        self.out_features = whole_number(out_features, "out_features", "Dense")
        super().__init__(
            in_features=self.in_features, out_features=self.out_features, bias=bool(bias)
        )
        self.initializer = initializer
        self.weight = self.zeros("weight")
        self.bias = self.zeros("bias") if bias else None
        self.initialize(np.random.default_rng())

    @classmethod
    def array_shapes(cls, in_features, out_features, bias):
        return weight_and_bias((out_features, in_features), out_features if bias else None)

    def initialize(self, rng: np.random.Generator) -> None:
        draw_weight_and_bias(self, rng)

    def output_shape(self, input_shape: Shape) -> Shape:
        if tuple(input_shape) != (self.in_features,):
            hint = "; put Flatten() before it" if prod(input_shape) == self.in_features else ""
            got = of_batch(input_shape) + hint
            raise ValueError(f"{self}: wanted shape (N, {self.in_features}), got {got}")
        return (self.out_features,)

    def multiply_adds(self, input_shape: Shape) -> int:
        return self.in_features * self.out_features

    def forward_batch(self, x, training):
        self.x = x
        b = None if self.bias is None else self.bias.data
        return self.ops.dense_forward(x, self.weight.data, b, self.buffers)

    def backward_batch(self, dy, input_gradient=True):
        if self.weight.learned:
            self.ops.dense_weight_gradient(dy, self.x, self.weight.gradient, self.buffers)
        if self.bias is not None and self.bias.learned:
            self.ops.bias_gradient(dy, self.bias.gradient, self.buffers)
        if not input_gradient:
            return None
        return self.ops.dense_input_gradient(dy, self.weight.data, self.buffers)


class Reshape(Layer):
    """The same numbers with another sample shape, row-major: (N, …) → (N, *shape).

    Keeps the input's shape for backward. Raises ValueError when the sizes differ.
    """

    def __init__(self, shape: tuple[int, ...]) -> None:
        instance(shape, Iterable, "shape", "Reshape", "a tuple such as (1, 28, 28)")
        self.shape = tuple(whole_number(n, "shape", "Reshape") for n in shape)
        super().__init__(shape=self.shape)

    def output_shape(self, input_shape: Shape) -> Shape:
        if prod(input_shape) != prod(self.shape):
            raise ValueError(f"{self}: a sample of shape {input_shape} has {prod(input_shape)} "
                             f"numbers, not {prod(self.shape)}")  # fmt: skip
        return self.shape

    def forward_batch(self, x, training):
        self.input_shape = x.shape[1:]
        return self.ops.reshape(x, self.output_shape(self.input_shape))

    def backward_batch(self, dy, input_gradient=True):
        return self.ops.reshape(dy, self.input_shape) if input_gradient else None


class Flatten(Layer):
    """Each sample as one row, row-major: (N, C, H, W) → (N, C·H·W). Keeps the input's shape."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return (prod(input_shape),)

    def forward_batch(self, x, training):
        self.input_shape = x.shape[1:]
        return self.ops.reshape(x, self.output_shape(self.input_shape))

    def backward_batch(self, dy, input_gradient=True):
        return self.ops.reshape(dy, self.input_shape) if input_gradient else None
