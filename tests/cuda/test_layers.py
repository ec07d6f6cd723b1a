"""Every layer on the cuda backend against numpy. Shapes are small, for the simulator's sake, and
no multiple of a tile."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from minicnn import gradcheck
from minicnn import layers as nn
from minicnn.network import Parallel, Residual, Sequential
from tests.strategies import ACTIVATIONS, normal, seeds

TOLERANCE = {"float32": 1e-4, "float64": 1e-10}
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])

# (layer, shape of a sample): those with products, which a simulator is slow at, one by one
PRODUCTS = [
    (nn.Conv2D(1, 1, 1), (1, 1, 1)),
    (nn.Conv2D(2, 3, 3, padding=1), (2, 3, 4)),
    (nn.Conv2D(1, 7, (2, 3), stride=(2, 1), bias=False), (1, 4, 4)),
    (nn.Conv2D(3, 2, 4, padding="same"), (3, 2, 3)),
    (nn.ConvTranspose2D(2, 3, 3, stride=2, padding=1, output_padding=1), (2, 2, 2)),
    (nn.Conv2D(2, 2, (3, 2), stride=(1, 2), padding=1, dilation=2), (2, 4, 4)),
    (nn.Conv2D(3, 6, 3, padding=1, groups=3), (3, 2, 3)),
    (nn.Conv2D(4, 2, 2, stride=2, padding=1, bias=False, dilation=(2, 1), groups=2), (4, 3, 3)),
    (nn.Conv2D(2, 6, 2, groups=2), (2, 3, 2)),
    (nn.Conv2D(6, 8, (1, 2), stride=2, dilation=(1, 2), groups=2), (6, 2, 4)),
    (nn.ConvTranspose2D(4, 6, (2, 1), stride=2, padding=(1, 0), groups=2), (4, 2, 1)),
    (nn.ConvTranspose2D(2, 2, 2, dilation=2, groups=2), (2, 2, 1)),
    (nn.Dense(9, 7), (9,)),
    (Residual(nn.Conv2D(2, 2, 1), nn.Dropout(0.3)), (2, 2, 3)),
    (Parallel(nn.Conv2D(2, 1, 1), Sequential(), Residual(nn.ReLU())), (2, 3, 1)),
    (nn.Dense(3, 1, bias=False), (3,)),
]
OTHERS = [
    (nn.MaxPool2D(2), (2, 4, 5)),
    (nn.MaxPool2D(3, stride=2, padding=1, ceil_mode=True), (1, 5, 4)),
    (nn.MaxPool2D((1, 2), stride=1), (1, 2, 3)),
    (Sequential(nn.ReLU(), nn.MaxPool2D(2)), (2, 4, 5)),
    (nn.AvgPool2D(3, stride=2, padding=1, count_include_pad=False), (2, 5, 4)),
    (nn.AvgPool2D(2, ceil_mode=True), (1, 3, 3)),
    (nn.GlobalAvgPool2D(), (2, 3, 2)),
    *((kind(), (2, 3, 1)) for kind in ACTIVATIONS.values()),
    (nn.LeakyReLU(0.2), (5,)),
    (nn.BatchNorm(3), (3,)),
    (nn.BatchNorm(2), (2, 3, 3)),
    (nn.GroupNorm(1, 3), (3,)),
    (nn.GroupNorm(2, 4), (4, 2, 3)),
    (nn.Standardize((0.5, -1.0), 2.0), (2, 3, 2)),
    (nn.Standardize(0.5, 2.0), (2, 3, 2)),
    (nn.Dropout(0.4), (2, 3, 3)),
    (nn.Flatten(), (2, 2, 1)),
    (nn.Reshape((1, 2, 2)), (4,)),
]


def forward_and_backward(layer, x, seed, training):
    """y, dx, the gradients and what the layer holds afterwards."""
    y = layer.forward(x, training)
    dx = layer.backward(normal(y.shape, seed, y.dtype))
    grads = [p.grad for p in layer.parameters()]
    return [y, dx, *grads, *(p.value for p in layer.state().values())]


def check_against_the_reference(layer, shape, n, dtype, seed, training):
    x = normal((n, *shape), seed, dtype)
    exact = copy.deepcopy(layer).astype("float64")
    wanted = forward_and_backward(exact, x.astype("float64"), seed, training)
    found = forward_and_backward(
        copy.deepcopy(layer).astype(dtype).to("cuda"), x, seed, training
    )
    for got, right in zip(found, wanted, strict=True):
        assert got.shape == right.shape
        scale = 1 + np.abs(right).max()
        np.testing.assert_allclose(got, right, rtol=0, atol=TOLERANCE[dtype] * scale)


@pytest.mark.simulated
@every_dtype
@pytest.mark.parametrize("n", [1, 3])
@pytest.mark.parametrize("layer, shape", PRODUCTS, ids=str)
def test_a_layer_with_products_agrees_with_the_reference(layer, shape, n, dtype):
    check_against_the_reference(layer, shape, n, dtype, 0, True)


@every_dtype
@pytest.mark.parametrize("layer, shape", OTHERS, ids=str)
@settings(max_examples=settings.default.max_examples // 8)
@given(st.integers(2, 6), seeds, st.booleans())
def test_every_other_layer_agrees_with_the_reference(layer, shape, dtype, n, seed, training):
    check_against_the_reference(layer, shape, n, dtype, seed, training)


SMALL = [
    pytest.param(nn.Conv2D(1, 2, (1, 2)), (1, 1, 3), marks=pytest.mark.simulated),
    pytest.param(nn.Dense(2, 3), (2,), marks=pytest.mark.simulated),
    (nn.BatchNorm(2), (2, 2, 1)),
    (nn.GroupNorm(1, 2), (2, 2, 1)),
    *OTHERS[:6],
]


@pytest.mark.parametrize("layer, shape", SMALL, ids=str)
def test_the_gradients_are_the_slopes_of_forward(layer, shape):
    x = normal((2, *shape), 3, "float64")
    layer = copy.deepcopy(layer).astype("float64").to("cuda")
    gradcheck.check(layer, x, training=True, seed=1)


REPEATED = [pytest.param(*PRODUCTS[1], marks=pytest.mark.simulated), OTHERS[0], *OTHERS[11:13]]


@pytest.mark.parametrize("layer, shape", REPEATED, ids=str)
def test_the_same_step_twice_gives_the_same_bytes(layer, shape):
    x = normal((3, *shape), 5, "float32")
    runs = [
        forward_and_backward(copy.deepcopy(layer).to("cuda"), x, 7, True) for _ in range(2)
    ]
    assert [a.tobytes() for a in runs[0]] == [a.tobytes() for a in runs[1]]


@pytest.mark.parametrize("layer", [nn.ReLU(), nn.MaxPool2D(2), nn.Sigmoid()], ids=str)
def test_a_nan_reaches_the_output(layer):
    x = np.zeros((2, 1, 2, 2), "f")
    x[1, 0, 0, 1] = np.nan
    y = copy.deepcopy(layer).to("cuda").forward(x)
    assert not np.isnan(y[0]).any()
    assert np.isnan(y[1]).any()


def test_a_sample_alone_gives_the_same_bytes_as_in_a_batch():
    layer = nn.GroupNorm(2, 4).to("cuda")
    x, dy = normal((5, 4, 3, 2), 0, "float32"), normal((5, 4, 3, 2), 1, "float32")
    results = []
    for part in (slice(None), slice(3, 4)):
        results.append([layer.forward(x[part]), layer.backward(dy[part])])
    for together, alone in zip(*results):
        assert together[3].tobytes() == alone.tobytes()
