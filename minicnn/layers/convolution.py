"""Convolution and its transpose: the same three operations, with the roles of x and y swapped."""

from __future__ import annotations

from typing import Literal

import numpy as np

from .. import initializers
from ..backends.window import Window, reach
from ..common.arguments import function, pair, whole_number
from .base import Layer
from .parameter import Shape
from .shapes import image_shape


class Convolution(Layer):
    """What the two share: sizes, groups of channels, a weight and a bias."""

    def __init__(
        self, in_channels, out_channels, kernel_size, stride, padding, bias, dilation, groups,
        initializer, **arguments,
    ) -> None:  # fmt: skip
        name = type(self).__name__
        in_channels = whole_number(in_channels, "in_channels", name)
        out_channels = whole_number(out_channels, "out_channels", name)
        self.kernel_size = pair(kernel_size, "kernel_size", name)
        self.stride = pair(stride, "stride", name)
        self.dilation = pair(dilation, "dilation", name)
        self.reach = reach(self.kernel_size, self.dilation)
        self.padding, self.padding_after = self.sides(padding, name)
        groups = whole_number(groups, "groups", name)
        for channels, of in ((in_channels, "in_channels"), (out_channels, "out_channels")):
            if channels % groups:
                raise ValueError(
                    f"{name}: {of} must be a multiple of groups={groups}, got {channels}"
                )
        super().__init__(
            in_channels=in_channels,
            out_channels=out_channels,
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=padding if isinstance(padding, str) else self.padding,
            **arguments,
            bias=bool(bias),
            dilation=self.dilation,
            groups=groups,
        )
        self.in_channels, self.out_channels, self.groups = in_channels, out_channels, groups
        self.initializer = initializer
        self.weight = self.zeros("weight")
        self.bias = self.zeros("bias") if bias else None
        self.initialize(np.random.default_rng())

    def sides(self, padding, name: str) -> tuple[tuple[int, int], tuple[int, int]]:
        """Rows above and columns to the left; rows below and columns to the right."""
        both = pair(padding, "padding", name, at_least=0)
        return both, both

    def window_of(self, image, output) -> Window:
        """The window on an image and what a convolution makes of it."""
        return Window(self.kernel_size, self.stride, self.padding, image, output, self.dilation)

    def initialize(self, rng: np.random.Generator) -> None:
        draw_weight_and_bias(self, rng)


