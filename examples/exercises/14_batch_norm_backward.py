"""14 BatchNorm, backward: x moves μ and σ too.

The weights are easy: gamma meets x̂ everywhere, beta meets 1. The surprise is x. It affects
every y of its channel, directly and through μ and σ, and the three ways add up. What comes out
says: moving all x together, or apart, changes nothing behind a normalisation, so no gradient may
ask for it.

Read: docs/backprop/batch-norm.md, The formula and its derivation
"""

import numpy as np

# Predict: dy = 1 everywhere. What is dx?
#   "a" 0        "b" gamma / σ        "c" 1
PREDICTION = ...


def batch_norm_backward(dy, x, gamma, eps):
    """The gradients of y = gamma · x̂ + beta with x̂ = r · (x − μ) and r = 1 / √(σ² + eps)

        dgamma = Σ dy · x̂        dbeta = Σ dy        over a channel's M numbers
        dx = gamma · r · (dy − dbeta / M − x̂ · dgamma / M)

    dy, x (N, C, H, W), gamma (C,), eps > 0 → dx (N, C, H, W), dgamma (C,), dbeta (C,), float64.
    """
    ...  # about 9 lines
