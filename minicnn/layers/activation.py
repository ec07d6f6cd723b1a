"""Activations: one number in, one number out, any shape."""

from __future__ import annotations

from collections.abc import Callable
from math import isfinite
from typing import ClassVar

from ..backends import scalar
from ..common.arguments import number
from .base import Layer
from .parameter import Shape


class Activation(Layer):
    """y = f(x), dx = slope(dy, kept) = dy · f′(x), for each number by itself.

    formulas: the two functions f and slope. keeps: "x" or "y", what the slope is written in. The
    layer's arguments, as far as they are numbers, are passed to both formulas after these.
    """

    formulas: tuple[Callable[..., float], Callable[..., float]]
    keeps: ClassVar[str]

    def numbers(self) -> tuple[float, ...]:
        arguments = self.arguments.values()
        return tuple(float(v) for v in arguments if type(v) in (int, float))

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward_batch(self, x, training):
        y = self.ops.activation_forward(x, self.formulas[0], self.numbers(), self.buffers)
        self.kept = x if self.keeps == "x" else y
        return y

    def backward_batch(self, dy, input_gradient=True):
        if not input_gradient:
            return None
        return self.ops.activation_backward(
            dy, self.kept, self.formulas[1], self.numbers(), self.buffers
        )


class ReLU(Activation):
    """y = max(x, 0), dx = dy where y > 0 (Nair & Hinton 2010)."""

    formulas = scalar.relu, scalar.relu_slope
    keeps = "y"


class LeakyReLU(Activation):
    """y = x where x > 0, else slope · x; dx = dy, or slope · dy (Maas et al. 2013)."""

    formulas = scalar.leaky_relu, scalar.leaky_relu_slope
    keeps = "x"

    def __init__(self, slope: float = 0.01) -> None:
        self.slope = finite(slope, "slope", "LeakyReLU")
        super().__init__(slope=self.slope)


class Sigmoid(Activation):
    """y = 1 / (1 + e^−x), dx = dy · y · (1 − y)."""

    formulas = scalar.sigmoid, scalar.sigmoid_slope
    keeps = "y"


class Tanh(Activation):
    """y = tanh x, dx = dy · (1 − y²)."""

    formulas = scalar.tanh, scalar.tanh_slope
    keeps = "y"


class SiLU(Activation):
    """y = x · σ(x), σ(x) = 1 / (1 + e^−x); dx = dy · (σ + x · σ · (1 − σ)) (Elfwing et al. 2018).

    Also called swish.
    """

    formulas = scalar.silu, scalar.silu_slope
    keeps = "x"


class GELU(Activation):
    """y = x · Φ(x), dx = dy · (Φ(x) + x · φ(x)); Φ and φ are the normal distribution's share below
    x and its density at x (Hendrycks & Gimpel 2016).

    approximate: "tanh" for their approximation y = x · (1 + tanh u) / 2 with u = √(2/π) · (x +
    0.044715 · x³), whose slope is then exactly that of the approximation; "none" for Φ itself.
    Raises ValueError for another word.
    """

    keeps = "x"

    def __init__(self, approximate: str = "none") -> None:
        if approximate not in ("none", "tanh"):
            raise ValueError(f'GELU: approximate must be "none" or "tanh", got {approximate!r}')
        super().__init__(approximate=approximate)
        if approximate == "none":
            self.formulas = scalar.gelu, scalar.gelu_slope
        else:
            self.formulas = scalar.gelu_tanh, scalar.gelu_tanh_slope


class ELU(Activation):
    """y = x where x > 0, else alpha · (e^x − 1); dx = dy, or dy · alpha · e^x.

    Clevert et al. 2016. Raises ValueError for an alpha that is not finite.
    """

    formulas = scalar.elu, scalar.elu_slope
    keeps = "x"

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = finite(alpha, "alpha", "ELU")
        super().__init__(alpha=self.alpha)


class Softplus(Activation):
    """y = ln(1 + e^x), dx = dy · σ(x) (Dugas et al. 2001): a ReLU without a kink."""

    formulas = scalar.softplus, scalar.softplus_slope
    keeps = "x"


def finite(value: float, name: str, owner: str) -> float:
    if not isfinite(checked := number(value, name, owner)):
        raise ValueError(f"{owner}: {name} must be finite, got {value!r}")
    return checked
