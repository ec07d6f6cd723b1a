"""Networks to PyTorch and back: the same outputs, gradients and words."""

import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import (
    BatchNorm,
    Dense,
    Flatten,
    ReLU,
    Reshape,
    Sequential,
    Standardize,
    from_torch,
    to_torch,
)
from minicnn.layers.base import Layer
from tests.strategies import LAYERS, batch_sizes, networks, normal, seeds

torch = pytest.importorskip("torch")
# PyTorch says once that an even "same" kernel makes it copy the input.
pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same'")


def same(network, shape, n, seed, dtype):
    network = network.astype(dtype)
    module, x = to_torch(network), normal((n, *shape), seed, dtype)
    wanted = network.forward(x)
    with torch.no_grad():
        found = module(torch.from_numpy(x)).numpy()
    assert found.dtype == wanted.dtype
    tolerance = {"float32": 1e-4, "float64": 1e-10}[dtype]
    np.testing.assert_allclose(found, wanted, rtol=tolerance, atol=tolerance)
    again = from_torch(module)
    assert repr(again) == repr(network)
    np.testing.assert_array_equal(again.forward(x), wanted)


ALIKE = [kind for kind in LAYERS if kind not in ("BatchNorm", "Standardize")]


@pytest.mark.parametrize("kind", ALIKE)
@given(data=st.data(), n=batch_sizes, seed=seeds, dtype=st.sampled_from(["float32", "float64"]))
def test_every_kind_of_layer_is_the_same_there_and_comes_back(kind, data, n, seed, dtype):
    layer, shape = data.draw(LAYERS[kind])
    if kind == "Dropout":
        layer = type(layer)(layer.p)  # PyTorch knows no seed of a layer
    same(Sequential(layer), shape, n, seed, dtype)


@given(LAYERS["BatchNorm"], batch_sizes, seeds)
def test_batch_norm_of_rows_and_of_images_is_told_by_what_is_around_it(drawn, n, seed):
    layer, shape = drawn
    after = [Dense(shape[0], 2)] if len(shape) == 1 else []
    same(Sequential(layer, *after), shape, n, seed, "float32")


@pytest.mark.parametrize("layer", [ReLU(), Dense(4, 3), Sequential(Dense(4, 3))])
def test_a_network_of_one_layer_stays_a_network(layer):
    same(Sequential(Sequential(layer), ReLU()), (4,), 2, 0, "float64")


def test_batch_norm_is_told_from_layers_further_off():
    rows = (Sequential(Dense(4, 3), Sequential(BatchNorm(3), ReLU())), (4,))
    images = (Sequential(BatchNorm(3), Flatten(), Dense(12, 2)), (3, 2, 2))
    drawn = (Sequential(Dense(4, 16), Reshape((1, 4, 4)), BatchNorm(1)), (4,))
    for network, shape in (rows, images, drawn):
        same(network, shape, 3, 0, "float64")


def test_a_subclass_computes_what_it_likes_and_is_refused():
    class Twice(Dense):
        def forward_batch(self, x, training):
            return 2 * super().forward_batch(x, training)

    class Doubled(torch.nn.Linear):
        def forward(self, x):
            return 2 * super().forward(x)

    with pytest.raises(TypeError, match="layer 0.*no counterpart"):
        to_torch(Sequential(Twice(2, 2)))
    with pytest.raises(TypeError, match="module 0.*no counterpart"):
        from_torch(torch.nn.Sequential(Doubled(2, 2)))


@given(networks(), batch_sizes, seeds)
def test_whole_networks_are_the_same_there_and_come_back(drawn, n, seed):
    network, shape = drawn
    nested = Sequential(Sequential(*network.layers[:2]), *network.layers[2:])
    same(nested, shape, n, seed, "float64")


def test_what_is_frozen_stays_so_there_and_back_and_no_numbers_are_shared():
    network = Sequential(Dense(3, 2).freeze(), BatchNorm(2), Dense(2, 1), seed=0)
    module = to_torch(network)
    assert [p.requires_grad for p in module.parameters()] == [False] * 2 + [True] * 4
    again = from_torch(module)
    assert [p.learned for p in again.state().values()] == [
        p.learned for p in network.state().values()
    ]
    before = [p.value.copy() for p in network.state().values()]
    with torch.no_grad():
        for theirs in (*module.parameters(), *module.buffers()):
            theirs += 1
    for kept in (network, again):
        for p, value in zip(kept.state().values(), before):
            np.testing.assert_array_equal(p.value, value)


