"""Where a slope is hard to see, at kinks, in bends and under rounding, gradcheck is still right."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from minicnn import gradcheck
from minicnn import layers as nn
from minicnn.gradcheck import GradientError
from minicnn.network import Sequential
from tests.conftest import one_in
from tests.own_layers import Scale, Wave
from tests.strategies import normal, seeds


def test_kinks_are_stepped_over_and_counted():
    x = np.linspace(-1, 1, 9)[:, None]  # the middle one is exactly 0
    report = gradcheck.check(nn.ReLU(), x)
    assert (report.compared, report.kinks) == (8, 1)


@given(st.integers(1, 6), seeds)
def test_up_to_so_many_numbers_each_is_checked_and_directions_beyond(size, seed):
    x = normal((1, size), seed)
    assert gradcheck.check(nn.Tanh(), x, max_coordinates=size, directions=9).compared == size
    assert gradcheck.check(nn.Tanh(), x, max_coordinates=size - 1, directions=9).compared == 9


def test_a_kink_within_the_step_is_noticed_too_and_avoided_by_a_shorter_one():
    x = np.array([[3e-7], [-6e-7], [1e-8], [1.0], [-1.0]])
    report = gradcheck.check(nn.ReLU(), x)
    assert (report.compared, report.kinks) == (4, 1)


@given(st.floats(-7.5, 0), st.sampled_from([-1, 1]), seeds)
def test_a_kink_at_any_distance_beyond_the_step_raises_no_alarm(exponent, sign, seed):
    report = gradcheck.check(nn.ReLU(), np.full((1, 1), sign * 10.0**exponent), seed=seed)
    assert report.kinks == 0


def test_an_input_that_lies_on_kinks_only_is_refused():
    with pytest.raises(ValueError, match="kinks"):
        gradcheck.check(nn.ReLU(), np.zeros((2, 3)))


@given(st.floats(0, 3.5), seeds)
def test_a_function_that_bends_within_a_step_raises_no_alarm(exponent, seed):
    gradcheck.check(Wave(10.0**exponent), normal((3, 4), seed))


@pytest.mark.parametrize("n", [3, 60])  # every coordinate, and random directions
@pytest.mark.parametrize(
    ("factor", "offset"), [(1, 1e6), (1, 1e9), (1e-6, 0), (1e-10, 0), (1e-10, 1.0)]
)
def test_a_wrong_gradient_is_seen_through_the_rounding_and_a_right_one_passes(n, factor, offset):
    x = normal((n, 4), 0)
    gradcheck.check(Scale(factor, offset), x)
    for wrong in (2.0, 0.9, 0.0, -1.0):
        with pytest.raises(GradientError, match=r"^x(\[|, as a whole)"):
            gradcheck.check(Scale(factor, offset, wrong), x)


def test_the_report_has_the_worst_error_of_all_arrays():
    class Off(Scale):
        def backward(self, dy):
            return super().backward(dy) * (1 + 1e-6)

    assert gradcheck.check(Off(), normal((2, 3), 0)).worst == pytest.approx(1e-6, rel=0.1)


def test_what_is_small_beside_the_largest_is_checked_down_to_a_thousandth_of_it():
    wrong = np.array([[1.0, 1.005]])  # by five times the tolerance
    for small, is_seen in ((0.01, True), (1e-5, False)):
        layer = Scale(np.array([[1.0, small]]), 0.0, wrong)
        layer.parameters = list  # none: the input alone is looked at
        if is_seen:
            with pytest.raises(GradientError, match=r"^x\[0, 1\]"):
                gradcheck.check(layer, np.ones((1, 2)), tolerance=1e-3)
        else:
            gradcheck.check(layer, np.ones((1, 2)), tolerance=1e-3)


@pytest.mark.parametrize("wrong", [1.0, 2.0, 0.0])
@pytest.mark.parametrize("offset", [1e11, 1e12, 1e14])
def test_where_large_numbers_hide_the_slopes_nothing_is_said(offset, wrong):
    with pytest.raises(ValueError, match=r"near \de\+1\d, .* rounding hides the slopes of x"):
        gradcheck.check(Scale(1.0, offset, wrong), normal((3, 4), 0))


@pytest.mark.parametrize(
    "layers",
    [
        (nn.Dense(4, 3), nn.BatchNorm(3)),  # the bias is taken out again, and so is the scale
        (nn.Dense(4, 3), nn.BatchNorm(3), nn.Dense(3, 3), nn.BatchNorm(3), nn.Dense(3, 2)),
        (nn.Reshape((1, 2, 2)), nn.BatchNorm(1), nn.GlobalAvgPool2D()),
        (nn.Dense(4, 3), nn.Sigmoid(), nn.Dense(3, 3), nn.Sigmoid(), nn.Dense(3, 1)),
        (nn.Dense(4, 3), nn.ReLU(), nn.Dense(3, 2)),
    ],
)
@pytest.mark.parametrize("scale", [0.1, 1.0, 1e3])
@one_in(2)
@given(seed=seeds)
def test_gradients_that_are_zero_or_vanish_raise_no_alarm(layers, scale, seed):
    network = Sequential(*layers, seed=seed).astype("float64")
    x = scale * normal((5, 4), seed)
    spread = network[0].forward(x).std(axis=0)
    assume(spread.min() > 0.1 * spread.max())  # see has_a_dead_channel
    gradcheck.check(network, x, training=True)


def test_what_rounds_to_zero_raises_no_alarm():
    layers = nn.Reshape((1, 2, 2)), nn.BatchNorm(1), nn.GlobalAvgPool2D()
    gradcheck.check(Sequential(*layers).astype("float64"), normal((1, 4), 0), training=True)
