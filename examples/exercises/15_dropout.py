"""15 Dropout: the same mask on the way back.

In training each number is thrown away with probability p, and those that stay are scaled up, so
that their sum is on average what it was. Which stay is random; once drawn it is a constant, and
backward multiplies by the same constant. Here it has been drawn for you.

Read: docs/backprop/dropout.md, The formula and its derivation
"""

import numpy as np

# Predict: p = 3/4. By what is a number that stays multiplied?
#   "a" 4/3        "b" 4        "c" 3/4
PREDICTION = ...


def dropout(x, dy, keep, p):
    """y = m · x, and ∂L/∂x = m · dy, with m = 1 / (1 − p) where keep is True, and 0 elsewhere.

    x, dy (N, D), keep (N, D) bool, 0 ≤ p < 1 → y, dx (N, D), float64.
    """
    ...  # about 2 lines
