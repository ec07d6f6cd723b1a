"""ReLU and a maximum pooling in one pass: nothing but the time may show it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import (
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    ReLU,
    Residual,
    Sequential,
    Tanh,
    backends,
)
from minicnn.network.fused import Rectified
from tests.strategies import batch_sizes, pooling, seeds

every_backend = pytest.mark.parametrize("backend", backends.available())


@every_backend
@given(pooling(MaxPool2D), batch_sizes, st.booleans(), seeds)
def test_outputs_and_gradients_are_those_of_layer_after_layer_to_the_bit(
    backend, case, n, relu_first, seed
):
    pool, shape = case
    first, second = (ReLU(), pool) if relu_first else (pool, ReLU())
    network = Sequential(first, second).to(backend)
    assert list(map(type, network.computed.values())) == [Rectified]
    rng = np.random.default_rng(seed)
    # Few values, so that there are ties, windows without a positive number, and NaN.
    x = rng.choice([-1.5, -0.0, 0.0, 0.5, 2.0, np.nan], (n, *shape)).astype("f")
    y = network.forward(x)
    dy = rng.standard_normal(y.shape).astype("f")
    dx = network.backward(dy)
    assert bits(second.forward(first.forward(x))) == bits(y)
    assert np.array_equal(first.backward(second.backward(dy)), dx)


def bits(x):
    """With one NaN for all: a GPU's maximum has its own."""
    return np.where(np.isnan(x), np.float32(np.nan), x).tobytes()


@every_backend
def test_a_window_of_as_many_taps_as_a_byte_counts_is_rectified_too(backend):
    x = np.where(np.arange(255 * 2).reshape(1, 2, 15, 17) % 255 == 254, 1, -1).astype("f")
    x[0, 1] = -1
    network = Sequential(ReLU(), MaxPool2D((15, 17))).to(backend)
    assert network.forward(x).ravel().tolist() == [1, 0]
    assert np.array_equal(network.backward(np.ones((1, 2, 1, 1), "f")), x > 0)


def test_only_a_relu_just_beside_a_maximum_is_left_out(monkeypatch):
    def computed(*layers):
        return list(Sequential(*layers).computed)

    assert computed(Conv2D(1, 1, 1), ReLU(), MaxPool2D(2), Flatten()) == [0, 2, 3]
    assert computed(Tanh(), MaxPool2D(2), ReLU(), Dense(1, 1), ReLU()) == [0, 1, 3, 4]
    assert computed(ReLU(), ReLU(), MaxPool2D(2), MaxPool2D(2), ReLU()) == [0, 2, 3]
    assert computed(ReLU(), MaxPool2D(2), ReLU(), MaxPool2D(2)) == [1, 3]
    assert computed(MaxPool2D(2), ReLU(), MaxPool2D(2)) == [0, 2]
    assert computed(ReLU(), MaxPool2D(2), ReLU()) == [1, 2]
    assert computed(MaxPool2D(2), Tanh(), ReLU()) == [0, 1, 2]
    monkeypatch.setenv("MINICNN_FUSE", "0")
    assert computed(ReLU(), MaxPool2D(2)) == [0, 1]
    monkeypatch.setenv("MINICNN_FUSE", "no")
    with pytest.raises(ValueError, match="MINICNN_FUSE must be 0 or 1, got 'no'"):
        Sequential()


def test_the_summary_says_so():
    lines = Sequential(ReLU(), MaxPool2D(2)).summary((1, 4, 4)).splitlines()
    assert "in the pooling" in lines[2] and "pooling" not in lines[3]
    assert "pooling" not in Sequential(Residual(Tanh(), shortcut=Tanh())).summary((1, 4, 4))
