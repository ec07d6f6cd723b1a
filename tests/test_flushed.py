"""Numbers that are too small to matter are put to 0, for speed (`backends/scalar.py`)."""

import numpy as np
import pytest

from minicnn import backends
from minicnn.layers import Parameter
from minicnn.optimizers import SGD, Adagrad, Adam, RMSprop

kernel_backend = pytest.mark.parametrize(
    "backend", [name for name in backends.available() if name != "numpy"]
)


@kernel_backend
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(
    ("make", "first"),
    [
        (lambda: SGD(0.1, momentum=0.5), 1),
        (lambda: RMSprop(alpha=0.5), 0.5),
        (lambda: Adam(betas=(0.5, 0.5)), 0.5),
    ],
)
def test_what_is_too_small_to_matter_is_forgotten_and_nothing_else(make, first, dtype, backend):
    """Halved 80 times, 10⁻¹⁷ and its square are forgotten, 1 is 2⁻⁸⁰, and NaN is NaN."""
    own, optimizer = Parameter(np.zeros(3, dtype)), make()
    own.to(backend)
    for gradient in [[1e-17, 1, np.nan], *80 * [[0, 0, 0]]]:
        backends.get(backend).write(own.gradient, np.array(gradient, dtype))
        optimizer.step([own])
    for slot in optimizer.slots.values():
        np.testing.assert_allclose(slot[0].value, [0, first * 2.0**-80, np.nan], rtol=1e-6)


@kernel_backend
@pytest.mark.parametrize("make", [RMSprop, Adagrad, Adam])
def test_the_square_of_a_faint_gradient_is_nothing(make, backend):
    own, optimizer = Parameter(np.zeros(2)), make()
    own.to(backend)
    backends.get(backend).write(own.gradient, np.array([5e-18, 1e-15]))
    optimizer.step([own])
    faint, clear = optimizer.slots["square"][0].value
    assert faint == 0 < clear
