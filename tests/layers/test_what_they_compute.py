"""What can be said of a layer's numbers without an oracle."""

import numpy as np
import pytest
from hypothesis import given

from minicnn import backends, initializers
from minicnn import layers as nn
from tests.strategies import conv_transpose2d


@pytest.mark.parametrize(
    "layer", [nn.Conv2D(7, 90, (3, 2)), nn.ConvTranspose2D(90, 7, (3, 2)), nn.Dense(42, 300)]
)
def test_weights_and_biases_begin_within_one_over_the_root_of_what_an_output_sums(layer):
    layer.initialize(np.random.default_rng(0))
    assert 0.98 < np.abs(layer.weight.value).max() * np.sqrt(42) <= 1
    assert 0.7 < np.abs(layer.bias.value).max() * np.sqrt(42) <= 1
    assert layer.bias.value.min() < 0 < layer.bias.value.max()


@pytest.mark.parametrize("backend", backends.available())
def test_of_several_nans_in_a_window_the_first_gets_the_gradient(backend):
    layer = nn.MaxPool2D(2).to(backend)
    assert np.isnan(layer.forward(np.array([[[[1, np.nan], [np.nan, 2]]]], "f"))).all()
    assert layer.backward(np.ones((1, 1, 1, 1), "f")).tolist() == [[[[0, 1], [0, 0]]]]


@pytest.mark.parametrize("backend", backends.available())
def test_of_a_window_of_nothing_but_minus_infinity_the_first_gets_the_gradient(backend):
    layer = nn.MaxPool2D(2).to(backend)
    layer.forward(np.full((1, 1, 2, 2), -np.inf, "f"))
    assert layer.backward(np.ones((1, 1, 1, 1), "f")).tolist() == [[[[1, 0], [0, 0]]]]


@pytest.mark.parametrize("backend", backends.available())
def test_masks_start_again_with_their_seed(backend):
    layer, x = nn.Dropout().to(backend), np.ones((4, 100), "f")
    drawn = []
    for _ in range(2):
        layer.reseed((3, 1))
        drawn += [layer.forward(x, training=True).tobytes() for _ in range(2)]
    assert drawn[:2] == drawn[2:] and drawn[0] != drawn[1]


@pytest.mark.parametrize("backend", backends.available())
@pytest.mark.parametrize("layer", [nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.Softplus(), nn.ELU()])
def test_far_from_zero_a_slope_is_that_of_a_relu(layer, backend):
    layer.to(backend).forward(np.array([[1e30, -1e30]], "f"))
    assert layer.backward(np.ones((1, 2), "f")).tolist() == [[1, 0]]


@pytest.mark.parametrize("backend", backends.available())
def test_what_is_tiny_keeps_its_digits(backend):
    x = np.array([[-1e-12, -1e-9]])
    np.testing.assert_allclose(nn.ELU().to(backend).forward(x), x, rtol=1e-6)
    far = np.array([[-40.0, -60.0]])
    np.testing.assert_allclose(nn.Softplus().to(backend).forward(far), np.exp(far), rtol=1e-6)


@given(conv_transpose2d())
def test_every_pixel_of_a_transposed_convolution_meets_every_weight_of_its_channel(case):
    layer, (channels, height, width) = case
    assert layer.multiply_adds((channels, height, width)) == (
        layer.weight.value.size * height * width
    )


def test_an_initializer_of_choice_draws_the_weights():
    layer = nn.Conv2D(16, 32, 3, initializer=initializers.he_normal)
    assert layer.weight.value.std() == pytest.approx(np.sqrt(2 / 144), rel=0.1)


@pytest.mark.parametrize("backend", backends.available())
def test_a_channel_with_a_nan_in_it_leaves_its_running_statistics_alone(backend):
    layer, x = nn.BatchNorm(2).to(backend), np.random.default_rng(0).random((5, 2), np.float32)
    x[3, 0] = np.nan
    assert np.isnan(layer.forward(x, training=True)[:, 0]).all()
    (still_zero, mean), (still_one, var) = layer.running_mean.value, layer.running_var.value
    assert (still_zero, still_one) == (0, 1)
    assert mean == pytest.approx(0.1 * x[:, 1].mean())
    assert var == pytest.approx(0.9 + 0.1 * x[:, 1].var(ddof=1))


def test_large_values_pass_the_saturating_activations_without_a_warning():
    x = np.array([[-800.0, 800.0]])
    assert nn.Sigmoid().forward(x).tolist() == [[0, 1]]
    assert nn.Tanh().forward(x).tolist() == [[-1, 1]]


def test_dropout_keeps_the_expectation_and_does_nothing_outside_of_training():
    layer, x = nn.Dropout(0.3, seed=1), np.ones((200, 500), "f")
    y = layer.forward(x, training=True)
    assert set(np.unique(y)) == {0, np.float32(1 / 0.7)}
    assert y.mean() == pytest.approx(1, abs=0.01)
    assert np.array_equal(layer.forward(x), x)


def test_dropout_draws_another_mask_every_step_and_the_same_from_the_same_seed():
    x = np.ones((4, 50), "f")
    layer, twin = nn.Dropout(0.5, seed=3), nn.Dropout(0.5, seed=3)
    first, second = layer.forward(x, True), layer.forward(x, True)
    assert not np.array_equal(first, second)
    assert np.array_equal(twin.forward(x, True), first)
    assert np.array_equal(twin.forward(x, True), second)
    assert not np.array_equal(nn.Dropout(0.5, seed=4).forward(x, True), first)


def test_a_fresh_group_norm_neither_scales_nor_shifts():
    layer = nn.GroupNorm(1, 2)
    for parameter in layer.parameters():
        parameter.value = np.full(2, 7.0)
    layer.initialize(np.random.default_rng(0))
    found = {name: parameter.value.tolist() for name, parameter in layer.state().items()}
    assert found == {"gamma": [1, 1], "beta": [0, 0]}


def test_a_fresh_batch_norm_neither_scales_nor_shifts():
    layer = nn.BatchNorm(2)
    for parameter in layer.state().values():
        parameter.value = np.full(2, 7.0)
    layer.initialize(np.random.default_rng(0))
    found = {name: parameter.value.tolist() for name, parameter in layer.state().items()}
    assert found == {
        "gamma": [1, 1], "beta": [0, 0], "running_mean": [0, 0], "running_var": [1, 1]
    }  # fmt: skip


@pytest.mark.parametrize("layer, slope", [(nn.ReLU(), 0), (nn.LeakyReLU(0.25), 0.25)])
def test_the_slope_at_zero_is_that_to_the_left(layer, slope):
    layer.forward(np.zeros((1, 1)))
    assert layer.backward(np.ones((1, 1))) == slope


@pytest.mark.parametrize("backend", backends.available())
@pytest.mark.parametrize("place", range(4))
def test_a_nan_wins_its_window_wherever_it_stands(backend, place):
    layer, x = nn.MaxPool2D(2).to(backend), np.arange(4.0)
    x[place] = np.nan
    assert np.isnan(layer.forward(x.reshape(1, 1, 2, 2))).all()
    dx = layer.backward(np.full((1, 1, 1, 1), 5.0))
    assert np.flatnonzero(dx).tolist() == [place]
