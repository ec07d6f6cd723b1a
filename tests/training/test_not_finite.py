"""Losses that are no number, or far too large."""

import numpy as np
import pytest

from minicnn import (
    SGD,
    BatchNorm,
    Dense,
    Dropout,
    Flatten,
    MeanSquaredError,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    fit,
    load,
)
from minicnn.data.batches import in_batches, shuffled
from minicnn.files.checkpoint import Progress
from minicnn.files.history import COLUMNS
from tests.strategies import stripes
from tests.training.small import every_backend, network


def test_a_validation_loss_that_is_no_number_is_never_the_best():
    run, net = Progress({}), network()
    for value in (float("nan"), 0.5, float("nan"), 0.6):
        run.history.append(**dict.fromkeys(COLUMNS, value))
        run.compare(value, net)
    assert (run.best.epoch, run.best.loss) == (1, 0.5)


def test_a_loss_that_is_not_finite_stops_training_and_names_epoch_and_step():
    images, labels = stripes(40)
    images = images.astype("float32")
    images[shuffled(40, 0, 0)[25]] = np.nan
    net = Sequential(Flatten(), Dense(64, 2), seed=0)
    with pytest.raises(FloatingPointError, match="loss is nan in epoch 1, step 3"):
        fit(net, SoftmaxCrossEntropy(), SGD(0.1), (images, labels), batch_size=10, progress=False)
    assert np.isfinite(net.parameters()[0].value).all()


@every_backend
def test_after_a_loss_that_is_not_finite_the_network_is_as_after_the_last_good_step(backend):
    if backend == "cuda":
        pytest.skip("the device goes on until the host looks at the losses")
    images, labels = np.ones((40, 2, 4, 4), "f"), stripes(40)[1]
    images += np.random.default_rng(0).standard_normal(images.shape).astype("f")
    batches = [*in_batches(shuffled(40, 0, 0), 10)]
    images[batches[2][5], 0] = np.nan  # the other channel's statistics stay numbers

    def fresh():
        layers = BatchNorm(2), Flatten(), Dropout(0.2), Dense(32, 2)
        return Sequential(*layers, seed=0).to(backend)

    net, same, loss, its_optimizer = fresh(), fresh(), SoftmaxCrossEntropy(), SGD(0.1)
    with pytest.raises(FloatingPointError, match="loss is nan in epoch 1, step 3"):
        fit(net, loss, its_optimizer, (images, labels), batch_size=10, progress=False)
    same.reseed(0)
    optimizer = SGD(0.1)
    for indices in batches[:2]:
        loss.forward(same.forward(images[indices], training=True), labels[indices])
        same.backward(loss.backward())
        optimizer.step(same.parameters())
    for name, p in same.state().items():
        np.testing.assert_allclose(net.state()[name].value, p.value, rtol=1e-6, atol=0)
    assert net[2].step.value == its_optimizer.steps == 2


def test_a_learning_rate_that_is_much_too_large_is_reported_not_warned_about():
    with pytest.raises(FloatingPointError, match="smaller learning rate"):
        fit(
            Sequential(Flatten(), Dense(64, 64), ReLU(), Dense(64, 2), seed=0),
            MeanSquaredError(), SGD(1e30), (stripes()[0], np.eye(2, dtype="f")[stripes()[1]]),
            epochs=50, progress=False,
        )  # fmt: skip


@every_backend
def test_weights_that_the_last_step_broke_end_the_training_and_reach_no_checkpoint(
    backend, tmp_path
):
    net, path = Sequential(Dense(4, 2), seed=0).to(backend), tmp_path / "kept.npz"
    samples = np.full((32, 4), 1000, "f"), np.arange(32) % 4 // 3  # slopes of some hundreds

    def from_epoch_2(epoch):
        return float(epoch >= 1)

    with pytest.raises(FloatingPointError, match="0.weight is not finite after epoch 2"):
        fit(net, SoftmaxCrossEntropy(), SGD(1e38), samples, epochs=3, checkpoint=path,
            schedule=from_epoch_2, progress=False)  # fmt: skip
    assert len(load(path).progress.history) == 1
