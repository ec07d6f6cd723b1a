"""A layer of your own on three backends: softsign, y = x / (1 + |x|), from its formula.

What docs/contributing/add-a-layer.md walks through. The two formulas are of a single number; the
backends compile them, and the reference applies them to every element. Each backend that can run is
compared with the reference, and its gradient is checked. Then the layer goes into a file and back.
"""

from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from options import chosen_backends, parser

from minicnn import Dense, Sequential, gradcheck, load, register, save
from minicnn.files.kinds import Twin, operator
from minicnn.layers.activation import Activation


def softsign(x):
    return x / (type(x)(1) + abs(x))


def softsign_slope(dy, x):
    """y′ = 1 / (1 + |x|)²."""
    size = type(x)(1) + abs(x)
    return dy / (size * size)


class Softsign(Activation):
    """y = x / (1 + |x|), dx = dy / (1 + |x|)² (Glorot & Bengio 2010)."""

    formulas = softsign, softsign_slope
    keeps = "x"


# From here on it can be saved and loaded, and leave for ONNX and PyTorch, as the library's own can.
register(Softsign, operator("Softsign"), Twin("Softsign"))


def compared(name: str) -> float:
    """The largest difference from the reference, forward and back; the gradient is checked too."""
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 3, 4, 2, 5))
    found = []
    for backend in ("numpy", name):
        layer = Softsign().to(backend)
        gradcheck.check(layer, x)
        found.append((layer.forward(x), layer.backward(dy)))
    return max(float(np.abs(a - b).max()) for a, b in zip(*found))


def main() -> None:
    options = parser(__doc__, "backend threads", backend="all").parse_args()
    for name in chosen_backends(options):
        print(f"{name:8}gradient right, {compared(name):.1e} from the reference")
    with TemporaryDirectory() as folder:
        save(Path(folder, "network.npz"), Sequential(Dense(2, 3), Softsign()))
        print(f"back from a file: {load(Path(folder, 'network.npz')).network[1]}")


if __name__ == "__main__":
    main()