def test_gradients_can_be_compared_layer_by_layer():
    network = Sequential(Dense(4, 3), BatchNorm(3), ReLU(), Dense(3, 2), seed=0).astype("float64")
    module = to_torch(network).train()
    x, dy = normal((5, 4), 0), normal((5, 2), 1)
    network.forward(x, training=True)
    network.backward(dy)
    module(torch.from_numpy(x)).backward(torch.from_numpy(dy))
    for ours, theirs in zip(network.parameters(), module.parameters()):
        np.testing.assert_allclose(ours.grad, theirs.grad.numpy(), rtol=1e-8, atol=1e-12)


def sharing(layer, nn):
    other = nn.Linear(2, 2)
    other.weight.data = layer.weight.data
    return nn.Sequential(layer, nn.ReLU(), other)


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda t: t.Conv2d(2, 2, 3, padding=1, padding_mode="circular"), ValueError,
         r"module 1.*padding_mode is 'circular'"),
        (lambda t: t.MaxPool2d(2, dilation=2), ValueError, "dilation is .2, 2."),
        (lambda t: t.MaxPool2d(2, return_indices=True), ValueError, "return_indices is True"),
        (lambda t: t.AvgPool2d(2, divisor_override=3), ValueError, "divisor_override is 3"),
        (lambda t: t.BatchNorm2d(2, affine=False), ValueError, "affine is False"),
        (lambda t: t.GroupNorm(2, 2, affine=False), ValueError, "affine is False"),
        (lambda t: t.BatchNorm2d(2, momentum=None), ValueError, "momentum must be a number"),
        (lambda t: t.Flatten(2), ValueError, "start_dim is 2, only 1"),
        (lambda t: t.Hardswish(), TypeError, r"module 1, Hardswish\(.*no counterpart"),
        (lambda t: t.Linear(2, 2).double(), ValueError, "one dtype, got torch.float32, torch.fl"),
        (lambda t: t.Dropout(1.0), ValueError, "p must be at least 0 and less than 1, got 1.0"),
        (lambda t: t.utils.spectral_norm(t.Linear(2, 2)), ValueError, "module 1, Linear.* a hook"),
        (lambda t: sharing(t.Linear(2, 2), t), ValueError, "1.2.weight and 1.0.weight are the"),
    ],
)  # fmt: skip
def test_what_has_no_counterpart_here_is_refused_by_name(make, error, words):
    module = torch.nn.Sequential(torch.nn.Linear(2, 2), make(torch.nn))
    with pytest.raises(error, match=words):
        from_torch(module)


def test_standardized_inputs_have_no_module_there():
    with pytest.raises(TypeError, match=r"layer 0, Standardize\(mean=0.5, std=2.0\), has no count"):
        to_torch(Sequential(Standardize(0.5, 2.0), Dense(2, 2)))


def test_parameters_of_half_precision_are_refused():
    module = torch.nn.Sequential(torch.nn.Linear(2, 2)).bfloat16()
    with pytest.raises(ValueError, match="wanted float32 or float64, got parameters of bfloat16"):
        from_torch(module)


def test_what_is_no_sequential_is_refused():
    with pytest.raises(TypeError, match=r"wanted a torch.nn.Sequential, got Linear"):
        from_torch(torch.nn.Linear(2, 2))


def test_a_layer_of_ones_own_is_refused_by_position():
    class Mine(Layer):
        def output_shape(self, input_shape):
            return input_shape

    with pytest.raises(TypeError, match=r"layer 1, Mine\(\), has no counterpart"):
        to_torch(Sequential(ReLU(), Mine()))


@pytest.mark.parametrize("function", [to_torch, from_torch])
def test_without_pytorch_the_error_says_what_to_install(function, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    with pytest.raises(ImportError, match="need PyTorch: pip install torch"):
        function(Sequential())
