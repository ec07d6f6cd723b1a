"""The worked example of a new layer is right on every backend, and goes wherever ours go."""

import add_a_layer
import numpy as np
import pytest

from minicnn import (
    Dense,
    Sequential,
    backends,
    from_torch,
    gradcheck,
    load,
    register,
    save,
    to_torch,
)
from minicnn.files import kinds
from minicnn.layers.base import Layer
from tests.files import test_onnx_file


@pytest.mark.parametrize("backend", backends.available())
def test_the_examples_layer_agrees_with_its_reference(backend):
    assert add_a_layer.compared(backend) < 1e-12


@pytest.mark.parametrize("backend", backends.available())
def test_a_wrong_derivative_is_noticed(backend, monkeypatch):
    wrong = add_a_layer.softsign, lambda dy, x: dy / (type(x)(1) + abs(x))
    monkeypatch.setattr(add_a_layer.Softsign, "formulas", wrong)
    with pytest.raises(gradcheck.GradientError):
        gradcheck.check(add_a_layer.Softsign().to(backend), [[0.5, -2.0], [1.0, 3.0]])


@pytest.fixture
def network():
    return Sequential(Dense(4, 3), add_a_layer.Softsign(), seed=0)


def test_it_comes_back_from_a_file(network, tmp_path):
    save(tmp_path / "a.npz", network)
    again, x = load(tmp_path / "a.npz").network, np.ones((2, 4), "f")
    assert repr(again) == repr(network)
    assert again.forward(x).tobytes() == network.forward(x).tobytes()


def test_it_leaves_for_onnx(network, tmp_path):
    test_onnx_file.check(network, (4,), 3, 0, tmp_path / "a.onnx")


def test_it_goes_to_pytorch_and_back(network):
    torch = pytest.importorskip("torch")
    module, x = to_torch(network), np.ones((2, 4), "f")
    with torch.no_grad():
        found = module(torch.from_numpy(x)).numpy()
    np.testing.assert_allclose(found, network.forward(x), rtol=1e-5)
    assert repr(from_torch(module)) == repr(network)


def test_where_it_is_not_registered_a_file_needs_its_class(network, tmp_path, monkeypatch):
    save(tmp_path / "a.npz", network)
    monkeypatch.delitem(kinds.KINDS, "Softsign")
    with pytest.raises(ValueError, match=r"has a layer 'Softsign', wanted one of .*layers=\["):
        load(tmp_path / "a.npz")
    again = load(tmp_path / "a.npz", layers=[add_a_layer.Softsign]).network
    assert isinstance(again[1], add_a_layer.Softsign)


def test_a_class_of_the_same_name_is_another_layer(tmp_path):
    own = type("Softsign", (add_a_layer.Softsign,), {})  # which may compute what it likes
    with pytest.raises(TypeError, match=r"Softsign\(\) is none of the layers that can be saved"):
        save(tmp_path / "a.npz", Sequential(own()))
    for refused in (lambda: register(own), lambda: load(tmp_path / "a.npz", layers=[own])):
        with pytest.raises(ValueError, match="Softsign is the name of <class .*Softsign'> already"):
            refused()


@pytest.mark.parametrize("thing", [Layer, Dense(1, 1), np.ndarray, "Dense"])
def test_only_classes_of_layers_are_registered(thing, monkeypatch):
    monkeypatch.setattr(kinds.kind, "KINDS", {})
    with pytest.raises(TypeError, match="^register: wanted a class derived from Layer, got"):
        register(thing)
