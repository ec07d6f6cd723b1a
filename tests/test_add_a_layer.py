"""The worked example of a new layer is right on every backend."""

import add_a_layer
import pytest

from minicnn import backends, gradcheck


@pytest.mark.parametrize("backend", backends.available())
def test_the_examples_layer_agrees_with_its_reference(backend):
    assert add_a_layer.compared(backend) < 1e-12


def test_half_of_its_derivative_is_noticed(monkeypatch):
    add_a_layer.add_to("numpy")
    ops = backends.get("numpy")
    monkeypatch.setattr(
        ops, "silu_backward", lambda dy, x, buffers: dy * add_a_layer.sigmoid_of(x)
    )
    with pytest.raises(gradcheck.GradientError):
        gradcheck.check(add_a_layer.SiLU(), [[0.5, -2.0], [1.0, 3.0]])
