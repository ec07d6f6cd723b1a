"""Layers as a user writes them, some with a backward that is planted wrong."""

import numpy as np

import minicnn as nn
from minicnn.layers.parameter import Parameter


class Cubing(nn.Layer):
    """y = weight · x³ + the mean of the image, dx = 3 · weight · x² · dy + the mean of dy."""

    def __init__(self):
        super().__init__()
        self.weight = Parameter(np.full(1, 0.5, np.float32))
        self.counted = Parameter(np.zeros(1, np.int64), learned=False)

    def output_shape(self, input_shape):
        return input_shape

    def forward_batch(self, x, training):
        self.x = x
        self.counted.value = self.counted.value + 1
        axes = tuple(range(1, x.ndim))
        return self.weight.data * x**3 + x.mean(axis=axes, keepdims=True)

    def backward_batch(self, dy, input_gradient=True):
        self.weight.gradient[...] = (dy * self.x**3).sum()
        axes = tuple(range(1, dy.ndim))
        return 3 * self.weight.data * self.x**2 * dy + dy.mean(axis=axes, keepdims=True)


class Squaring(Cubing):
    """the slope of a cube is written as that of a square"""

    def backward_batch(self, dy, input_gradient=True):
        super().backward_batch(dy)
        return 2 * self.weight.data * self.x * dy


class Doubled(Cubing):
    """the weight's gradient is twice what it is"""

    def backward_batch(self, dy, input_gradient=True):
        dx = super().backward_batch(dy)
        self.weight.gradient *= 2
        return dx


class Ramp(nn.Layer):
    """max(x, 0) as a layer that the page does not know; at 0 it takes the slope `at_zero`."""

    def __init__(self, at_zero):
        super().__init__()
        self.at_zero = at_zero

    def output_shape(self, input_shape):
        return input_shape

    def forward_batch(self, x, training):
        self.x = x
        return np.maximum(x, 0)

    def backward_batch(self, dy, input_gradient=True):
        return dy * np.where(self.x == 0, self.at_zero, self.x > 0)


class SignOfTheGradient(nn.ReLU):
    """the sign of dy is tested, not that of x"""

    def backward_batch(self, dy, input_gradient=True):
        return np.maximum(dy, 0)


class Right(nn.Tanh):
    """its backward is its own, and right"""

    def backward_batch(self, dy, input_gradient=True):
        return dy * (1 - self.kept**2)


class Shifted(nn.Tanh):
    """its forward is its own: another kind of layer, and right"""

    def forward_batch(self, x, training):
        return super().forward_batch(x + 1, training)


class Forgetful(nn.Residual):
    """the way around is forgotten"""

    def backward_batch(self, dy, input_gradient=True):
        return nn.Sequential.backward_batch(self, dy, input_gradient)


class Tying(Cubing):
    """the mean is that of all images"""

    def forward_batch(self, x, training):
        return super().forward_batch(x, training) + x.mean()


class Remembering(Cubing):
    """every forward makes another output"""

    calls = 0

    def forward_batch(self, x, training):
        self.calls += 1
        return super().forward_batch(x, training) + self.calls


class Alone(nn.Residual):
    """its forward is its own"""

    def forward_batch(self, x, training):
        return nn.Sequential.forward_batch(self, x, training)
