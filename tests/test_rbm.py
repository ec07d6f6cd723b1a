"""The Boltzmann machine that an example builds by hand: what must be exact, and that it learns."""

import numpy as np
import pytest
from hypothesis import given, settings
from rbm import RBM, bars_and_stripes, learn, log_likelihood

from minicnn import backends
from tests.strategies import normal, seeds

every_backend = pytest.mark.parametrize("backend", backends.available())


def machine(visible, hidden, seed):
    rbm = RBM(visible, hidden).astype("float64")
    for k, parameter in enumerate(rbm.parameters()):
        parameter.value = normal(parameter.shape, seed + k)
    return rbm


def every_state(bits):
    return np.array([*np.ndindex(*(2,) * bits)], float)


@given(seeds)
def test_the_probabilities_of_all_images_add_up_to_one(seed):
    rbm = machine(6, 4, seed)
    total = sum(np.exp(log_likelihood(rbm, v[np.newaxis])) for v in every_state(6))
    assert total == pytest.approx(1)


@every_backend
@settings(max_examples=settings.default.max_examples // 5)
@given(seeds)
def test_the_slope_of_the_likelihood_is_data_minus_model(backend, seed):
    rbm, data, every = machine(5, 3, seed).to(backend), every_state(5)[7:19], every_state(5)
    p = np.array([np.exp(log_likelihood(rbm, v[np.newaxis])) for v in every])
    gradient = statistics(rbm, data).mean(axis=0) - p @ statistics(rbm, every)

    values = np.concatenate([p.value.ravel() for p in rbm.parameters()])
    direction, found = normal(values.shape, seed + 10), []
    for step in (1e-5, -1e-5):
        parts = np.split(values + step * direction, [15, 18])
        for parameter, part in zip(rbm.parameters(), parts):
            parameter.value = part.reshape(parameter.shape)
        found.append(log_likelihood(rbm, data))
    slope = (found[0] - found[1]) / 2e-5
    assert gradient @ direction == pytest.approx(slope, rel=1e-5, abs=1e-6)


def statistics(rbm, v):
    """A row for each v by itself: what the machine adds up over a batch."""
    rows = []
    for one in v:
        batch, into = rbm.ops.from_numpy(one[np.newaxis]), [p.gradient for p in rbm.parameters()]
        rbm.statistics(rbm.hidden_given(batch, "h"), batch, into)
        rows.append(np.concatenate([p.grad.ravel() for p in rbm.parameters()]))
    return np.array(rows)


@every_backend
@pytest.mark.parametrize("persistent", [False, True])
def test_what_is_seen_becomes_likelier(backend, persistent):
    rbm, images = RBM(16, 8).to(backend), bars_and_stripes()
    before = log_likelihood(rbm, images)
    learn(rbm, images, 200, 30, 1.0, persistent)
    assert log_likelihood(rbm, images) > before + 1


def test_bars_and_stripes_are_all_the_images_of_equal_rows_or_columns():
    images = bars_and_stripes(3).reshape(-1, 3, 3)
    alike = {
        v.tobytes()
        for v in every_state(9).astype(np.float32).reshape(-1, 3, 3)
        if (v == v[:1]).all() or (v == v[:, :1]).all()
    }
    assert {v.tobytes() for v in images} == alike
    assert len(images) == len(alike) == 14


def test_a_batch_of_other_images_is_refused_by_name():
    with pytest.raises(ValueError, match=r"RBM\(visible=6, hidden=4\): wanted shape \(N, 6\)"):
        RBM(6, 4).forward(np.zeros((2, 5)))
