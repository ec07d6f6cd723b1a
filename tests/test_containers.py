"""What holds layers: which, each once, and all of them together."""

import pickle

import numpy as np
import pytest

from minicnn import (
    SGD,
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    MeanSquaredError,
    ReLU,
    Residual,
    Sequential,
    evaluate,
    fit,
)
from tests.strategies import normal
from tests.test_network import small


def test_a_layer_stands_in_a_network_once_only():
    layer = ReLU()
    with pytest.raises(ValueError, match="twice"):
        Sequential(layer, layer)


def test_networks_nest():
    inner = Sequential(Conv2D(1, 4, 3, padding=1), ReLU(), MaxPool2D(2))
    network = Sequential(inner, Flatten(), Dense(36, 5), seed=0)
    flat = small()
    x = normal((2, 1, 6, 6), 0, "float32")
    assert np.array_equal(network.forward(x), flat.forward(x))
    assert list(network.state()) == ["0.0.weight", "0.0.bias", "2.weight", "2.bias"]


def test_a_layer_or_a_parameter_that_stands_in_a_network_twice_is_refused():
    layer, tied = Dense(2, 2), Dense(2, 2)
    with pytest.raises(ValueError, match="a layer stands in it twice"):
        Sequential(layer, Sequential(layer))
    tied.weight = layer.weight
    with pytest.raises(ValueError, match="a parameter stands in it twice"):
        Sequential(layer, tied)
    with pytest.raises(AttributeError):
        Sequential(layer).layers.append(tied)


def test_a_network_can_be_pickled_within_a_program():
    network = small()
    x = normal((2, 1, 6, 6), 0, "float32")
    assert np.array_equal(pickle.loads(pickle.dumps(network)).forward(x), network.forward(x))


def test_an_empty_network_passes_everything_on():
    x = normal((2, 3), 0, "float32")
    network = Sequential()
    assert np.array_equal(network.forward(x), x)
    assert np.array_equal(network.backward(x), x)


@pytest.mark.parametrize("name", ["layers", "shortcut"])
def test_its_layers_stay_those_that_it_was_made_of(name):
    block = Residual(Dense(2, 2), shortcut=Dense(2, 2))
    with pytest.raises(AttributeError, match=f"Residual: {name} is fixed"):
        setattr(block, name, getattr(block, name))


def test_a_layer_that_went_to_another_backend_alone_is_named():
    network = Sequential(Dense(2, 2), Sequential(Dense(2, 1)), seed=0)
    x = np.ones((3, 2), np.float32)
    network[1].to("numba")
    message = r"Sequential of 1 layer is on 'numba', but Sequential of 2 layers, .* on 'numpy'"
    for use in (
        lambda: network.predict(x),
        lambda: network.forward(x),
        lambda: evaluate(network, MeanSquaredError(), (x, x[:, :1])),
        lambda: fit(network, MeanSquaredError(), SGD(0.1), (x, x[:, :1]), progress=False),
    ):
        with pytest.raises(ValueError, match=message):
            use()
    assert network.to("numpy").predict(x).shape == (3, 1)