class Conv2D(Convolution):
    """Convolution of images with learned kernels (LeCun et al. 1998).

        y[n,f,i,j] = b[f] + Σ_{c,u,v} w[f,c,u,v] · x[n, c, i·s+u·d−p, j·s+v·d−p]

    x (N, in_channels, H, W) → y (N, out_channels, OH, OW), OH = ⌊(H + 2p − d·(KH−1) − 1) / s⌋ + 1.
    `weight` (out_channels, in_channels / groups, KH, KW), `bias` (out_channels,).

    padding: zeros on each side, or "same": OH = H with stride 1; where their number is odd, the
    odd row is below and the odd column to the right.
    dilation d: pixels from one tap to the next, so that few taps see far (Yu & Koltun 2016).
    groups: channels and filters are cut into so many parts, and a filter sees only the channels of
    its own part (Krizhevsky et al. 2012); groups = in_channels is a depthwise convolution.
    initializer: draws the weight (default: PyTorch's, uniform ±1/√fan_in; so for the bias).
    Keeps x for backward. Raises ValueError for sizes that make no sense, for channels that are no
    multiple of groups, and for a kernel that reaches further than the padded image.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] = 1,
        padding: int | tuple[int, int] | Literal["same"] = 0,
        bias: bool = True,
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        initializer: initializers.Initializer = initializers.torch_default,
    ) -> None:
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, bias, dilation, groups,
            initializer,
        )  # fmt: skip

    def sides(self, padding, name):
        if not isinstance(padding, str) or padding != "same":
            return super().sides(padding, name)
        if self.stride != (1, 1):
            raise ValueError(f"{name}: padding='same' needs stride 1, got {self.stride}")
        return tuple((r - 1) // 2 for r in self.reach), tuple(r // 2 for r in self.reach)

    @classmethod
    def array_shapes(cls, in_channels, out_channels, kernel_size, bias, groups, **geometry):
        weight = out_channels, in_channels // groups, *kernel_size
        return weight_and_bias(weight, out_channels if bias else None)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (self.out_channels, *self.window(input_shape).output)

    def window(self, input_shape: Shape) -> Window:
        _, *image = image_shape(input_shape, self.in_channels, self)
        sides = zip(image, self.padding, self.padding_after, self.reach, self.stride)
        output = tuple((n + before + after - r) // s + 1 for n, before, after, r, s in sides)
        if min(output) < 1:
            apart = f", its taps {self.dilation} apart," if self.dilation != (1, 1) else ""
            raise ValueError(
                f"{self}: the kernel {self.kernel_size}{apart} is larger than the padded image: "
                f"{tuple(image)} with padding {self.padding}"
            )
        return self.window_of(tuple(image), output)

    def way(self, input_shape: Shape) -> str:
        window = self.window(input_shape)
        return self.ops.conv2d_way(self.in_channels, self.out_channels, window, self.groups)

    def multiply_adds(self, input_shape: Shape) -> int:
        oh, ow = self.window(input_shape).output
        return int(np.prod(self.weight.shape)) * oh * ow

    def forward_batch(self, x, training):
        self.x, self.last_window = x, self.window(x.shape[1:])
        b = None if self.bias is None else self.bias.data
        return self.ops.conv2d_forward(
            x, self.weight.data, b, self.last_window, self.groups, self.buffers
        )

    def backward_batch(self, dy, input_gradient=True):
        dx = None
        if input_gradient:  # first: what of dy a backend has to work out for it serves the others
            dx = self.ops.conv2d_input_gradient(
                dy, self.weight.data, self.last_window, self.groups, self.buffers
            )
        if self.weight.learned:
            self.ops.conv2d_weight_gradient(
                dy, self.x, self.last_window, self.groups, self.weight.gradient, self.buffers
            )
        if self.bias is not None and self.bias.learned:
            self.ops.bias_gradient(dy, self.bias.gradient, self.buffers)
        return dx


class ConvTranspose2D(Convolution):
    """Transposed convolution: forward is what convolution does backward (Dumoulin & Visin 2016).

        y[n,f,h,k] = b[f] + Σ_{c,u,v,i,j : i·s+u·d−p = h, j·s+v·d−p = k}  w[c,f,u,v] · x[n,c,i,j]

    Every input pixel paints the kernel, scaled, into the output. x (N, in_channels, H, W) →
    y (N, out_channels, OH, OW), OH = (H − 1)·s − 2p + d·(KH−1) + 1 + output_padding.
    `weight` (in_channels, out_channels / groups, KH, KW), `bias` (out_channels,).

    output_padding (< stride): rows and columns added below and to the right, to choose among the
    sizes that a strided convolution maps to the same H.
    dilation d, groups: as Conv2D's.
    Keeps x for backward. Raises ValueError for sizes that make no sense, for channels that are no
    multiple of groups, and for an empty output.
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
        dilation: int | tuple[int, int] = 1,
        groups: int = 1,
        initializer: initializers.Initializer = initializers.torch_default,
    ) -> None:
        name = type(self).__name__
        self.output_padding = pair(output_padding, "output_padding", name, at_least=0)
        super().__init__(
            in_channels, out_channels, kernel_size, stride, padding, bias, dilation, groups,
            initializer, output_padding=self.output_padding,
        )  # fmt: skip
        if any(extra >= s for extra, s in zip(self.output_padding, self.stride)):
            raise ValueError(
                f"{name}: output_padding must be smaller than the stride {self.stride}, "
                f"got {self.output_padding}"
            )

    @classmethod
    def array_shapes(cls, in_channels, out_channels, kernel_size, bias, groups, **geometry):
        weight = in_channels, out_channels // groups, *kernel_size
        return weight_and_bias(weight, out_channels if bias else None)

    def output_shape(self, input_shape: Shape) -> Shape:
        return (self.out_channels, *self.window(input_shape).image)

    def window(self, input_shape: Shape) -> Window:
        """The window of the convolution that this layer transposes: its output is our input."""
        _, *small = image_shape(input_shape, self.in_channels, self)
        sides = zip(small, self.stride, self.padding, self.reach, self.output_padding)
        large = tuple((n - 1) * s - 2 * p + r + extra for n, s, p, r, extra in sides)
        if min(large) < 1:
            raise ValueError(f"{self}: an input of {tuple(small)} leaves an output of {large}")
        return self.window_of(large, tuple(small))

    def multiply_adds(self, input_shape: Shape) -> int:
        return int(np.prod(self.weight.shape)) * input_shape[1] * input_shape[2]

    def forward_batch(self, x, training):
        self.x, self.last_window = x, self.window(x.shape[1:])
        y = self.ops.conv2d_input_gradient(
            x, self.weight.data, self.last_window, self.groups, self.buffers
        )
        return y if self.bias is None else self.ops.bias_forward(y, self.bias.data, self.buffers)

    def backward_batch(self, dy, input_gradient=True):
        if self.weight.learned:
            self.ops.conv2d_weight_gradient(
                self.x, dy, self.last_window, self.groups, self.weight.gradient, self.buffers
            )
        if self.bias is not None and self.bias.learned:
            self.ops.bias_gradient(dy, self.bias.gradient, self.buffers)
        if not input_gradient:
            return None
        return self.ops.conv2d_forward(
            dy, self.weight.data, None, self.last_window, self.groups, self.buffers
        )


def weight_and_bias(weight: Shape, outputs: int | None) -> dict[str, Shape]:
    return {"weight": weight} if outputs is None else {"weight": weight, "bias": (outputs,)}


def draw_weight_and_bias(layer, rng: np.random.Generator) -> None:
    """The weight from the layer's initialiser, the bias uniform ±1/√fan_in as PyTorch does."""
    example = "a function such as initializers.he_normal"
    function(layer.initializer, "initializer", type(layer).__name__, example)
    layer.weight.value = layer.initializer(layer.weight.shape, rng)
    if layer.bias is not None:
        bound = initializers.fans(layer.weight.shape)[0] ** -0.5
        layer.bias.value = rng.uniform(-bound, bound, layer.bias.shape)
