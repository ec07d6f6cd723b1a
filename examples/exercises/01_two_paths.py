"""01 Two paths: a value that is used twice.

A residual block adds its input to what its layers make of it: y = x + f(x). So x reaches y on two
paths, and a change of x changes y through both. Everything in this course is that sentence: a
gradient is a sum over all the ways in which a number affects the loss.

Read: docs/backprop/branches.md, The formula and its derivation
"""

# Predict: f dies, all w become 0. Which gradient reaches x?
#   "a" dy, unchanged        "b" none        "c" it depends on x
PREDICTION = ...


def two_paths(dy, w):
    """∂L/∂x of y = x + f(x) with f(x) = w · x, number by number.

    dy (N, D) is ∂L/∂y, w (D,) → dx (N, D), float64.
    """
    ...  # about 1 line
