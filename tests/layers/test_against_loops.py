"""Layers against their formulas, one number at a time."""

import numpy as np
from grading import oracles
from hypothesis import given
from hypothesis import strategies as st

from minicnn import layers as nn
from tests.strategies import (
    batch_norm,
    batch_sizes,
    conv2d,
    conv_transpose2d,
    images,
    normal,
    pooling,
    seeds,
)


def value(parameter):
    return None if parameter is None else parameter.value


@given(conv2d(), batch_sizes, seeds)
def test_convolution_is_the_sum_over_channels_and_taps(case, n, seed):
    layer, shape = case
    layer.astype("float64")
    x = normal((n, *shape), seed)
    wanted = oracles.conv2d(
        x, layer.weight.value, value(layer.bias), layer.stride, layer.padding,
        layer.dilation, layer.groups, layer.output_shape(shape)[1:],
    )  # fmt: skip
    np.testing.assert_allclose(layer.forward(x), wanted, rtol=1e-10, atol=1e-12)


@given(conv_transpose2d(), batch_sizes, seeds)
def test_transposed_convolution_paints_a_kernel_per_pixel(case, n, seed):
    layer, shape = case
    layer.astype("float64")
    x = normal((n, *shape), seed)
    wanted = oracles.conv_transpose2d(
        x, layer.weight.value, value(layer.bias), layer.stride, layer.padding,
        layer.dilation, layer.groups, layer.output_shape(shape)[1:],
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


@given(pooling(nn.AvgPool2D), batch_sizes, seeds)
def test_average_pooling_is_the_mean_of_what_counts_in_each_window(case, n, seed):
    layer, shape = case
    x = normal((n, *shape), seed)
    wanted = oracles.avg_pool(
        x, layer.kernel_size, layer.stride, layer.padding, layer.output_shape(shape)[1:],
        layer.count_include_pad,
    )  # fmt: skip
    np.testing.assert_allclose(layer.forward(x), wanted, rtol=1e-10, atol=1e-12)


@given(images(2), batch_sizes, seeds)
def test_global_average_pooling_is_the_mean_of_a_channel(shape, n, seed):
    x = normal((n, *shape), seed)
    y = nn.GlobalAvgPool2D().forward(x)
    np.testing.assert_allclose(y, x.mean(axis=(2, 3)), rtol=1e-10, atol=1e-12)


@given(batch_norm(), st.integers(2, 5), seeds)
def test_batch_norm_normalises_each_channel_and_remembers_its_statistics(case, n, seed):
    layer, shape = case
    layer.astype("float64")
    momentum = layer.momentum
    mean, var = layer.running_mean.value.copy(), layer.running_var.value.copy()
    x = normal((n, *shape), seed)
    y, later = layer.forward(x, training=True), layer.forward(x)
    for c in range(shape[0]):
        numbers, gamma, beta = x[:, c], layer.gamma.value[c], layer.beta.value[c]
        here = (numbers - numbers.mean()) / np.sqrt(numbers.var() + layer.eps)
        np.testing.assert_allclose(y[:, c], gamma * here + beta, rtol=1e-8, atol=1e-8)
        mean[c] += momentum * (numbers.mean() - mean[c])
        var[c] += momentum * (numbers.var(ddof=1) - var[c])
        there = (numbers - mean[c]) / np.sqrt(var[c] + layer.eps)
        np.testing.assert_allclose(later[:, c], gamma * there + beta, rtol=1e-8, atol=1e-8)
    np.testing.assert_allclose(layer.running_mean.value, mean)
    np.testing.assert_allclose(layer.running_var.value, var)


def test_padding_never_wins_a_maximum_even_among_negative_values():
    x = np.full((1, 1, 3, 3), -7.0)
    assert (nn.MaxPool2D(3, stride=1, padding=1).forward(x) == -7).all()


def test_an_even_same_kernel_has_its_odd_row_below_and_its_odd_column_right():
    layer = nn.Conv2D(1, 1, 2, padding="same", bias=False)
    layer.weight.value = np.array([[[[1, 10], [100, 1000]]]])
    x = np.array([[[[1, 2], [3, 4]]]], "float32")
    wanted = [[1 + 20 + 300 + 4000, 2 + 400], [3 + 40, 4]]
    np.testing.assert_array_equal(layer.forward(x)[0, 0], wanted)


def test_a_same_kernel_of_few_taps_far_apart_keeps_the_size():
    layer = nn.Conv2D(1, 1, (2, 3), padding="same", bias=False, dilation=(3, 2))
    layer.weight.value = np.array([[[[1, 0, 0], [0, 0, 10]]]])
    x = np.zeros((1, 1, 5, 6), "f")
    x[0, 0, 2, 3] = 1
    # Three rows more than the image: one above, two below. Four columns more: two on each side.
    wanted = np.zeros((5, 6))
    wanted[3, 5], wanted[0, 1] = 1, 10
    np.testing.assert_array_equal(layer.forward(x)[0, 0], wanted)


def test_a_filter_sees_the_channels_of_its_own_group_only():
    layer = nn.Conv2D(4, 6, 1, bias=False, groups=2)
    layer.weight.value = np.arange(1, 13).reshape(6, 2, 1, 1)
    x = np.eye(4, dtype="f").reshape(4, 4, 1, 1)  # image c has a one in channel c
    seen = layer.forward(x)[:, :, 0, 0].T  # (filters, channels)
    wanted = [[1, 2, 0, 0], [3, 4, 0, 0], [5, 6, 0, 0], [0, 0, 7, 8], [0, 0, 9, 10], [0, 0, 11, 12]]
    np.testing.assert_array_equal(seen, wanted)


@given(st.integers(1, 4), st.integers(1, 3), batch_sizes, seeds)
def test_a_depthwise_convolution_is_one_convolution_a_channel(channels, multiplier, n, seed):
    layer = nn.Conv2D(channels, channels * multiplier, 3, padding=1, groups=channels)
    layer.astype("float64")
    x = normal((n, channels, 5, 4), seed)
    y = layer.forward(x)
    for c in range(channels):
        own = slice(c * multiplier, (c + 1) * multiplier)
        alone = nn.Conv2D(1, multiplier, 3, padding=1).astype("float64")
        alone.weight.value, alone.bias.value = layer.weight.value[own], layer.bias.value[own]
        wanted = alone.forward(x[:, c : c + 1])
        np.testing.assert_allclose(y[:, own], wanted, rtol=1e-10, atol=1e-12)


def test_a_ragged_edge_gets_a_window_of_its_own_with_ceil_mode():
    sizes = [25]
    while sizes[-1] > 2:
        pool = nn.MaxPool2D(2, ceil_mode=True)
        sizes.append(pool.output_shape((1, sizes[-1], sizes[-1]))[1])
    assert sizes == [25, 13, 7, 4, 2]
