"""18 Adam: every weight has its own step.

Adam keeps two running means of each weight: of its gradient, and of the gradient's square. The
step is one divided by the root of the other, so its length is about lr, whether gradients are
large or small. Both means begin at 0 and are too small at first; a correction makes up for that.

Read: docs/one-step.md, Optimisers that remember
"""

import numpy as np

# Predict: the first step, lr = 0.001, a gradient of 100. How far does the weight move?
#   "a" 0.1        "b" 0.001        "c" 0.0001
PREDICTION = ...


def adam_step(w, g, m, s, step, lr, beta1, beta2, eps):
    """One step of Adam (Kingma & Ba 2015):

        m ← beta1 · m + (1 − beta1) · g              s ← beta2 · s + (1 − beta2) · g²
        m̂ = m / (1 − beta1^step)                     ŝ = s / (1 − beta2^step)
        w ← w − lr · m̂ / (√ŝ + eps)

    w, g, m, s (D,); step = 1, 2, … and the others numbers → the new w, m and s, float64; what was
    given stays as it is.
    """
    ...  # about 5 lines
