import numpy as np
import pytest

from minicnn import (
    SGD,
    Dense,
    MeanSquaredError,
    Sequential,
    SoftmaxCrossEntropy,
    cross_validate,
    evaluate,
    fit,
)
from minicnn.data import Dataset
from minicnn.data.batches import shuffled
from minicnn.files import checkpoint
from minicnn.training import loop
from tests.strategies import stripes
from tests.training.small import network, weights


def test_cross_validation_judges_every_sample_once_and_leaves_the_network_alone():
    net = network()
    before = weights(net)
    found = cross_validate(
        net, SoftmaxCrossEntropy(), SGD(0.1, momentum=0.9), stripes(53), folds=5, epochs=3,
        batch_size=16, progress=False,
    )  # fmt: skip
    assert weights(net) == before
    assert sum(e.confusion.sum() for e in found.evaluations) == 53
    assert len(found.histories) == 5
    mean, std = found.mean_and_std()
    accuracies = [e.accuracy for e in found.evaluations]
    assert mean == pytest.approx(np.mean(accuracies))
    assert std == pytest.approx(np.std(accuracies, ddof=1))


def test_folds_of_a_regression_have_a_loss_and_no_accuracy():
    x = np.random.default_rng(0).standard_normal((12, 3)).astype("f")
    found = cross_validate(
        Sequential(Dense(3, 1), seed=0), MeanSquaredError(), SGD(0.1), (x, x[:, :1]), folds=3,
        epochs=1, progress=False,
    )  # fmt: skip
    assert found.mean_and_std("loss")[0] == np.mean([e.loss for e in found.evaluations])
    with pytest.raises(ValueError, match="these folds have no accuracy, ask for the 'loss'"):
        found.mean_and_std()


def test_the_evaluations_know_the_names_of_the_classes():
    samples = Dataset(*stripes(20), ("upright", "lying"))
    found = cross_validate(
        network(), SoftmaxCrossEntropy(), SGD(0.1), samples, folds=2, epochs=1, progress=False
    )
    assert [e.classes for e in found.evaluations] == [("upright", "lying")] * 2


def test_it_is_the_loop_that_one_would_write():
    images, labels = stripes(20)
    loss, arguments = SoftmaxCrossEntropy(), {"batch_size": 8, "progress": False}
    optimizer = SGD(0.1, momentum=0.9)
    found = cross_validate(
        network(), loss, optimizer, (images, labels), folds=3, seed=5, **arguments
    )
    assert optimizer.steps == 0
    parts = np.array_split(shuffled(20, 5, 0), 3)
    for fold, held_out in enumerate(parts):
        others = np.concatenate(parts[:fold] + parts[fold + 1 :])
        net, its_optimizer = network(), SGD(0.1, momentum=0.9)
        net.initialize(5 + fold)
        history = fit(net, loss, its_optimizer, (images[others], labels[others]), seed=5 + fold,
                      **arguments)  # fmt: skip
        assert found.histories[fold]["train_loss"] == history["train_loss"]
        judged = evaluate(net, loss, (images[held_out], labels[held_out]))
        assert repr(found.evaluations[fold]) == repr(judged)


def test_folds_start_from_fresh_and_different_weights():
    starts = []
    net = network()
    loss = SoftmaxCrossEntropy()
    found = cross_validate(
        net, loss, SGD(0.0), stripes(20), folds=4, epochs=1, progress=False
    )
    starts = [h["train_loss"][0] for h in found.histories]
    assert len(set(starts)) == 4


def test_an_interrupted_cross_validation_goes_on_to_the_same_bits(tmp_path):
    def run(checkpoint):
        return cross_validate(
            network(), SoftmaxCrossEntropy(), SGD(0.1, momentum=0.9), stripes(30), folds=3,
            epochs=4, batch_size=8, checkpoint=checkpoint, progress=False,
        )  # fmt: skip

    class Interrupted(Exception):
        pass

    def save_then_stop(path, *state):
        checkpoint.save(path, *state)
        saved.append(path.name)
        if len(saved) == 8:  # five files of the first fold, three of the second
            raise Interrupted

    saved = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(loop, "save", save_then_stop)
        with pytest.raises(Interrupted):
            run(tmp_path / "cards.npz")
    assert saved == ["cards-fold-0.npz"] * 5 + ["cards-fold-1.npz"] * 3
    done = (tmp_path / "cards-fold-0.npz").stat().st_mtime_ns
    resumed, wanted = run(tmp_path / "cards.npz"), run(None)
    assert (tmp_path / "cards-fold-0.npz").stat().st_mtime_ns == done
    assert [e.loss for e in resumed.evaluations] == [e.loss for e in wanted.evaluations]
    for a, b in zip(resumed.histories, wanted.histories):
        assert a["train_loss"] == b["train_loss"]


@pytest.mark.parametrize("folds", [1, 21])
def test_folds_that_make_no_sense_are_refused(folds):
    with pytest.raises(ValueError, match="folds"):
        cross_validate(network(), SoftmaxCrossEntropy(), SGD(0.1), stripes(20), folds=folds)


@pytest.mark.parametrize("targets", [9, 11])
def test_another_number_of_targets_than_of_inputs_is_refused(targets):
    samples = stripes(10)[0], stripes(targets)[1]
    with pytest.raises(ValueError, match=f"10 inputs but {targets} targets"):
        cross_validate(network(), SoftmaxCrossEntropy(), SGD(0.1), samples, folds=2)
