"""A layer of your own, from its formula to three backends: SiLU, y = x · σ(x).

What docs/contributing/add-a-layer.md walks through. In the library each function would stand in the
file that its comment names; here they are put there while the program runs. Every backend that can
run is compared with the reference, and its gradient is checked.
"""

from math import exp

import numpy as np
from numba import prange
from options import chosen_backends, parser

from minicnn import backends, gradcheck
from minicnn.backends import scalar
from minicnn.backends.cuda.device import cuda
from minicnn.layers.activation import Activation

# ── the formula: backends/scalar.py ──────────────────────────────────────────────────────────


def silu_slope(dy, x, s):
    """dx = dy · (σ + x · σ · (1 − σ)) with σ = sigmoid(x)."""
    return dy * (s + x * s * (type(s)(1) - s))


# ── the reference: backends/numpy/activation.py ──────────────────────────────────────────────


def silu_forward(x, buffers):
    y = buffers.empty("y", x.shape, x.dtype)
    return np.multiply(x, sigmoid_of(x), out=y)


def silu_backward(dy, x, buffers):
    s = sigmoid_of(x)
    return np.multiply(dy, s + x * s * (1 - s), out=buffers.empty("dx", dy.shape, dy.dtype))


def sigmoid_of(x):
    small = np.exp(-np.abs(x))  # ≤ 1, so nothing overflows
    return np.where(x >= 0, 1, small) / (1 + small)


# ── the layer: layers/activation.py ──────────────────────────────────────────────────────────


class SiLU(Activation):
    """y = x · σ(x), dx = dy · (σ + x · σ · (1 − σ)) (Elfwing et al. 2018). Keeps x."""

    def forward_batch(self, x, training):
        self.x = x
        return self.ops.silu_forward(x, self.buffers)

    def backward_batch(self, dy, input_gradient=True):
        return self.ops.silu_backward(dy, self.x, self.buffers) if input_gradient else None


# ── threads and vector lanes: backends/numba/activation.py ───────────────────────────────────


def on_numba():
    from minicnn.backends.numba.activation import rows
    from minicnn.backends.numba.exponential import decay
    from minicnn.backends.numba.layout import empty
    from minicnn.backends.numba.runtime import device, kernel

    sigmoid, slope = device(scalar.sigmoid), device(silu_slope)

    @kernel
    def silu_rows(x, y):
        for row in prange(len(x)):
            for k in range(x.shape[1]):
                y[row, k] = x[row, k] * sigmoid(x[row, k], decay(x[row, k]))

    @kernel
    def silu_slope_rows(dy, x, dx):
        for row in prange(len(dy)):
            for k in range(dy.shape[1]):
                s = sigmoid(x[row, k], decay(x[row, k]))
                dx[row, k] = slope(dy[row, k], x[row, k], s)

    def forward(x, buffers):
        y = empty(buffers, "y", x.shape[1:], x)
        silu_rows(rows(x), rows(y))
        return y

    def backward(dy, x, buffers):
        dx = empty(buffers, "dx", dy.shape[1:], dy)
        silu_slope_rows(rows(dy), rows(x), rows(dx))
        return dx

    return forward, backward


# ── a thread an element: backends/cuda/activation.py ─────────────────────────────────────────


def on_cuda():
    from minicnn.backends.cuda.arrays import empty
    from minicnn.backends.cuda.device import device, for_each, kernel

    sigmoid, slope = device(scalar.sigmoid), device(silu_slope)

    @kernel("F n F", "silu_elements")
    def silu_elements(x, size, y):
        for k in range(cuda.grid(1), size, cuda.gridsize(1)):
            y[k] = x[k] * sigmoid(x[k], exp(-abs(x[k])))

    @kernel("F F n F", "silu_slope_elements")
    def silu_slope_elements(dy, x, size, dx):
        for k in range(cuda.grid(1), size, cuda.gridsize(1)):
            dx[k] = slope(dy[k], x[k], sigmoid(x[k], exp(-abs(x[k]))))

    def forward(x, buffers):
        y = empty(buffers, "y", x.shape[1:], x)
        for_each(silu_elements, x.size, x.flat, x.size, y.flat)
        return y

    def backward(dy, x, buffers):
        dx = empty(buffers, "dx", dy.shape[1:], dy)
        for_each(silu_slope_elements, dy.size, dy.flat, x.flat, dy.size, dx.flat)
        return dx

    return forward, backward


KERNELS = {"numpy": lambda: (silu_forward, silu_backward), "numba": on_numba, "cuda": on_cuda}


def add_to(name: str) -> None:
    """Give a backend the two operations, as if they stood in its folder."""
    ops = backends.get(name)
    ops.silu_forward, ops.silu_backward = KERNELS[name]()


def compared(name: str) -> float:
    """The largest difference from the reference, forward and back; the gradient is checked too."""
    rng = np.random.default_rng(0)
    x, dy = rng.standard_normal((2, 3, 4, 2, 5))
    found = []
    for backend in ("numpy", name):
        add_to(backend)
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
