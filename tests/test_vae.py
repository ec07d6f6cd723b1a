"""The layer of a variational auto-encoder that an example builds by hand."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vae import Sample

from minicnn import Sequential, backends, gradcheck
from tests.strategies import normal, seeds

every_backend = pytest.mark.parametrize("backend", backends.available())
few_examples = settings(max_examples=settings.default.max_examples // 5)


@every_backend
@pytest.mark.parametrize("training", [False, True])
@few_examples
@given(st.integers(1, 5), st.integers(1, 4), seeds)
def test_the_gradient_goes_through_the_drawing_of_a_code(backend, training, n, latents, seed):
    layer = Sample(latents, kl=0.0).to(backend)
    gradcheck.check(layer, normal((n, 2 * latents), seed), training=training)


@every_backend
@few_examples
@given(seeds)
def test_a_code_adds_the_gradient_of_what_it_costs(backend, seed):
    def price(x):
        mean, log_variance = np.split(x, 2, axis=1)
        return (mean**2 + np.exp(log_variance) - log_variance - 1).sum() / 2 / len(x)

    x, layer = normal((4, 6), seed), Sample(3).to(backend)
    layer.forward(x, training=True)
    slope, direction = layer.backward(np.zeros((4, 3))), normal((4, 6), seed + 1)
    step = 1e-5 * direction
    found = (price(x + step) - price(x - step)) / 2e-5
    np.testing.assert_allclose((slope * direction).sum(), found, rtol=1e-6, atol=1e-8)


@every_backend
@given(seeds)
def test_codes_are_drawn_anew_each_time_and_alike_from_one_seed(backend, seed):
    network, x = Sequential(Sample(3), seed=seed).to(backend), normal((4, 6), seed)
    first, second = network.forward(x, training=True), network.forward(x, training=True)
    assert (first != second).all()
    network.reseed(seed)
    np.testing.assert_array_equal(network.forward(x, training=True), first)
    np.testing.assert_array_equal(network.forward(x), x[:, :3])


def test_codes_have_the_mean_and_the_spread_that_the_encoder_says():
    x = np.repeat([[3.0, np.log(0.25)]], 10_000, axis=0)
    z = Sample(1).forward(x, training=True)
    assert abs(z.mean() - 3) < 5 * 0.5 / 100
    assert abs(z.std() - 0.5) < 5 * 0.5 / 2**0.5 / 100


def test_a_batch_that_is_no_mean_and_variance_is_refused_by_name():
    with pytest.raises(ValueError, match=r"Sample\(latents=3\): wanted shape \(N, 6\), got \(N, 5"):
        Sample(3).forward(np.zeros((2, 5)))
