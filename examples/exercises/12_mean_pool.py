"""12 Mean pooling: everybody gets a share.

A window's mean takes the place of what it sees. Every pixel has the same part in it, 1/K of K
pixels, so each gets the same share of dy. Where windows overlap the shares add up. It is a
convolution whose weights are all 1/K and are not learned.

Read: docs/backprop/pooling.md, The formula and its derivation
"""

import numpy as np

# Predict: every pixel of the image becomes larger by 1. By how much does each mean of 2 × 2 grow?
#   "a" 1/4        "b" 1        "c" 4
PREDICTION = ...


def mean_pool(x, dy, size, stride):
    """y[n,c,i,j] = 1/K · Σ_{u,v} x[n, c, i·s+u, j·s+v] with K = size², and
    dx: dy[n,c,i,j] / K added to every pixel of window (i, j).

    x (N, C, H, W), windows of size × size, stride s, dy (N, C, OH, OW)
    → y, of the shape of dy, and dx (N, C, H, W), float64.
    """
    ...  # about 6 lines
