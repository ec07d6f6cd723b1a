"""04 Dense, backward: who affects whom?

A weight meets one input of every image, so its gradient is a sum over images. An input meets all
outputs of its own image, so its gradient is a sum over outputs. A bias is in every image's output.
Three sums, and two of them are matrix products; the shapes allow only one way to write each.

Read: docs/backprop/dense.md, The formula and its derivation
"""

# Predict: every image of the batch comes twice, with the same dy each time. What becomes of dw?
#   "a" it stays        "b" it doubles        "c" it halves
PREDICTION = ...


def dense_backward(dy, x, w):
    """The gradients of y[n,o] = b[o] + Σ_i w[o,i] · x[n,i]

        dw[o,i] = Σ_n dy[n,o] · x[n,i]      dx[n,i] = Σ_o dy[n,o] · w[o,i]      db[o] = Σ_n dy[n,o]

    dy (N, outputs), x (N, inputs), w (outputs, inputs) → dw, dx, db of the shapes of w, x, b.
    """
    ...  # about 4 lines
