import numpy as np
import pytest

from minicnn import SGD, SoftmaxCrossEntropy, cross_validate
from tests.strategies import stripes
from tests.test_training import network, weights


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


def test_folds_start_from_fresh_and_different_weights():
    starts = []
    net = network()
    loss = SoftmaxCrossEntropy()
    found = cross_validate(
        net, loss, SGD(0.0), stripes(20), folds=4, epochs=1, progress=False
    )
    starts = [h["train_loss"][0] for h in found.histories]
    assert len(set(starts)) == 4


@pytest.mark.parametrize("folds", [1, 21])
def test_folds_that_make_no_sense_are_refused(folds):
    with pytest.raises(ValueError, match="folds"):
        cross_validate(network(), SoftmaxCrossEntropy(), SGD(0.1), stripes(20), folds=folds)
