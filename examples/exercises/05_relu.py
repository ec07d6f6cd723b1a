"""05 ReLU: a gate for each number.

What is positive goes through, the rest becomes 0. Backward the same gates are open: they were set
by x, and whether the gradient itself is positive is nobody's business. At x = 0 there is a kink
and no slope; this library takes 0 there.

Read: docs/backprop/relu.md, The formula and its derivation
"""

import numpy as np

# Predict: x is negative, and dy is negative too. What is dx?
#   "a" 0        "b" dy        "c" −dy
PREDICTION = ...


def relu(x, dy):
    """y = max(x, 0), and ∂L/∂x = dy · [x > 0]

    x, dy (N, D) → y, dx (N, D), float64. ([…] is 1 where it is true, else 0.)
    """
    ...  # about 2 lines
