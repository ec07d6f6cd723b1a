"""The chapters' mistakes: what departs, and that nudging shows it."""

import numpy as np
import pytest

import minicnn as nn
from minicnn.microscope import step, written
from tests.microscope.page_engine import computed, needs_node
from tests.strategies import normal

pytestmark = needs_node


def spoiled(*layers, images, labels, mistake):
    network = nn.Sequential(*layers, seed=0).astype("float64")
    data = written.collected(network, nn.SoftmaxCrossEntropy(), images, labels)
    return computed(data)[0], computed(data, mistake)[0]


MISTAKES = {
    "assigning": (nn.Conv2D(1, 2, 2), nn.Flatten(), nn.Dense(18, 3)),
    "mixed up": (nn.ConvTranspose2D(1, 2, 1), nn.ConvTranspose2D(2, 2, 2), nn.Flatten(),
                 nn.Dense(50, 3)),
    "averaged": (nn.Flatten(), nn.Dense(16, 3)),
    "sign of the gradient": (nn.Conv2D(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Dense(18, 3)),
    "input instead": (nn.Conv2D(1, 2, 2), nn.Sigmoid(), nn.Flatten(), nn.Dense(18, 3)),
    "every equal": (nn.Reshape((1, 4, 4)), nn.MaxPool2D(2), nn.Flatten(), nn.Dense(4, 3)),
    "fixed": (nn.BatchNorm(1), nn.Flatten(), nn.Dense(16, 3)),
    "forgotten": (nn.Tanh(), nn.Residual(nn.Conv2D(1, 1, 3, padding=1)), nn.Flatten(),
                  nn.Dense(16, 3)),
    "no mask": (nn.Dropout(0.5), nn.Flatten(), nn.Dense(16, 3)),
    "no scale": (nn.Dropout(0.5), nn.Flatten(), nn.Dense(16, 3)),
    "sum": (nn.Flatten(), nn.Dense(16, 3)),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_a_chapter_changes_gradients_and_nothing_else(mistake):
    x = normal((3, 1, 4, 4), 1)
    if mistake == "every equal":
        x = np.ones_like(x)
    right, wrong = spoiled(*MISTAKES[mistake], images=x, labels=[0, 1, 2], mistake=mistake)
    assert (wrong["loss"], wrong["values"]) == (right["loss"], right["values"])
    assert (wrong["slopes"], wrong["grads"]) != (right["slopes"], right["grads"])
    assert wrong["differences"]


@pytest.mark.parametrize("rule", [nn.Adam, nn.AdamW])
def test_adam_without_its_correction_moves_too_far_at_first(rule):
    network = nn.Sequential(nn.Dense(4, 3), seed=0).astype("float64")
    kept = [step(network, rule(0.1, weight_decay=0))]
    data = written.collected(
        network, nn.SoftmaxCrossEntropy(), normal((3, 4), 1), [0, 1, 2], kept
    )
    (right,), (wrong,) = computed(data), computed(data, "uncorrected")
    assert (wrong["slopes"], wrong["grads"]) == (right["slopes"], right["grads"])
    old = np.concatenate([network[0].weight.value.ravel(), network[0].bias.value])
    far = [np.abs(np.array(found["updates"]) - old) for found in (right, wrong)]
    np.testing.assert_allclose(far[0], 0.1, rtol=1e-3)  # β₁ 0.9, β₂ 0.999
    np.testing.assert_allclose(far[1], 0.1 * 0.1 / np.sqrt(0.001), rtol=1e-3)


def test_nudging_agrees_with_every_gradient_and_catches_wrong_ones():
    x = normal((3, 1, 4, 4), 1)
    right, wrong = spoiled(
        *MISTAKES["sign of the gradient"], images=x, labels=[0, 1, 2],
        mistake="sign of the gradient",
    )  # fmt: skip
    assert "wrong" not in right["verdicts"]
    assert right["verdicts"].count("agrees") > 0.9 * len(right["verdicts"])
    assert "wrong" in wrong["verdicts"]
