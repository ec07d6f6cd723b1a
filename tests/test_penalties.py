"""What is done to gradients before an update: penalties on weights, and clipping."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.layers import Parameter
from minicnn.optimizers import SGD, Penalty, clip_gradient_norm
from tests.strategies import normal, seeds
from tests.test_optimizers import every_backend, every_optimizer, parameters, set_gradients


@every_backend
@every_optimizer
def test_an_update_leaves_the_gradients_as_they_are(make, peer, arguments, backend):
    params, optimizer = parameters(backend), make()
    set_gradients(params, 0)
    before = [p.grad.copy() for p in params]
    optimizer.step(params)
    for p, gradient in zip(params, before):
        np.testing.assert_array_equal(p.grad, gradient)


@every_backend
@given(seeds, st.floats(0, 2), st.floats(0, 2))
def test_a_penalty_adds_its_own_slope_on_weights_only(backend, seed, l1, l2):
    params = parameters(backend, seed=seed)
    set_gradients(params, 0)
    before = [p.grad.copy() for p in params]
    penalty = Penalty(l1, l2)
    weights = [p.value for p in params if p.value.ndim > 1]
    wanted = sum(l1 * np.abs(w).sum() + l2 / 2 * (w**2).sum() for w in weights)
    assert penalty.loss(params) == pytest.approx(wanted, rel=1e-9, abs=1e-12)
    penalty.add_gradient(params)
    for p, g in zip(params, before):
        slope = l1 * np.sign(p.value) + l2 * p.value if p.value.ndim > 1 else 0
        np.testing.assert_allclose(p.grad, g + slope, rtol=1e-12, atol=1e-12)


@every_backend
def test_a_penalty_leaves_a_weight_of_zero_alone(backend):
    params = [Parameter(np.zeros((2, 3)))]
    params[0].to(backend)
    Penalty(l1=1.0, l2=1.0).add_gradient(params)
    assert not params[0].grad.any()
    assert Penalty().loss([Parameter(np.ones((2, 2)))]) == 0


def test_an_l2_penalty_is_the_weight_decay_of_plain_sgd():
    one, other = [Parameter(normal((3, 3), 0))], [Parameter(normal((3, 3), 0))]
    for params in (one, other):
        set_gradients(params, 0)
    Penalty(l2=0.3).add_gradient(one)
    SGD(0.1).step(one)
    SGD(0.1, weight_decay=0.3).step(other)
    np.testing.assert_allclose(one[0].value, other[0].value, rtol=1e-14)


@every_backend
@given(seeds, st.floats(1e-3, 100))
def test_clipping_keeps_the_direction_and_bounds_the_norm(backend, seed, max_norm):
    params = parameters(backend, seed=seed)
    set_gradients(params, seed)
    before = np.concatenate([p.grad.ravel() for p in params])
    norm = clip_gradient_norm(params, max_norm)
    after = np.concatenate([p.grad.ravel() for p in params])
    assert norm == pytest.approx(np.linalg.norm(before), rel=1e-12)
    wanted = before * min(1, max_norm / (norm + 1e-6))
    np.testing.assert_allclose(after, wanted, rtol=1e-12)


@every_backend
def test_gradients_that_are_short_enough_are_not_clipped(backend):
    params = parameters(backend)
    set_gradients(params, 0)
    before = [p.grad.copy() for p in params]
    norm = clip_gradient_norm(params, 1.5 * np.sqrt(sum(np.square(g).sum() for g in before)))
    assert norm > 0
    assert all(np.array_equal(p.grad, g) for p, g in zip(params, before))


def test_one_parameter_is_enough_to_be_penalised_and_clipped():
    param = Parameter(np.full((2, 2), 3.0))
    param.grad[...] = 2
    assert Penalty(l1=1).loss([param]) == 12
    assert clip_gradient_norm([param], 1.0) == 4


def test_no_parameters_have_no_norm():
    assert clip_gradient_norm([], 1.0) == 0
