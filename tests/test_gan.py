"""Two networks against each other, as an example trains them by hand."""

import numpy as np
import pytest
from gan import Pair, distance
from hypothesis import given
from hypothesis import strategies as st

from minicnn import Dense, Flatten, Sequential, SigmoidCrossEntropy, backends, gradcheck
from tests.strategies import normal, seeds

PIXELS = Sequential(Flatten(), Dense(4, 2))  # a classifier whose features are the pixels


@pytest.mark.parametrize("backend", backends.available())
def test_the_generator_learns_from_the_discriminators_input_gradient_alone(backend):
    pair = Pair((1e-2, 0.0), 0, backend)
    before = [p.value.copy() for p in pair.judge.parameters()]
    losses = [pair.generate(16) for _ in range(12)]
    assert losses[-1] < losses[0]
    assert all(np.array_equal(a, p.value) for a, p in zip(before, pair.judge.parameters()))


@pytest.mark.parametrize("backend", backends.available())
def test_a_step_of_the_discriminator_moves_it_alone_and_towards_the_truth(backend):
    pair, real = Pair((0.0, 1e-3), 0, backend), normal((16, 1, 28, 28), 0, "float32")
    before = [p.value.copy() for p in pair.draw.parameters()]
    losses = [pair.discriminate(real) for _ in range(12)]
    assert losses[-1] < losses[0]
    assert all(np.array_equal(a, p.value) for a, p in zip(before, pair.draw.parameters()))


def test_the_generators_gradient_is_the_slope_through_both_networks():
    pair = Pair((0.0, 0.0), 0, "numpy")
    both = Sequential(pair.draw, pair.judge).astype("float64")
    z = Pair((0.0, 0.0), 0, "numpy").codes(4)
    gradcheck.check(both, z, training=True, directions=3)
    pair.generate(4)
    handed_over = [p.grad.copy() for p in pair.draw.parameters()]
    loss = SigmoidCrossEntropy()
    loss.forward(both.forward(z, training=True), np.ones(4, np.int64))
    both.backward(loss.backward())
    for as_one, in_two in zip(pair.draw.parameters(), handed_over):
        np.testing.assert_allclose(in_two, as_one.grad, rtol=1e-10, atol=1e-14)


@given(st.floats(-3, 3), st.floats(0.1, 3), seeds)
def test_the_distance_of_shifted_and_stretched_images_is_what_the_formula_says(shift, s, seed):
    images = normal((40, 1, 2, 2), seed)
    rows = images.reshape(40, 4)
    moved = ((rows.mean(axis=0) * (s - 1) + shift) ** 2).sum()
    spread = rows.var(axis=0, ddof=1).sum() * (s - 1) ** 2
    found = distance(PIXELS, images, s * images + shift)
    assert found == pytest.approx(moved + spread, rel=1e-4, abs=1e-4)


def test_the_distance_is_the_same_both_ways():
    a, b = normal((40, 1, 2, 2), 0), normal((60, 1, 2, 2), 1) ** 3
    assert distance(PIXELS, a, b) == pytest.approx(distance(PIXELS, b, a), rel=1e-6)
