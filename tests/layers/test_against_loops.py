"""Convolutions and pooling against the formula, one number at a time."""

import numpy as np
from hypothesis import given

from minicnn import layers as nn
from tests import oracles
from tests.strategies import batch_sizes, conv2d, conv_transpose2d, normal, pooling, seeds


def value(parameter):
    return None if parameter is None else parameter.value


@given(conv2d(), batch_sizes, seeds)
def test_convolution_is_the_sum_over_channels_and_taps(case, n, seed):
    layer, shape = case
    layer.astype("float64")
    x = normal((n, *shape), seed)
    wanted = oracles.conv2d(
        x, layer.weight.value, value(layer.bias), layer.stride, layer.padding,
        layer.output_shape(shape)[1:],
    )  # fmt: skip
    np.testing.assert_allclose(layer.forward(x), wanted, rtol=1e-10, atol=1e-12)


@given(conv_transpose2d(), batch_sizes, seeds)
def test_transposed_convolution_paints_a_kernel_per_pixel(case, n, seed):
    layer, shape = case
    layer.astype("float64")
    x = normal((n, *shape), seed)
    wanted = oracles.conv_transpose2d(
        x, layer.weight.value, value(layer.bias), layer.stride, layer.padding,
        layer.output_shape(shape)[1:],
    )  # fmt: skip
    np.testing.assert_allclose(layer.forward(x), wanted, rtol=1e-10, atol=1e-12)


@given(pooling(nn.MaxPool2D), batch_sizes, seeds)
def test_max_pooling_sends_a_tie_to_the_first_maximum(case, n, seed):
    layer, shape = case
    x = np.random.default_rng(seed).integers(0, 3, (n, *shape)).astype(float) - 5
    y = layer.forward(x)
    wanted, dx = oracles.max_pool(
        x, layer.kernel_size, layer.stride, layer.padding, layer.output_shape(shape)[1:]
    )
    np.testing.assert_array_equal(y, wanted)
    np.testing.assert_array_equal(layer.backward(np.ones(y.shape)), dx)


def test_padding_never_wins_a_maximum_even_among_negative_values():
    x = np.full((1, 1, 3, 3), -7.0)
    assert (nn.MaxPool2D(3, stride=1, padding=1).forward(x) == -7).all()


def test_an_even_same_kernel_has_its_odd_row_below_and_its_odd_column_right():
    layer = nn.Conv2D(1, 1, 2, padding="same", bias=False)
    layer.weight.value = np.array([[[[1, 10], [100, 1000]]]])
    x = np.array([[[[1, 2], [3, 4]]]], "float32")
    wanted = [[1 + 20 + 300 + 4000, 2 + 400], [3 + 40, 4]]
    np.testing.assert_array_equal(layer.forward(x)[0, 0], wanted)


def test_a_ragged_edge_gets_a_window_of_its_own_with_ceil_mode():
    sizes = [25]
    while sizes[-1] > 2:
        pool = nn.MaxPool2D(2, ceil_mode=True)
        sizes.append(pool.output_shape((1, sizes[-1], sizes[-1]))[1])
    assert sizes == [25, 13, 7, 4, 2]
