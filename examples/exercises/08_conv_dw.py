"""08 Convolution, its weights: every tap met many pixels.

A tap of the kernel affects every output, each time with another pixel. So its gradient is a
sum over all outputs of all images: what the tap met there, times how much that output mattered.
The gradient of a sliding product is a sliding product: dy slides over x.

Read: docs/backprop/convolution.md, The formula and its derivation
"""

import numpy as np

# Predict: all pixels and all dy are 1. An image twice as high and twice as wide makes each dw about
#   "a" as large as before        "b" twice as large        "c" four times as large
PREDICTION = ...


def conv_dw(dy, x, kernel, stride):
    """∂L/∂w of y[n,f,i,j] = b[f] + Σ_{c,u,v} w[f,c,u,v] · x[n, c, i·s+u, j·s+v]

        dw[f,c,u,v] = Σ_{n,i,j} dy[n,f,i,j] · x[n, c, i·s+u, j·s+v]

    dy (N, F, OH, OW), x (N, C, H, W), kernel = (KH, KW), stride s → dw (F, C, KH, KW), float64.
    """
    ...  # about 5 lines
