"""The worked example of a new layer is right on every backend."""

import add_a_layer
import pytest

from minicnn import backends, gradcheck
from minicnn.backends.scalar import sigmoid


@pytest.mark.parametrize("backend", backends.available())
def test_the_examples_layer_agrees_with_its_reference(backend):
    assert add_a_layer.compared(backend) < 1e-12


@pytest.mark.parametrize("backend", backends.available())
def test_half_of_its_derivative_is_noticed(backend, monkeypatch):
    monkeypatch.setattr(add_a_layer.SiLU, "backward_formula", lambda dy, x: dy * sigmoid(x))
    with pytest.raises(gradcheck.GradientError):
        gradcheck.check(add_a_layer.SiLU().to(backend), [[0.5, -2.0], [1.0, 3.0]])
