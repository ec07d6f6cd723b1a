"""17 Momentum: a ball that rolls.

Plain gradient descent takes a step against the gradient and forgets it. With momentum the steps
build up a velocity: where gradients agree it grows, where they contradict each other it cancels. A
long valley is crossed in far fewer steps.

Read: docs/one-step.md, Optimisers that remember
"""

# Predict: the gradient is the same g for ever and momentum is 0.9. Steps become as long as
#   "a" 10 · lr · g        "b" 1.9 · lr · g        "c" there is no limit
PREDICTION = ...


def momentum_step(w, g, v, lr, momentum):
    """One step of gradient descent with momentum (Polyak 1964), as PyTorch writes it:

        v ← momentum · v + g            w ← w − lr · v

    w, g, v (D,), lr and momentum numbers → the new w and v, float64; what was given stays as it is.
    """
    ...  # about 2 lines
