"""07 Convolution as loops: a dense layer that looks through a window.

A small kernel slides over the image. At each position it multiplies what it sees, number by number,
and adds up. The weights are the same everywhere, so what is learned in one corner is known in all.
Write it as the formula stands there, one loop for each index; speed comes later.

Read: docs/backprop/convolution.md, The formula and its derivation
"""

import numpy as np

# Predict: an image of 28 × 28, a kernel of 5 × 5, stride 1 and no padding. The output is
#   "a" 28 × 28        "b" 24 × 24        "c" 23 × 23
PREDICTION = ...


def convolution(x, w, b, stride):
    """y[n,f,i,j] = b[f] + Σ_{c,u,v} w[f,c,u,v] · x[n, c, i·s+u, j·s+v]

    x (N, C, H, W), w (F, C, KH, KW), b (F,), stride s, no padding
    → y (N, F, OH, OW), float64, OH = (H − KH) // s + 1.
    """
    ...  # about 9 lines
