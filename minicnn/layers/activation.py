"""Activations: one number in, one number out, any shape."""

from __future__ import annotations

from math import isfinite

from ..arguments import number
from .base import Layer, Shape


class Activation(Layer):
    """What the activations share: they keep the shape."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape


class ReLU(Activation):
    """y = max(x, 0), dx = dy where y > 0 (Nair & Hinton 2010). Keeps y."""

    def forward_batch(self, x, training):
        self.y = self.ops.relu_forward(x, self.buffers)
        return self.y

    def backward_batch(self, dy, input_gradient=True):
        return self.ops.relu_backward(dy, self.y, self.buffers) if input_gradient else None


class LeakyReLU(Activation):
    """y = x where x > 0, else slope · x (Maas et al. 2013). Keeps x."""

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = number(slope, "slope", "LeakyReLU")
        if not isfinite(slope):
            raise ValueError(f"LeakyReLU: slope must be finite, got {slope!r}")
        super().__init__(slope=self.slope)

    def forward_batch(self, x, training):
        self.x = x
        return self.ops.leaky_relu_forward(x, self.slope, self.buffers)

    def backward_batch(self, dy, input_gradient=True):
        if not input_gradient:
            return None
        return self.ops.leaky_relu_backward(dy, self.x, self.slope, self.buffers)


class Sigmoid(Activation):
    """y = 1 / (1 + e^−x), dx = dy · y · (1 − y). Keeps y."""

    def forward_batch(self, x, training):
        self.y = self.ops.sigmoid_forward(x, self.buffers)
        return self.y

    def backward_batch(self, dy, input_gradient=True):
        return self.ops.sigmoid_backward(dy, self.y, self.buffers) if input_gradient else None


class Tanh(Activation):
    """y = tanh x, dx = dy · (1 − y²). Keeps y."""

    def forward_batch(self, x, training):
        self.y = self.ops.tanh_forward(x, self.buffers)
        return self.y

    def backward_batch(self, dy, input_gradient=True):
        return self.ops.tanh_backward(dy, self.y, self.buffers) if input_gradient else None
