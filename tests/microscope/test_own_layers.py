"""Layers of a user's own: right ones agree with the page, and of wrong ones the first array that
differs is named.
"""

import pytest
from add_a_layer import Softsign

import minicnn as nn
from minicnn.microscope import step, written
from tests.microscope.own_layers import (
    Cubing,
    Doubled,
    Forgetful,
    Ramp,
    Right,
    Shifted,
    SignOfTheGradient,
    Squaring,
)
from tests.microscope.page_engine import computed, needs_node
from tests.strategies import normal

pytestmark = needs_node


def blamed(*layers, count=3):
    """What the page says of a network of rows of four."""
    network = nn.Sequential(nn.Dense(4, 4), *layers, nn.Dense(4, 3), seed=0).astype("float64")
    data = written.collected(network, nn.MeanSquaredError(), normal((count, 4), 0),
                             normal((count, 3), 1))  # fmt: skip
    (found,) = computed(data)
    for spot, shown, total in found["readings"]:
        assert shown == pytest.approx(total, rel=1e-9, abs=1e-9), spot
    assert "wrong" not in found["verdicts"]
    return found["differences"]


@pytest.mark.parametrize("own", [Cubing, Right, Shifted, Softsign])
@pytest.mark.parametrize("count", [1, 3])
def test_a_right_layer_of_ones_own_agrees_with_its_measured_slopes(own, count):
    assert blamed(own(), count=count) == []
    assert blamed(nn.Residual(nn.Dense(4, 4), own()), count=count) == []


WRONG = {
    "measured": (Squaring(), "dx, which 1 Squaring hands back"),
    "its weight": (Doubled(), "the gradient of 1.weight"),
    "of a known kind": (SignOfTheGradient(), "dx, which 1 SignOfTheGradient hands back"),
    "around": (Forgetful(nn.Dense(4, 4)), "dx, which 1 Forgetful hands back"),
    "around, with a shortcut": (
        Forgetful(nn.Dense(4, 4), shortcut=nn.Tanh()), "dy, which comes to 1.shortcut Tanh"),
    "in a branch": (
        nn.Residual(nn.Sequential(SignOfTheGradient()), nn.Dense(4, 4), shortcut=nn.Dense(4, 4)),
        "dx, which 1.0.0 SignOfTheGradient hands back"),
}  # fmt: skip


@pytest.mark.parametrize("case", WRONG)
def test_the_first_array_that_a_planted_wrong_backward_spoils_is_named(case):
    layer, said = WRONG[case]
    first, *others = blamed(layer)
    assert first.startswith(said)
    spoiled_below = any(text.startswith("the gradient of 0.weight") for text in others)
    assert spoiled_below == (case != "its weight")


def test_what_python_measured_differs_from_step_to_step():
    network = nn.Sequential(Cubing(), nn.Dense(4, 3), seed=0).astype("float64")
    x, target, optimizer = normal((2, 4), 0), normal((2, 3), 1), nn.SGD(0.1)
    loss, kept = nn.MeanSquaredError(), []
    for _ in range(2):
        kept.append(step(network, optimizer))
        loss.forward(network.forward(x, training=True), target)
        network.backward(loss.backward())
        optimizer.step(network.parameters())
    found = computed(written.collected(network, loss, x, target, kept))
    assert [each["differences"] for each in found] == [[], []]


@pytest.mark.parametrize("at_zero", [0, 1, 0.5])
def test_at_a_kink_a_backward_may_take_the_slope_of_any_side(at_zero):
    x, target = normal((3, 4), 0), normal((3, 3), 1)
    x[:, 1:3] = 0
    network = nn.Sequential(Ramp(at_zero), nn.Dense(4, 3), seed=0).astype("float64")
    (found,) = computed(written.collected(network, nn.MeanSquaredError(), x, target))
    assert found["differences"] == []
    network = nn.Sequential(Ramp(at_zero + 2), nn.Dense(4, 3), seed=0).astype("float64")
    (found,) = computed(written.collected(network, nn.MeanSquaredError(), x, target))
    assert found["differences"][0].startswith("dx, which 0 Ramp hands back")
