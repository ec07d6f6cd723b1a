"""Group normalisation: what a sample becomes depends on that sample alone."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import backends
from minicnn import layers as nn
from tests.strategies import batch_sizes, group_norm, normal, seeds

every_backend = pytest.mark.parametrize("backend", backends.available())
# Fewer images than lanes, as many, and more than a block of them.
counts = batch_sizes | st.sampled_from([16, 17, 33])


@every_backend
@given(group_norm(), batch_sizes, seeds)
def test_each_group_of_each_sample_is_normalised_by_its_own_mean_and_variance(
    backend, drawn, n, seed
):
    layer, shape = drawn
    layer.astype("float64").to(backend)
    x = normal((n, *shape), seed)
    y, size = layer.forward(x), layer.num_channels // layer.num_groups
    for image, found in zip(x, y):
        for c in range(layer.num_channels):
            first = c // size * size
            group = image[first : first + size]
            x_hat = (image[c] - group.mean()) / np.sqrt(group.var() + layer.eps)
            wanted = layer.gamma.value[c] * x_hat + layer.beta.value[c]
            np.testing.assert_allclose(found[c], wanted, rtol=1e-8, atol=1e-8)


@every_backend
@given(group_norm(), batch_sizes, seeds, st.floats(-100, 100), st.floats(0.1, 100))
def test_each_group_leaves_with_mean_0_and_variance_1_wherever_it_came_from(
    backend, drawn, n, seed, mean, deviation
):
    drawn, shape = drawn
    layer = nn.GroupNorm(drawn.num_groups, drawn.num_channels, eps=1e-20)
    layer.astype("float64").to(backend)
    y = layer.forward(mean + deviation * normal((n, *shape), seed))
    groups = y.reshape(n, layer.num_groups, -1)
    np.testing.assert_allclose(groups.mean(axis=2), 0, atol=1e-6)
    np.testing.assert_allclose(groups.var(axis=2), 1, atol=1e-6)


@every_backend
@given(group_norm(), counts, seeds, st.data())
def test_a_sample_alone_gives_the_same_bytes_as_in_a_batch(backend, drawn, n, seed, data):
    layer, shape = drawn
    layer.to(backend)
    x, dy = normal((n, *shape), seed, "float32"), normal((n, *shape), seed + 1, "float32")
    k = data.draw(st.integers(0, n - 1))
    results = []
    for part in (slice(None), slice(k, k + 1)):
        y = layer.forward(x[part], training=True)
        results.append([y, layer.backward(dy[part])])
    for together, alone in zip(*results):
        assert together[k].tobytes() == alone.tobytes()


@every_backend
@given(group_norm(), seeds)
def test_training_and_inference_are_the_same(backend, drawn, seed):
    layer, shape = drawn
    layer.to(backend)
    x = normal((3, *shape), seed, "float32")
    assert layer.forward(x, training=True).tobytes() == layer.forward(x).tobytes()


@every_backend
@given(group_norm(), counts, seeds)
def test_the_parameters_gradients_are_the_sums_over_the_samples(backend, drawn, n, seed):
    layer, shape = drawn
    layer.astype("float64").to(backend)
    x, dy = normal((n, *shape), seed), normal((n, *shape), seed + 1)
    gradients = []
    for part in (slice(None), *(slice(k, k + 1) for k in range(n))):
        layer.forward(x[part])
        layer.backward(dy[part])
        gradients.append(np.array([p.grad for p in layer.parameters()]))
    np.testing.assert_allclose(gradients[0], sum(gradients[1:]), rtol=1e-9, atol=1e-9)


@every_backend
def test_of_two_values_the_smaller_becomes_minus_1_and_no_gradient_comes_through(backend):
    layer = nn.GroupNorm(2, 4, eps=1e-12).astype("float64").to(backend)
    y = layer.forward(np.array([[3.0, 1.0, -2.0, 5.0]]))
    np.testing.assert_allclose(y, [[1, -1, -1, 1]])
    np.testing.assert_allclose(layer.backward(np.array([[1.0, 4.0, 2.0, 0.5]])), 0, atol=1e-9)


@every_backend
def test_a_group_that_is_constant_becomes_beta(backend):
    layer = nn.GroupNorm(1, 2).to(backend)
    layer.beta.value = np.array([3, 4])
    y = layer.forward(np.full((2, 2, 3, 3), 7, "float32"))
    np.testing.assert_array_equal(y, np.broadcast_to([[[[3]], [[4]]]], y.shape))


@every_backend
def test_a_nan_stays_in_its_sample_and_group(backend):
    layer, x = nn.GroupNorm(2, 4).to(backend), normal((3, 4, 2, 2), 0, "float32")
    x[1, 0, 0, 0] = np.nan
    lost = np.isnan(layer.forward(x)).all(axis=(2, 3))
    assert lost.tolist() == [[False] * 4, [True, True, False, False], [False] * 4]
