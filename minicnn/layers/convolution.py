"""Convolution and its transpose: the same three operations, with the roles of x and y swapped."""

from __future__ import annotations

from typing import Literal

import numpy as np

from .. import initializers
from ..backends.window import Window
from ..common.arguments import pair, whole_number
from .base import Layer, image_shape
from .parameter import Shape


class Conv2D(Layer):
    """Convolution of images with learned kernels (LeCun et al. 1998).

        y[n,f,i,j] = b[f] + Σ_{c,u,v} w[f,c,u,v] · x[n, c, i·s+u−p, j·s+v−p]

    x (N, in_channels, H, W) → y (N, out_channels, OH, OW), OH = ⌊(H + 2p − KH) / s⌋ + 1.
    `weight` (out_channels, in_channels, KH, KW), `bias` (out_channels,).

    padding: zeros on each side, or "same": OH = H with stride 1; an even kernel then gets its odd
    row below and its odd column to the right.
    initializer: draws the weight (default: PyTorch's, uniform ±1/√fan_in; so for the bias).
    Keeps x for backward. Raises ValueError for sizes that make no sense and for a kernel larger
    than the padded image.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | Literal["same"] = 0,
        bias: bool = True,
        initializer: initializers.Initializer = initializers.torch_default,
    ) -> None:
        name = type(self).__name__
        in_channels = whole_number(in_channels, "in_channels", name)
        out_channels = whole_number(out_channels, "out_channels", name)
        self.kernel_size = pair(kernel_size, "kernel_size", name)
        self.stride = pair(stride, "stride", name)
        if padding == "same":
            if self.stride != (1, 1):
                raise ValueError(f"{name}: padding='same' needs stride 1, got {self.stride}")
            self.padding = tuple((k - 1) // 2 for k in self.kernel_size)
            self.padding_after = tuple(k // 2 for k in self.kernel_size)
        else:
            self.padding = self.padding_after = pair(padding, "padding", name, at_least=0)
        super().__init__(
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=padding if padding == "same" else self.padding,
            bias=bool(bias),
        )
        self.in_channels, self.out_channels = in_channels, out_channels
        self.initializer = initializer
        self.weight = self.zeros("weight")
        self.bias = self.zeros("bias") if bias else None
        self.initialize(np.random.default_rng())

    @classmethod
    def array_shapes(cls, in_channels, out_channels, kernel_size, bias, **geometry):
        weight = out_channels, in_channels, *kernel_size
        return weight_and_bias(weight, out_channels if bias else None)

    def initialize(self, rng: np.random.Generator) -> None:
        draw_weight_and_bias(self, rng)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (self.out_channels, *self.window(input_shape).output)

    def window(self, input_shape: Shape) -> Window:
        _, *image = image_shape(input_shape, self.in_channels, self)
        sides = zip(image, self.padding, self.padding_after, self.kernel_size, self.stride)
        output = tuple((n + before + after - k) // s + 1 for n, before, after, k, s in sides)
        if min(output) < 1:
            raise ValueError(
                f"{self}: the kernel {self.kernel_size} is larger than the padded image: "
                f"{tuple(image)} with padding {self.padding}"
            )
        return Window(self.kernel_size, self.stride, self.padding, tuple(image), output)  # type: ignore[arg-type]

    def way(self, input_shape: Shape) -> str:
        return self.ops.conv2d_way(self.in_channels, self.out_channels, self.window(input_shape))

    def multiply_adds(self, input_shape: Shape) -> int:
        oh, ow = self.window(input_shape).output
        return int(np.prod(self.weight.shape)) * oh * ow

    def forward_batch(self, x, training):
        self.x = x
        b = None if self.bias is None else self.bias.data
        return self.ops.conv2d_forward(
            x, self.weight.data, b, self.window(x.shape[1:]), self.buffers
        )

    def backward_batch(self, dy, input_gradient=True):
        window = self.window(self.x.shape[1:])
        if self.weight.learned:
            self.ops.conv2d_weight_gradient(dy, self.x, window, self.weight.gradient, self.buffers)
        if self.bias is not None and self.bias.learned:
            self.ops.bias_gradient(dy, self.bias.gradient, self.buffers)
        if not input_gradient:
            return None
        return self.ops.conv2d_input_gradient(dy, self.weight.data, window, self.buffers)


class ConvTranspose2D(Layer):
    """Transposed convolution: forward is what convolution does backward (Dumoulin & Visin 2016).

        y[n,f,h,k] = b[f] + Σ_{c,u,v,i,j : i·s+u−p = h, j·s+v−p = k}  w[c,f,u,v] · x[n,c,i,j]

    Every input pixel paints the kernel, scaled, into the output. x (N, in_channels, H, W) →
    y (N, out_channels, OH, OW), OH = (H − 1)·s − 2p + KH + output_padding.
    `weight` (in_channels, out_channels, KH, KW), `bias` (out_channels,).

    output_padding (< stride): rows and columns added below and to the right, to choose among the
    sizes that a strided convolution maps to the same H.
    Keeps x for backward. Raises ValueError for sizes that make no sense or an empty output.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] = 0,
        output_padding: int | tuple[int, int] = 0,
        bias: bool = True,
        initializer: initializers.Initializer = initializers.torch_default,
    ) -> None:
        name = type(self).__name__
        in_channels = whole_number(in_channels, "in_channels", name)
        out_channels = whole_number(out_channels, "out_channels", name)
        self.kernel_size = pair(kernel_size, "kernel_size", name)
        self.stride = pair(stride, "stride", name)
        self.padding = pair(padding, "padding", name, at_least=0)
        self.output_padding = pair(output_padding, "output_padding", name, at_least=0)
        if any(extra >= s for extra, s in zip(self.output_padding, self.stride)):
            raise ValueError(
                f"{name}: output_padding must be smaller than the stride {self.stride}, "
                f"got {self.output_padding}"
            )
        super().__init__(
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            output_padding=self.output_padding,
            bias=bool(bias),
        )
        self.in_channels, self.out_channels = in_channels, out_channels
        self.initializer = initializer
        self.weight = self.zeros("weight")
        self.bias = self.zeros("bias") if bias else None
        self.initialize(np.random.default_rng())

    @classmethod
    def array_shapes(cls, in_channels, out_channels, kernel_size, bias, **geometry):
        weight = in_channels, out_channels, *kernel_size
        return weight_and_bias(weight, out_channels if bias else None)

    def initialize(self, rng: np.random.Generator) -> None:
        draw_weight_and_bias(self, rng)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (self.out_channels, *self.window(input_shape).image)

    def window(self, input_shape: Shape) -> Window:
        """The window of the convolution that this layer transposes: its output is our input."""
        _, *small = image_shape(input_shape, self.in_channels, self)
        sides = zip(small, self.stride, self.padding, self.kernel_size, self.output_padding)
        large = tuple((n - 1) * s - 2 * p + k + extra for n, s, p, k, extra in sides)
        if min(large) < 1:
            raise ValueError(f"{self}: an input of {tuple(small)} leaves an output of {large}")
        return Window(self.kernel_size, self.stride, self.padding, large, tuple(small))  # type: ignore[arg-type]

    def multiply_adds(self, input_shape: Shape) -> int:
        return int(np.prod(self.weight.shape)) * input_shape[1] * input_shape[2]

    def forward_batch(self, x, training):
        self.x = x
        y = self.ops.conv2d_input_gradient(
            x, self.weight.data, self.window(x.shape[1:]), self.buffers
        )
        return y if self.bias is None else self.ops.bias_forward(y, self.bias.data, self.buffers)

    def backward_batch(self, dy, input_gradient=True):
        window = self.window(self.x.shape[1:])
        if self.weight.learned:
            self.ops.conv2d_weight_gradient(self.x, dy, window, self.weight.gradient, self.buffers)
        if self.bias is not None and self.bias.learned:
            self.ops.bias_gradient(dy, self.bias.gradient, self.buffers)
        if not input_gradient:
            return None
        return self.ops.conv2d_forward(dy, self.weight.data, None, window, self.buffers)


def weight_and_bias(weight: Shape, outputs: int | None) -> dict[str, Shape]:
    return {"weight": weight} if outputs is None else {"weight": weight, "bias": (outputs,)}


def draw_weight_and_bias(layer, rng: np.random.Generator) -> None:
    """The weight from the layer's initialiser, the bias uniform ±1/√fan_in as PyTorch does."""
    layer.weight.value = layer.initializer(layer.weight.shape, rng)
    if layer.bias is not None:
        bound = initializers.fans(layer.weight.shape)[0] ** -0.5
        layer.bias.value = rng.uniform(-bound, bound, layer.bias.shape)
