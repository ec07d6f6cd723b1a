"""06 Softmax and cross-entropy: what you said minus what was right.

The last layer gives a number for each class. Softmax makes probabilities of them, and the loss is
−log of the right one's, averaged over images. Its gradient has no exponential and no logarithm
left. But e^1000 is infinite in a computer, so a constant must be taken out first: it changes no
probability.

Read: docs/backprop/softmax-cross-entropy.md, The formula and its derivation
"""

import numpy as np

# Predict: one image, and the network gives its right class the probability 0. Which gradient has
# that class's z?
#   "a" −1        "b" −∞        "c" 0
PREDICTION = ...


def softmax_cross_entropy(z, labels):
    """L = mean over n of −log p[n, labels[n]],   p[n,c] = exp(z[n,c]) / Σ_k exp(z[n,k])

        ∂L/∂z[n,c] = (p[n,c] − [c = labels[n]]) / N

    z (N, classes) float64, up to ±1000; labels (N,) int → the loss, a number, and dz (N, classes).
    """
    ...  # about 7 lines
