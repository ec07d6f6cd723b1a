"""13 BatchNorm, forward: every channel with mean 0 and variance 1.

Take all the numbers of a channel, of all images and positions; shift them to mean 0 and scale them
to variance 1. Then two learned weights choose a mean and a deviation again. What one image becomes
now depends on the others of its batch.

Read: docs/backprop/batch-norm.md, The formula and its derivation
"""

import numpy as np

# Predict: a channel has two numbers, 10 and 1000; gamma = 1, beta = eps = 0. What becomes of them?
#   "a" 10 and 1000        "b" −495 and 495        "c" −1 and 1
PREDICTION = ...


def batch_norm(x, gamma, beta, eps):
    """y = gamma · (x − μ) / √(σ² + eps) + beta

    μ = the mean of a channel's M numbers, σ² = the mean of their (x − μ)², both over n, i and j.

    x (N, C, H, W), gamma, beta (C,), eps > 0 → y (N, C, H, W), float64.
    """
    ...  # about 4 lines
