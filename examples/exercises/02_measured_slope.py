"""02 A measured slope: how to know that a gradient is right.

A formula can be wrong and a program too, but a slope can always be measured: move one number a
little to both sides, see by how much the function changes, and divide. It is slow, two calls for
each number, and it needs no thought, which is what makes it a good judge of thoughts.

Read: docs/gradient-checking.md, The idea
"""

import numpy as np

# Predict: with h ten times smaller, the error of this slope (of a smooth f) becomes smaller by
#   "a" 10 times        "b" not at all        "c" 100 times
PREDICTION = ...


def slope(f, x, k, h):
    """The slope of f at x along coordinate k, from both sides:

        (f(x + h · e_k) − f(x − h · e_k)) / 2h        e_k is 1 at k and 0 elsewhere

    f takes an array (D,) and gives a number; x (D,) float64, k an index, h > 0 → a number.
    """
    ...  # about 3 lines
