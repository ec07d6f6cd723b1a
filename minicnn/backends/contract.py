"""The table of contents of backprop: every operation of minicnn, its formula and its gradient.

Each backend (`numpy`, `numba`, `cuda`) is a module with these functions under these names. A
layer calls them and never learns which backend it is on.

Notation
--------
    x, w, b → y        forward: input, weight, bias, output
    dy → dx, dw, db    backward: dy is ∂L/∂y, the gradient of the loss L with respect to y
    N images, C channels in, F channels (filters) out, H × W pixels, OH × OW output pixels
    i, j output row and column · u, v a kernel's tap · s stride · p padding above and to the left

Rules
-----
* A **Batch** (x, y, dy, dx …) is opaque: only its backend knows how it lies in memory. It has
  `.shape`, batch first and NCHW, and `.dtype`. An **Array** (w, b, dw, db, statistics, optimiser
  slots) has the plain layout of the docstrings; `allocate` makes it, `read` and `write` reach it.
* Results live in the caller's `buffers` and stay valid until the same layer computes the same
  thing again, so a step allocates nothing. No function changes a Batch that it is given.
* Gradients of parameters are *written* to the Array that is passed (dw, db, …): they overwrite.
* Arguments are right when they get here: layers, losses and optimisers check them first.
* NaN and Inf in an input reach the output (the callers silence NumPy's warnings about them).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np

from .window import Window

Batch = Any  # a batch as the backend keeps it
Array = Any  # a parameter, a statistic or an optimiser's slot as the backend keeps it
Scalar = Any  # a number that may still be on a device: `to_float` reads it
Data = Any  # a whole data set as the backend keeps it


class Backend(Protocol):
    # ── moving data ──────────────────────────────────────────────────────────────────────────

    def Buffers(self) -> Any:
        """Memory of one layer, used again on every step (see `backends/buffers.py`)."""

    def from_numpy(self, array: np.ndarray) -> Batch:
        """A copy of a C-contiguous float array (N, …) as a Batch of the same dtype."""

    def to_numpy(self, batch: Batch) -> np.ndarray:
        """A copy of a Batch as a NumPy array (N, …)."""

    def allocate(self, arrays: Sequence[np.ndarray]) -> list[Array]:
        """Copies of NumPy arrays as Arrays. Those of one call may share one piece of memory."""

    def join(self, lists: Sequence[Sequence[Array]]) -> list[list[Array]]:
        """The same Arrays for an update, in all lists alike, with neighbours in memory as one."""

    def read(self, array: Array) -> np.ndarray:
        """An Array as NumPy: its own memory on the host, a read-only copy from a device."""

    def write(self, array: Array, values: np.ndarray) -> None:
        """Set an Array's elements; the dtype stays the Array's."""

    def to_float(self, scalar: Scalar) -> float:
        """Read a Scalar (on a device this waits for it)."""

    def upload(self, array: np.ndarray) -> Data:
        """A data set (count, …), uint8 or float, ready for `gather`. It must not change after."""

    def gather(self, data: Data, indices: np.ndarray, dtype: Any, buffers: Any) -> Batch:
        """Pick samples: y[n] = data[indices[n]], with uint8 pixels 0..255 scaled to 0..1.

        indices: int64 (N,). Gather, scale and conversion to `dtype` are one pass over the pixels.
        """

    def reshape(self, x: Batch, shape: tuple[int, ...]) -> Batch:
        """The same numbers, each sample with another shape: (N, …) → (N, *shape), row-major."""

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

    # ── loss ─────────────────────────────────────────────────────────────────────────────────

    def softmax_cross_entropy_forward(
        self, logits: Batch, target: Batch, divisor: float, buffers: Any
    ) -> tuple[Scalar, Batch]:
        """L = −Σ_{n,c} target[n,c] · log p[n,c] / divisor with p = softmax(logits).

            log p[n,c] = z[n,c] − log Σ_k e^{z[n,k]},   z = logits − max_k logits[n,k]

        so no logit overflows. logits, target, p (N, C). Returns L and p. For one class c per
        sample, target is 1 at c and divisor N; smoothing and class weights are in target.
        """

    def softmax_cross_entropy_backward(
        self, p: Batch, target: Batch, divisor: float, buffers: Any
    ) -> Batch:
        """dlogits[n,c] = (p[n,c] · Σ_k target[n,k] − target[n,c]) / divisor.

        For one class per sample that is (p − y) / N.
        """

    def sigmoid_cross_entropy_forward(
        self, logits: Batch, target: Batch, buffers: Any
    ) -> tuple[Scalar, Batch]:
        """L = mean over all elements of max(z, 0) − z·t + log(1 + e^−|z|), z = logits, t = target.

        That is −t log p − (1−t) log(1−p) with p = sigmoid(z), with no overflow. Returns L and p.
        """

    def sigmoid_cross_entropy_backward(self, p: Batch, target: Batch, buffers: Any) -> Batch:
        """dlogits = (p − target) / number of elements."""

    def mean_squared_error_forward(self, x: Batch, target: Batch, buffers: Any) -> Scalar:
        """L = mean over all elements of (x − target)²."""

    def mean_squared_error_backward(self, x: Batch, target: Batch, buffers: Any) -> Batch:
        """dx = 2 (x − target) / number of elements."""

    def count_correct(self, logits: Batch, labels: np.ndarray) -> Scalar:
        """How many rows of logits (N, C) have their first maximum at labels[n] (int64 (N,)).

        A single logit (C = 1) says class 1 where it is positive, else class 0.
        """

    # ── update: each for all parameters, in place. g is the gradient, w the value ────────────

    def sgd_update(
        self,
        values: Sequence[Array],
        grads: Sequence[Array],
        velocities: Sequence[Array],
        lr: float,
        momentum: float,
        nesterov: bool,
        weight_decay: float,
    ) -> None:
        """Stochastic gradient descent with momentum (Polyak 1964; Nesterov: Sutskever 2013).

            g ← g + weight_decay · w
            v ← momentum · v + g            (velocities; empty when momentum = 0)
            w ← w − lr · (g + momentum · v  if nesterov else  v)
        """

    def rmsprop_update(
        self,
        values: Sequence[Array],
        grads: Sequence[Array],
        squares: Sequence[Array],
        lr: float,
        alpha: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        """RMSprop (Tieleman & Hinton 2012).

            g ← g + weight_decay · w
            s ← alpha · s + (1 − alpha) · g²
            w ← w − lr · g / (√s + eps)
        """

    def adagrad_update(
        self,
        values: Sequence[Array],
        grads: Sequence[Array],
        squares: Sequence[Array],
        lr: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        """Adagrad (Duchi et al. 2011).

            g ← g + weight_decay · w
            s ← s + g²
            w ← w − lr · g / (√s + eps)
        """

    def adam_update(
        self,
        values: Sequence[Array],
        grads: Sequence[Array],
        means: Sequence[Array],
        squares: Sequence[Array],
        step: int,
        lr: float,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        decoupled: bool,
    ) -> None:
        """Adam (Kingma & Ba 2015) and, decoupled, AdamW (Loshchilov & Hutter 2019); step = 1, 2, …

            w ← w − lr · weight_decay · w   if decoupled, else   g ← g + weight_decay · w
            m ← beta1 · m + (1 − beta1) · g          s ← beta2 · s + (1 − beta2) · g²
            w ← w − lr / (1 − beta1^step) · m / (√s / √(1 − beta2^step) + eps)
        """

    def penalty(self, values: Sequence[Array], l1: float, l2: float) -> Scalar:
        """l1 · Σ |w| + l2 / 2 · Σ w²."""

    def add_penalty_gradient(
        self, values: Sequence[Array], grads: Sequence[Array], l1: float, l2: float
    ) -> None:
        """g ← g + l1 · sign(w) + l2 · w."""

    def squared_norm(self, arrays: Sequence[Array]) -> Scalar:
        """Σ over all arrays and elements of a²."""

    def scale(self, arrays: Sequence[Array], factor: float) -> None:
        """a ← factor · a."""
