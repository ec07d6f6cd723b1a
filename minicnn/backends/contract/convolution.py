"""Convolution and its two gradients; transposed convolution is the same with roles swapped.

With G groups the channels and the filters are cut into G parts each, one after the other, and a
filter of group g sees only the channels of group g: g = ⌊f / (F/G)⌋, and c counts from the first
of the group's C/G channels, here written c' = g · C/G + c. With one group c' = c. G = C is a
depthwise convolution: every channel has filters of its own.

A backend may take fewer multiplications than the formulas have (`backends/minimal.py`). Then

* float32 results differ from the formula's by up to 1e-4 of the largest, float64 ones by 1e-12;
* NaN and Inf reach every number that they reach in the formula, but an Inf may arrive as NaN, and
  other numbers of the same patch (4 × 4 outputs, or pixels, of the same image; in dw all taps of a
  filter and channel) may become NaN as well;
* numbers so large that a few hundred of them overflow together (in float32 above 1e35) may do so.

Padding counts as zeros, and with groups a backend may put zeros between the numbers of dy as well:
a weight that is Inf or NaN may make NaN of pixels that it meets only there.
"""

from __future__ import annotations

from typing import Any, Protocol

from ..window import Window
from .names import Array, Batch


class Operations(Protocol):
    def conv2d_forward(
        self, x: Batch, w: Array, b: Array | None, window: Window, groups: int, buffers: Any
    ) -> Batch:
        """Cross-correlation, which deep learning calls convolution (LeCun et al. 1998).

            y[n,f,i,j] = b[f] + Σ_{c,u,v} w[f,c,u,v] · x[n, c', i·s+u·d−p, j·s+v·d−p]

        x (N, C, H, W), zero outside the image; w (F, C/G, KH, KW); b (F,) or None;
        y (N, F, OH, OW).
        """

    def conv2d_input_gradient(
        self, dy: Batch, w: Array, window: Window, groups: int, buffers: Any
    ) -> Batch:
        """Gradient of `conv2d_forward` with respect to x: every tap sends dy back to its pixel.

            dx[n,c',h,k] = Σ_{f,u,v,i,j : i·s+u·d−p = h, j·s+v·d−p = k}  w[f,c,u,v] · dy[n,f,i,j]

        It is also the forward pass of a transposed convolution (Dumoulin & Visin 2016).
        Over the filters f of the group that c' is in. dy (N, F, OH, OW); w (F, C/G, KH, KW);
        dx (N, C, H, W).
        """

    def conv2d_weight_gradient(
        self, dy: Batch, x: Batch, window: Window, groups: int, dw: Array, buffers: Any
    ) -> None:
        """Gradient of `conv2d_forward` with respect to w: each tap against what it saw.

            dw[f,c,u,v] = Σ_{n,i,j} dy[n,f,i,j] · x[n, c', i·s+u·d−p, j·s+v·d−p]

        dy (N, F, OH, OW); x (N, C, H, W); dw (F, C/G, KH, KW), overwritten.
        """

    def conv2d_way(self, channels: int, filters: int, window: Window, groups: int) -> str:
        """How this backend computes the forward pass of such a convolution, in a word or two."""
