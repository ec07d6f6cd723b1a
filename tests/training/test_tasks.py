"""Regression, targets as rows, several answers at once, one against the rest."""

import numpy as np
import pytest

from minicnn import (
    SGD,
    Dense,
    Flatten,
    MeanSquaredError,
    Sequential,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    evaluate,
    fit,
)
from tests.strategies import stripes
from tests.training.small import every_backend


def test_regression_has_a_loss_and_nothing_else():
    x = np.linspace(-1, 1, 50, dtype="float32")[:, None]
    net = Sequential(Dense(1, 1), seed=0)
    history = fit(
        net, MeanSquaredError(), SGD(0.3), (x, 3 * x - 1), epochs=40, progress=False
    )
    found = evaluate(net, MeanSquaredError(), (x, 3 * x - 1))
    assert found.loss < 1e-4
    assert found.accuracy is found.confusion is None
    assert history["train_accuracy"][0] is None
    np.testing.assert_allclose(net[0].weight.value, [[3]], atol=0.05)


def test_targets_as_rows_are_judged_by_their_largest_number():
    images, labels = stripes(40)
    found = []
    for targets in (labels, np.eye(2)[labels], 0.8 * np.eye(2)[labels] + 0.1):
        net = Sequential(Flatten(), Dense(64, 2), seed=0)
        history = fit(net, SoftmaxCrossEntropy(), SGD(0.0), (images, targets), progress=False)
        judged = evaluate(net, SoftmaxCrossEntropy(), (images, targets))
        found.append((history["train_accuracy"], judged.accuracy, judged.confusion.tolist()))
    assert found[0] == found[1] == found[2]
    assert 0 < found[0][1] < 1


def test_several_answers_at_once_are_judged_by_their_loss_alone():
    images, _ = stripes(20)
    net, targets = Sequential(Flatten(), Dense(64, 3), seed=0), np.eye(3)[np.arange(20) % 3]
    history = fit(net, SigmoidCrossEntropy(), SGD(0.1), (images, targets), progress=False)
    assert history["train_accuracy"] == [None]
    assert evaluate(net, SigmoidCrossEntropy(), (images, targets)).accuracy is None


def test_one_against_the_rest_counts_the_sign_of_its_one_logit():
    images, labels = stripes(60)
    net = Sequential(Flatten(), Dense(64, 1), seed=0)
    history = fit(
        net, SigmoidCrossEntropy(), SGD(0.5), (images, labels), epochs=20, progress=False
    )
    found = evaluate(net, SigmoidCrossEntropy(), (images, labels))
    right = (net.predict(images)[:, 0] > 0) == labels
    assert found.accuracy == right.mean() > 0.9
    assert found.confusion.shape == (2, 2)
    assert history["train_accuracy"][-1] > 0.9


@every_backend
def test_a_loss_that_others_use_in_between_still_has_its_own_gradient(backend):
    samples, loss = stripes(8), SoftmaxCrossEntropy()
    net = Sequential(Flatten(), Dense(64, 2), seed=0).to(backend)
    loss.forward(np.zeros((2, 2)), np.eye(2))
    evaluate(net, loss, samples)
    fit(net, loss, SGD(0.1), samples, progress=False)
    np.testing.assert_allclose(loss.backward(), [[-0.25, 0.25], [0.25, -0.25]])


@every_backend
@pytest.mark.parametrize("size", [1, 2, 3, 8])
def test_a_mean_loss_does_not_depend_on_how_samples_come_in_batches(backend, size):
    """Also where nothing in a batch counts, and label smoothing adds something all the same."""
    images, labels = stripes(8)
    loss = SoftmaxCrossEntropy(label_smoothing=0.2, class_weights=[1, 0])
    net = Sequential(Flatten(), Dense(64, 2), seed=0).to(backend)
    whole = loss.forward(net.to("numpy").predict(images), labels)
    found = evaluate(net.to(backend), loss, (images, labels), batch_size=size)
    assert found.loss == pytest.approx(whole, rel=1e-5)
