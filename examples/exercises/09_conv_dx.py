"""09 Convolution, its input: every output paints back what it saw.

A pixel affects all outputs whose window covers it. Read that the other way round: each output
sends dy, through each of its taps, to the pixel that the tap saw, and pixels add up what arrives.
Nothing has to be flipped, and padding or stride change nothing.

Read: docs/backprop/convolution.md, The formula and its derivation
"""

import numpy as np

# Predict: a kernel of 2 × 2, stride 2. How many outputs of a filter does a pixel affect?
#   "a" 1        "b" 2        "c" 4
PREDICTION = ...


def conv_dx(dy, w, shape, stride):
    """∂L/∂x of y[n,f,i,j] = b[f] + Σ_{c,u,v} w[f,c,u,v] · x[n, c, i·s+u, j·s+v]

        dx[n,c,h,k] = Σ dy[n,f,i,j] · w[f,c,u,v]   over all f, i, j, u, v with i·s+u = h, j·s+v = k

    dy (N, F, OH, OW), w (F, C, KH, KW), shape (N, C, H, W) that of x, stride s → dx, float64.
    """
    ...  # about 5 lines
