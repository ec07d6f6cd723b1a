"""What training refuses, and what it warns of, before or while it computes."""

import numpy as np
import pytest

from minicnn import (
    SGD,
    BatchNorm,
    Dense,
    Flatten,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    Standardize,
    evaluate,
    fit,
)
from minicnn.data import Dataset
from minicnn.schedules import Cosine
from tests.strategies import stripes
from tests.training.small import network, train, weights


def test_a_batch_too_small_for_batch_norm_is_refused_before_the_first_step():
    net = Sequential(Flatten(), Dense(64, 4), BatchNorm(4), Dense(4, 2), seed=0)
    before = weights(net)
    with pytest.raises(ValueError, match="33 samples in batches of 32 leave one of 1, and Batch"):
        fit(net, SoftmaxCrossEntropy(), SGD(0.1), stripes(33), batch_size=32, progress=False)
    assert weights(net) == before
    fit(network(), SoftmaxCrossEntropy(), SGD(0.1), stripes(33), batch_size=32, progress=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 1.5}, "fit: epochs must be a whole number, got 1.5"),
        ({"seed": None}, "fit: seed must be a whole number, got None"),
        ({"batch_size": "3"}, "fit: batch_size must be a whole number, got '3'"),
        ({"max_gradient_norm": -1}, "fit: max_gradient_norm must be positive, got -1"),
        ({"schedule": lambda epoch: -1.0}, "schedule: the factor at epoch 0 must be ≥ 0, got -1.0"),
        ({"schedule": lambda epoch: np.inf}, "the factor at epoch 0 must be ≥ 0, got inf"),
        ({"schedule": lambda epoch: None}, "schedule: the factor at epoch 0 must be a number, got"),
        ({"schedule": "{}".format}, "schedule: the factor at epoch 0 must be a number, got '0.0'"),
        ({"schedule": np.atleast_1d}, "schedule: the factor at epoch 0 must be a number, got"),
        ({"schedule": 0.5}, "schedule must be a function of the epoch, .*, got 0.5"),
        ({"schedule": Cosine}, r"schedule is the class Cosine; write Cosine\(…\)"),
        ({"penalty": 0.1}, r"penalty must be a Penalty such as Penalty\(l2=1e-4\), got 0.1"),
        ({"augment": 2}, r"augment must be a function such as data.RandomAffine\(.*\), got 2"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named_before_anything_moves(arguments, message):
    net = network()
    before = weights(net)
    with pytest.raises((TypeError, ValueError), match=message):
        train(net, **arguments)
    assert weights(net) == before


@pytest.mark.parametrize(
    ("position", "given", "message"),
    [
        (0, SoftmaxCrossEntropy(), "network must be a Sequential, got SoftmaxCrossEntropy"),
        (1, SoftmaxCrossEntropy, r"loss is the class SoftmaxCrossEntropy; write SoftmaxCross.*\(…"),
        (1, "mse", r"loss must be a loss such as SoftmaxCrossEntropy\(\), got 'mse'"),
        (2, SGD, r"optimizer is the class SGD; write SGD\(…\)"),
        (2, "adam", r"optimizer must be an optimizer such as Adam\(1e-3\), got 'adam'"),
    ],
)
def test_a_class_or_a_word_in_place_of_what_it_makes_is_answered_with_what_to_write(
    position, given, message
):
    parts = [network(), SoftmaxCrossEntropy(), SGD(0.1)]
    parts[position] = given
    with pytest.raises(TypeError, match=f"fit: {message}"):
        fit(*parts, stripes(), progress=False)
    if position < 2:
        with pytest.raises(TypeError, match=f"evaluate: {message}"):
            evaluate(*parts[:2], stripes())


def test_floats_that_look_like_pixels_are_warned_of_where_fit_or_evaluate_was_called():
    images, labels = stripes(20)
    scaled, forgotten = (images.astype("f") / 255, labels), (images.astype("f"), labels)
    net = Sequential(Flatten(), Dense(64, 2), seed=0)
    message = "floats from 0 to .* look like pixels.*: divide them by 255"
    with pytest.warns(UserWarning, match=f"validation: {message}") as said:
        fit(net, SoftmaxCrossEntropy(), SGD(0.1), scaled, forgotten, progress=False)
    assert [warning.filename for warning in said] == [__file__]
    with pytest.warns(UserWarning, match=f"samples: {message}") as said:
        evaluate(net, SoftmaxCrossEntropy(), forgotten)
    assert [warning.filename for warning in said] == [__file__]


def test_pixels_that_the_network_itself_standardises_are_not_warned_of():
    images, labels = stripes(20)
    pixels = images.astype("f")
    net = Sequential(Standardize.of(pixels), Flatten(), Dense(64, 2), seed=0)
    evaluate(net, SoftmaxCrossEntropy(), (pixels, labels))


@pytest.mark.parametrize(("low", "high"), [(-1, 200), (0, 100), (0, 300), (0, np.nan), (0, 1)])
def test_other_floats_are_not_warned_of(low, high):
    inputs = np.linspace(low, high, 60, dtype="f").reshape(20, 3)
    evaluate(Sequential(Dense(3, 2)), SoftmaxCrossEntropy(), (inputs, np.zeros(20, int)))


def test_a_loss_that_rises_a_hundredfold_in_the_first_epoch_is_warned_of():
    net = Sequential(Flatten(), Dense(64, 64), ReLU(), Dense(64, 2), seed=0)
    with pytest.warns(UserWarning, match=r"rose from 0\..* smaller learning rate .*1e\+06") as said:
        fit(net, SoftmaxCrossEntropy(), SGD(1e6), stripes(), batch_size=16, progress=False)
    assert [warning.filename for warning in said] == [__file__]


@pytest.mark.parametrize("batch_size", [2.5, "3", None])
def test_predict_and_evaluate_want_whole_numbers_of_samples(batch_size):
    message = f"batch_size must be a whole number, got {batch_size!r}"
    with pytest.raises(TypeError, match=f"predict: {message}"):
        network().predict(stripes()[0], batch_size=batch_size)
    with pytest.raises(TypeError, match=f"evaluate: {message}"):
        evaluate(network(), SoftmaxCrossEntropy(), stripes(), batch_size=batch_size)
    with pytest.raises(ValueError, match="predict: batch_size must be at least 1, got 0"):
        network().predict(stripes()[0], batch_size=0)


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        ((np.zeros((3, 1, 8, 8), "f"), np.zeros(2, int)), ValueError, "3 inputs but 2 targets"),
        ((np.zeros((3, 1, 8, 8), "f"), np.zeros(4, int)), ValueError, "3 inputs but 4 targets"),
        ((np.zeros((0, 1, 8, 8), "f"), np.zeros(0, int)), ValueError, "no samples"),
        ((np.zeros(3, "f"), np.zeros(3, int)), ValueError, r"train: .* shape \(N, …\), got \(3,\)"),
        ((np.zeros((3, 2, 8, 8), "f"), np.zeros(3, int)), ValueError, "layer 0: Conv2D"),
        ((np.zeros((3, 1, 8, 8), int), np.zeros(3, int)), TypeError, "train: wanted uint8"),
        ((np.zeros((3, 1, 8, 8), "f"), np.full(3, 2)), ValueError, "label 2 at index 0"),
        ((np.zeros((3, 1, 8, 8), "f"), np.zeros(3)), TypeError, "labels must be integers"),
        (np.zeros((3, 1, 8, 8), "f"), TypeError, "Dataset or"),
    ],
)
def test_data_that_does_not_fit_is_refused_before_anything_is_computed(samples, error, message):
    net = network()
    before = weights(net)
    with pytest.raises(error, match=message):
        fit(net, SoftmaxCrossEntropy(), SGD(0.1), samples, progress=False)
    assert weights(net) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": -1}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"patience": 1}, "validation"),
        ({"patience": 0, "validation": stripes(4)}, "patience"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        train(**arguments)


def test_a_set_whose_labels_mean_other_classes_is_refused():
    samples, names = stripes(8), ("upright", "lying")
    with pytest.raises(ValueError, match="train has the classes .*, validation .*'upright'"):
        train(validation=Dataset(*samples, names), samples=Dataset(*samples, names[::-1]))
    train(validation=samples, samples=Dataset(*samples, names), epochs=1)


def test_targets_that_are_no_array_are_named():
    with pytest.raises(TypeError, match="train: wanted arrays of inputs and targets, got .*None"):
        train(samples=(stripes(8)[0], None))


@pytest.mark.parametrize(
    "change, kind",
    [
        (lambda net: net.to("numba"), "float32 on 'numba'"),
        (lambda net: net.astype("float64"), "float64 on 'numpy'"),
    ],
)
def test_a_network_that_moves_during_its_training_is_refused(change, kind):
    with pytest.raises(ValueError, match=f"after_epoch made the network {kind}; it was float32"):
        train(after_epoch=lambda epoch, net, history: change(net) and None)
