"""03 Dense, forward: every output listens to every input.

Each output has a weight for each input, and a bias. One image's outputs are a matrix times a
vector; a batch of images is a matrix times a matrix. It is the layer with the fewest indices, and
convolution will turn out to be the same layer that looks through a window.

Read: docs/backprop/dense.md, The formula and its derivation
"""

# Predict: x is 5 images of 3 numbers, w is (2, 3). How many multiplications does y take?
#   "a" 6        "b" 15        "c" 30
PREDICTION = ...


def dense(x, w, b):
    """y[n,o] = b[o] + Σ_i w[o,i] · x[n,i]

    x (N, inputs), w (outputs, inputs), b (outputs,) → y (N, outputs), float64.
    """
    ...  # about 1 line
