"""A layer of your own on three backends: SiLU, y = x · σ(x), from its formula.

What docs/contributing/add-a-layer.md walks through. The two formulas are of a single number; the
backends compile them, and the reference applies them to every element. Each backend that can run is
compared with the reference, and its gradient is checked.
"""

import numpy as np
from options import chosen_backends, parser

from minicnn import gradcheck
from minicnn.backends.scalar import sigmoid
from minicnn.layers.activation import Activation


def silu(x):
    return x * sigmoid(x)


def silu_slope(dy, x):
    """(x · σ)′ = σ + x · σ · (1 − σ)."""
    s = sigmoid(x)
    return dy * (s + x * s * (type(s)(1) - s))


class SiLU(Activation):
    """y = x · σ(x), dx = dy · (σ + x · σ · (1 − σ)) (Elfwing et al. 2018)."""

    forward_formula, backward_formula = silu, silu_slope
    keeps = "x"


def compared(name: str) -> float:
    """The largest difference from the reference, forward and back; the gradient is checked too."""
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 3, 4, 2, 5))
    found = []
    for backend in ("numpy", name):
        layer = SiLU().to(backend)
        gradcheck.check(layer, x)
        found.append((layer.forward(x), layer.backward(dy)))
    return max(float(np.abs(a - b).max()) for a, b in zip(*found))


def main() -> None:
    options = parser(__doc__, epochs=0)
    options.set_defaults(backend="all")
    for name in chosen_backends(options.parse_args()):
        print(f"{name:8}gradient right, {compared(name):.1e} from the reference")


if __name__ == "__main__":
    main()
