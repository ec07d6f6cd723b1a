"""Pooling: a window's maximum or mean in place of its pixels."""

from __future__ import annotations

from math import prod

import numpy as np

from ..backends.window import Window
from ..common.arguments import pair
from .base import Layer
from .parameter import Shape
from .shapes import image_shape

MAX_TAPS = 2**24  # float32, in which kernels keep the tap that won, counts exactly up to here


class Pool2D(Layer):
    """What the poolings share: the geometry of their windows."""

    def __init__(self, kernel_size, stride, padding, ceil_mode, **arguments) -> None:
        name = type(self).__name__
        self.kernel_size = pair(kernel_size, "kernel_size", name)
        self.stride = self.kernel_size if stride is None else pair(stride, "stride", name)
        self.padding = pair(padding, "padding", name, at_least=0)
        self.ceil_mode = bool(ceil_mode)
        if prod(self.kernel_size) > MAX_TAPS:
            raise ValueError(f"{name}: the window {self.kernel_size} has more than {MAX_TAPS} taps")
        if any(2 * p > k for p, k in zip(self.padding, self.kernel_size)):
            raise ValueError(
                f"{name}: padding {self.padding} is more than half of the kernel {self.kernel_size}"
            )
        super().__init__(
            kernel_size=self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            ceil_mode=self.ceil_mode,
            **arguments,
        )

    def output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], *self.window(input_shape).output)

    def window(self, input_shape: Shape) -> Window:
        _, *image = image_shape(input_shape, None, self)
        output = tuple(map(self.output_size, image, self.kernel_size, self.stride, self.padding))
        if min(output) < 1:
            raise ValueError(
                f"{self}: the window {self.kernel_size} is larger than the padded image: "
                f"{tuple(image)} with padding {self.padding}"
            )
        return Window(self.kernel_size, self.stride, self.padding, tuple(image), output)  # type: ignore[arg-type]

    def output_size(self, size: int, kernel: int, stride: int, padding: int) -> int:
        """⌊(n + 2p − k) / s⌋ + 1, or ⌈…⌉ + 1 without a last window that starts in the padding."""
        room = size + 2 * padding - kernel
        if not self.ceil_mode:
            return room // stride + 1
        count = -(-room // stride) + 1
        return count - 1 if (count - 1) * stride >= size + padding else count


class MaxPool2D(Pool2D):
    """The largest value in each window: y[n,c,i,j] = max_{u,v} x[n, c, i·s+u−p, j·s+v−p].

    x (N, C, H, W) → y (N, C, OH, OW), OH = ⌊(H + 2p − k) / s⌋ + 1, rounded up with ceil_mode (a
    ragged edge gets a window of its own). stride defaults to kernel_size. Padding never wins. Of
    equal values the first in row-major order gets the whole gradient. Keeps which tap won.
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
        ceil_mode: bool = False,
    ) -> None:
        super().__init__(kernel_size, stride, padding, ceil_mode)

    def forward_batch(self, x, training, rectified=False):
        """rectified: with the ReLU that stands beside it (`network/fused.py`)."""
        self.last_window = self.window(x.shape[1:])
        y, self.winner = self.ops.max_pool_forward(x, self.last_window, rectified, self.buffers)
        return y

    def backward_batch(self, dy, input_gradient=True):
        if not input_gradient:
            return None
        return self.ops.max_pool_backward(dy, self.winner, self.last_window, self.buffers)


class AvgPool2D(Pool2D):
    """The mean of each window: y[n,c,i,j] = Σ_{u,v} x[n, c, i·s+u−p, j·s+v−p] / size of the window.

    Shapes as MaxPool2D. count_include_pad: the size counts padding (zeros) too; without it only
    the pixels of the image. What ceil_mode's last windows reach beyond the padding never counts.
    Keeps the windows for backward.
    """

    def __init__(
        self,
        kernel_size: int | tuple[int, int],
        stride: int | tuple[int, int] | None = None,
        padding: int | tuple[int, int] = 0,
        ceil_mode: bool = False,
        count_include_pad: bool = True,
    ) -> None:
        self.count_include_pad = bool(count_include_pad)
        super().__init__(
            kernel_size, stride, padding, ceil_mode, count_include_pad=self.count_include_pad
        )

    def forward_batch(self, x, training):
        self.last_window = self.window(x.shape[1:])
        self.divisor = self.window_sizes(self.last_window)
        return self.ops.avg_pool_forward(x, self.last_window, self.divisor, self.buffers)

    def backward_batch(self, dy, input_gradient=True):
        if not input_gradient:
            return None
        return self.ops.avg_pool_backward(dy, self.last_window, self.divisor, self.buffers)

    def window_sizes(self, window: Window) -> np.ndarray:
        """How many pixels each window counts: int64 (OH, OW)."""
        sides = []
        for o, k, s, p, n in zip(
            window.output, window.kernel, window.stride, window.padding, window.image
        ):
            first = np.arange(o) * s - p
            low, high = (-p, n + p) if self.count_include_pad else (0, n)
            sides.append(np.minimum(first + k, high) - np.maximum(first, low))
        return np.outer(*sides)


class GlobalAvgPool2D(Layer):
    """The mean of each channel (Lin et al. 2014): x (N, C, H, W) → y (N, C)."""

    def output_shape(self, input_shape: Shape) -> Shape:
        return image_shape(input_shape, None, self)[:1]

    def forward_batch(self, x, training):
        channels, height, width = x.shape[1:]
        self.last_window = Window((height, width), (1, 1), (0, 0), (height, width), (1, 1))
        self.divisor = np.array([[height * width]])
        y = self.ops.avg_pool_forward(x, self.last_window, self.divisor, self.buffers)
        return self.ops.reshape(y, (channels,))

    def backward_batch(self, dy, input_gradient=True):
        if not input_gradient:
            return None
        dy = self.ops.reshape(dy, (dy.shape[1], 1, 1))
        return self.ops.avg_pool_backward(dy, self.last_window, self.divisor, self.buffers)
