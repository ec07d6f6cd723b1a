"""16 Transposed convolution: a convolution read backward.

A convolution gathers: many pixels make one output. Its transpose scatters: every pixel paints the
kernel, scaled by its value, into a larger output, and paintings that overlap add up. So its
forward is exercise 09, and its way back to x is exercise 07.

Read: docs/backprop/transposed-convolution.md, The formula and its derivation
"""

import numpy as np

# Predict: an input of 4 × 4, a kernel of 2 × 2, stride 2. The output is
#   "a" 4 × 4        "b" 9 × 9        "c" 8 × 8
PREDICTION = ...


def conv_transpose(x, w, dy, stride):
    """y[n, f, i·s+u, j·s+v] gets w[c,f,u,v] · x[n,c,i,j] added, for all c, i, j, u, v, and

        dx[n,c,i,j] = Σ_{f,u,v} w[c,f,u,v] · dy[n, f, i·s+u, j·s+v]
        dw[c,f,u,v] = Σ_{n,i,j} x[n,c,i,j] · dy[n, f, i·s+u, j·s+v]

    x (N, C, H, W), w (C, F, KH, KW), dy (N, F, OH, OW) with OH = (H − 1)·s + KH, stride s
    → y, dx, dw of the shapes of dy, x, w, float64.
    """
    ...  # about 8 lines
