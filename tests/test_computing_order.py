"""ReLU after the pooling instead of before: nothing but the time may show it."""

import numpy as np
import pytest
from hypothesis import given

from minicnn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential, Tanh, backends
from tests.strategies import batch_sizes, pooling, seeds

every_backend = pytest.mark.parametrize("backend", backends.available())


@every_backend
@given(pooling(MaxPool2D), batch_sizes, seeds)
def test_outputs_and_gradients_are_those_of_layer_after_layer_to_the_bit(backend, case, n, seed):
    pool, shape = case
    network = Sequential(ReLU(), pool).to(backend)
    assert network.order == [1, 0]
    rng = np.random.default_rng(seed)
    # Few values, so that there are ties, windows without a positive number, and NaN.
    x = rng.choice([-1.5, -0.0, 0.0, 0.5, 2.0, np.nan], (n, *shape)).astype("f")
    y = network.forward(x)
    dy = rng.standard_normal(y.shape).astype("f")
    dx = network.backward(dy)
    first, second = network
    assert second.forward(first.forward(x)).tobytes() == y.tobytes()
    assert np.array_equal(first.backward(second.backward(dy)), dx)


def test_only_a_relu_just_before_a_maximum_changes_its_place(monkeypatch):
    def order(*layers):
        return Sequential(*layers).order

    assert order(Conv2D(1, 1, 1), ReLU(), MaxPool2D(2), Flatten()) == [0, 2, 1, 3]
    assert order(Tanh(), MaxPool2D(2), ReLU(), Dense(1, 1), ReLU()) == [0, 1, 2, 3, 4]
    assert order(ReLU(), ReLU(), MaxPool2D(2), MaxPool2D(2)) == [0, 2, 1, 3]
    monkeypatch.setenv("MINICNN_FUSE", "0")
    assert order(ReLU(), MaxPool2D(2)) == [0, 1]
    monkeypatch.setenv("MINICNN_FUSE", "no")
    with pytest.raises(ValueError, match="MINICNN_FUSE must be 0 or 1, got 'no'"):
        Sequential()


def test_the_summary_says_so():
    lines = Sequential(ReLU(), MaxPool2D(2)).summary((1, 4, 4)).splitlines()
    assert "after the pooling" in lines[2] and "after" not in lines[3]
