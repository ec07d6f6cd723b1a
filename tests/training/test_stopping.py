"""Trainings that end early: patience, and a hook after each epoch."""

import numpy as np
import pytest

from minicnn import (
    SGD,
    Adam,
    Dense,
    Flatten,
    Sequential,
    SoftmaxCrossEntropy,
    StopTraining,
    evaluate,
    fit,
    load,
)
from tests.strategies import stripes
from tests.training.small import every_backend, network, train, weights


def test_early_stopping_puts_the_best_epoch_back():
    calls = []

    def getting_worse(epoch):
        calls.append(epoch)
        return 1.0 if epoch < 2 else 40.0

    net, history = train(
        validation=stripes(30, 1), epochs=30, patience=2, schedule=getting_worse, seed=4
    )
    losses = history["validation_loss"]
    assert len(losses) < 30
    assert len(losses) - 1 - int(np.argmin(losses)) == 2
    best = evaluate(net, SoftmaxCrossEntropy(), stripes(30, 1)).loss
    assert best == pytest.approx(min(losses), rel=1e-5)


def test_a_loss_that_stays_as_it_is_has_not_improved():
    net, samples = Sequential(Flatten(), Dense(64, 2), seed=0), stripes(8)
    history = fit(net, SoftmaxCrossEntropy(), SGD(0), samples, samples, epochs=9, patience=2,
                  progress=False)  # fmt: skip
    assert len(history) == 3


def test_without_patience_the_last_epoch_stays_be_it_the_best_or_not():
    judged = stripes(30, 1)
    net, history = train(validation=judged, epochs=6, schedule=lambda epoch: 1 + 20 * epoch)
    losses = history["validation_loss"]
    assert losses[-1] > min(losses)
    assert evaluate(net, SoftmaxCrossEntropy(), judged).loss == pytest.approx(losses[-1])


@every_backend
def test_a_hook_may_give_the_network_other_memory(backend):
    def to_and_fro(epoch, net, history):
        net.astype("float64").astype("float32")

    nets = [train(network().to(backend), after_epoch=hook)[0] for hook in (None, to_and_fro)]
    assert weights(nets[0]) == weights(nets[1])


def stopping(epoch, how):
    def after_epoch(done, net, history):
        assert len(history) == done + 1
        if done == epoch and how == "raised":
            raise StopTraining
        return np.bool_(done == epoch) if how == "said" else None

    return after_epoch


@every_backend
@pytest.mark.parametrize("how", ["said", "raised"])
def test_a_training_that_is_stopped_after_an_epoch_goes_on_to_the_same_bits(
    backend, how, tmp_path
):
    arguments = {"epochs": 4, "batch_size": 16, "progress": False}
    nets = [network().to(backend) for _ in range(2)]
    optimizers = [Adam(), Adam()]
    whole = fit(nets[0], SoftmaxCrossEntropy(), optimizers[0], stripes(50), **arguments)
    kept = {"checkpoint": tmp_path / "t.npz", "every": 3}
    some = fit(nets[1], SoftmaxCrossEntropy(), optimizers[1], stripes(50), **arguments, **kept,
               after_epoch=stopping(1, how))  # fmt: skip
    assert some["train_loss"] == whole["train_loss"][:2]
    assert len(load(tmp_path / "t.npz").progress.history) == 2
    rest = fit(nets[1], SoftmaxCrossEntropy(), optimizers[1], stripes(50), **arguments, **kept)
    assert rest["train_loss"] == whole["train_loss"]
    assert weights(nets[1]) == weights(nets[0])


def test_what_the_hook_does_to_the_network_is_part_of_the_training(tmp_path):
    net = network()

    def halve(epoch, trained, history):
        assert trained is net
        for p in trained.parameters():
            p.value *= 0.5

    fit(net, SoftmaxCrossEntropy(), SGD(0), stripes(20), epochs=2, after_epoch=halve,
        checkpoint=tmp_path / "t.npz", progress=False)  # fmt: skip
    assert weights(load(tmp_path / "t.npz").network) == weights(net)
    np.testing.assert_allclose(net.parameters()[0].value, network().parameters()[0].value / 4)


def test_a_hook_that_answers_something_else_is_refused():
    with pytest.raises(TypeError, match="after_epoch must return True, False or None, got 'yes'"):
        fit(network(), SoftmaxCrossEntropy(), SGD(0.1), stripes(20), progress=False,
            after_epoch=lambda *_: "yes")  # fmt: skip
    with pytest.raises(TypeError, match="after_epoch must be a function"):
        fit(network(), SoftmaxCrossEntropy(), SGD(0.1), stripes(20), after_epoch=1)


def test_a_validation_loss_that_is_no_number_is_waited_for_no_longer_than_any_other():
    images, labels = stripes(8)
    _, history = train(validation=(images * np.float32("nan"), labels), epochs=9, patience=2)
    assert len(history) == 2
