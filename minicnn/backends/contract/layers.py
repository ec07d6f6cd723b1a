"""Forward and backward of what layers do; notation and rules are in `__init__.py`."""

from __future__ import annotations

from typing import Any, Protocol

import numpy as np

from ..window import Window
from .names import Array, Batch


class LayerOperations(Protocol):
    # ── convolution ──────────────────────────────────────────────────────────────────────────

    def conv2d_forward(
        self, x: Batch, w: Array, b: Array | None, window: Window, buffers: Any
    ) -> Batch:
        """Cross-correlation, which deep learning calls convolution (LeCun et al. 1998).

            y[n,f,i,j] = b[f] + Σ_{c,u,v} w[f,c,u,v] · x[n, c, i·s+u−p, j·s+v−p]

        x (N, C, H, W), zero outside the image; w (F, C, KH, KW); b (F,) or None;
        y (N, F, OH, OW).
        """

    def conv2d_input_gradient(self, dy: Batch, w: Array, window: Window, buffers: Any) -> Batch:
        """Gradient of `conv2d_forward` with respect to x: every tap sends dy back to its pixel.

            dx[n,c,h,k] = Σ_{f,u,v,i,j : i·s+u−p = h, j·s+v−p = k}  w[f,c,u,v] · dy[n,f,i,j]

        It is also the forward pass of a transposed convolution (Dumoulin & Visin 2016).
        dy (N, F, OH, OW); w (F, C, KH, KW); dx (N, C, H, W).
        """

    def conv2d_weight_gradient(
        self, dy: Batch, x: Batch, window: Window, dw: Array, buffers: Any
    ) -> None:
        """Gradient of `conv2d_forward` with respect to w: each tap against what it saw.

            dw[f,c,u,v] = Σ_{n,i,j} dy[n,f,i,j] · x[n, c, i·s+u−p, j·s+v−p]

        dy (N, F, OH, OW); x (N, C, H, W); dw (F, C, KH, KW), overwritten.
        """

    # ── dense ────────────────────────────────────────────────────────────────────────────────

    def dense_forward(self, x: Batch, w: Array, b: Array | None, buffers: Any) -> Batch:
        """y[n,o] = b[o] + Σ_i w[o,i] · x[n,i].  x (N, I); w (O, I); b (O,) or None; y (N, O)."""

    def dense_input_gradient(self, dy: Batch, w: Array, buffers: Any) -> Batch:
        """dx[n,i] = Σ_o w[o,i] · dy[n,o].  dy (N, O); w (O, I); dx (N, I)."""

    def dense_weight_gradient(self, dy: Batch, x: Batch, dw: Array, buffers: Any) -> None:
        """dw[o,i] = Σ_n dy[n,o] · x[n,i].  dy (N, O); x (N, I); dw (O, I), overwritten."""

    # ── bias ─────────────────────────────────────────────────────────────────────────────────

    def bias_forward(self, x: Batch, b: Array, buffers: Any) -> Batch:
        """y[n,c,…] = x[n,c,…] + b[c].  x (N, C) or (N, C, H, W); b (C,)."""

    def bias_gradient(self, dy: Batch, db: Array, buffers: Any) -> None:
        """A bias reaches every image and position: db[c] = Σ_{n,…} dy[n,c,…], overwritten."""

    # ── pooling ──────────────────────────────────────────────────────────────────────────────

    def max_pool_forward(self, x: Batch, window: Window, buffers: Any) -> tuple[Batch, Batch]:
        """y[n,c,i,j] = max over the window's taps (u, v) inside the image; and which tap it was.

        x (N, C, H, W) → y (N, C, OH, OW), winner (N, C, OH, OW) with values u·KW + v. Padding
        never wins. Of equal values the first in row-major order wins; a NaN wins over all.
        """

    def max_pool_backward(self, dy: Batch, winner: Batch, window: Window, buffers: Any) -> Batch:
        """dx at a pixel is the sum of dy over the windows in which it won.

        Windows may overlap, so this *adds*: dy, winner (N, C, OH, OW) → dx (N, C, H, W).
        """

    def avg_pool_forward(
        self, x: Batch, window: Window, divisor: np.ndarray, buffers: Any
    ) -> Batch:
        """y[n,c,i,j] = (sum over the window's taps inside the image) / divisor[i,j].

        x (N, C, H, W) → y (N, C, OH, OW); divisor int64 (OH, OW).
        """

    def avg_pool_backward(
        self, dy: Batch, window: Window, divisor: np.ndarray, buffers: Any
    ) -> Batch:
        """Every pixel under a window gets the same share: dx = Σ over its windows dy / divisor."""

    # ── activation ───────────────────────────────────────────────────────────────────────────

    def relu_forward(self, x: Batch, buffers: Any) -> Batch:
        """y = max(x, 0) (Nair & Hinton 2010)."""

    def relu_backward(self, dy: Batch, y: Batch, buffers: Any) -> Batch:
        """dx = dy where y > 0, else 0 (at the kink 0 the slope is taken as 0)."""

    def leaky_relu_forward(self, x: Batch, slope: float, buffers: Any) -> Batch:
        """y = x where x > 0, else slope · x (Maas et al. 2013)."""

    def leaky_relu_backward(self, dy: Batch, x: Batch, slope: float, buffers: Any) -> Batch:
        """dx = dy where x > 0, else slope · dy."""

    def sigmoid_forward(self, x: Batch, buffers: Any) -> Batch:
        """y = 1 / (1 + e^−x), computed from e^−|x| ≤ 1, so that no x overflows."""

    def sigmoid_backward(self, dy: Batch, y: Batch, buffers: Any) -> Batch:
        """dx = dy · y · (1 − y)."""

    def tanh_forward(self, x: Batch, buffers: Any) -> Batch:
        """y = tanh x."""

    def tanh_backward(self, dy: Batch, y: Batch, buffers: Any) -> Batch:
        """dx = dy · (1 − y²)."""

    # ── normalisation and dropout ────────────────────────────────────────────────────────────

    def batch_norm_forward(
        self,
        x: Batch,
        gamma: Array,
        beta: Array,
        running_mean: Array,
        running_var: Array,
        momentum: float,
        eps: float,
        buffers: Any,
    ) -> tuple[Batch, Batch, Array]:
        """Batch normalisation in training (Ioffe & Szegedy 2015), per channel c over M values.

            μ = Σ x / M        σ² = Σ (x − μ)² / M        (biased)
            x̂ = (x − μ) / √(σ² + eps)        y = gamma · x̂ + beta
            running_mean ← (1 − momentum) · running_mean + momentum · μ
            running_var  ← (1 − momentum) · running_var  + momentum · σ² · M / (M − 1)   (unbiased)

        A channel whose σ² is not finite leaves its running statistics alone.
        x, y, x̂ (N, C) or (N, C, H, W); the rest (C,). Returns y, x̂ and 1 / √(σ² + eps).
        """

    def batch_norm_inference(
        self,
        x: Batch,
        gamma: Array,
        beta: Array,
        running_mean: Array,
        running_var: Array,
        eps: float,
        buffers: Any,
    ) -> tuple[Batch, Batch, Array]:
        """The same with the running statistics for μ and σ², which stay as they are."""

    def batch_norm_backward(
        self,
        dy: Batch,
        x_hat: Batch,
        inv_std: Array,
        gamma: Array,
        dgamma: Array,
        dbeta: Array,
        buffers: Any,
    ) -> Batch:
        """Gradient in training: μ and σ² move with x, which takes two components out of dy.

            dgamma = Σ dy · x̂        dbeta = Σ dy
            dx = gamma · inv_std · (dy − dbeta / M − x̂ · dgamma / M)
        """

    def batch_norm_inference_backward(
        self,
        dy: Batch,
        x_hat: Batch,
        inv_std: Array,
        gamma: Array,
        dgamma: Array,
        dbeta: Array,
        buffers: Any,
    ) -> Batch:
        """Gradient with fixed statistics: dx = gamma · inv_std · dy; dgamma, dbeta as above."""

    def dropout_forward(
        self, x: Batch, p: float, seed: tuple[int, int], step: Array, buffers: Any
    ) -> tuple[Batch, Batch]:
        """Inverted dropout (Srivastava et al. 2014): y = x · mask.

        mask is 0 with probability p, else 1 / (1 − p). Element k of sample n (row-major in the
        sample) is drawn by `backends/philox.py` from (seed, step, n, k) alone: every backend
        draws the same mask. step: int64 (1,); it is advanced by one. Returns y and mask.
        """

    def dropout_backward(self, dy: Batch, mask: Batch, buffers: Any) -> Batch:
        """dx = dy · mask."""
