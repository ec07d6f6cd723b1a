"""A masked array is refused wherever arrays come in: NumPy would go on without the mask."""

import numpy as np
import pytest

import minicnn as m
from minicnn import gradcheck, metrics, plotting
from minicnn.data import Dataset
from tests.strategies import stripes

pixels, labels = stripes(6)
images = pixels.astype("f")
one_hot = np.eye(2, dtype="f")[labels]


def masked(array):
    return np.ma.masked_array(array, mask=np.arange(array.size).reshape(array.shape) == 1)


def network():
    return m.Sequential(m.Flatten(), m.Dense(64, 2), seed=0)


def after_forward():
    net = network()
    net.forward(images)
    return net


def fit(inputs, targets, loss=None):
    m.fit(network(), loss or m.SoftmaxCrossEntropy(), m.SGD(0.1), (inputs, targets), progress=False)


DOORS = {
    "forward": lambda: network().forward(masked(images)),
    "backward": lambda: after_forward().backward(masked(one_hot)),
    "value": lambda: setattr(network()[1].weight, "value", masked(np.zeros((2, 64)))),
    "predict": lambda: network().predict(masked(pixels)),
    "fit: inputs": lambda: fit(masked(images), labels),
    "fit: labels": lambda: fit(images, masked(labels)),
    "softmax": lambda: m.SoftmaxCrossEntropy().forward(one_hot, masked(labels)),
    "sigmoid": lambda: m.SigmoidCrossEntropy().forward(one_hot, masked(one_hot)),
    "squares": lambda: m.MeanSquaredError().forward(one_hot, masked(one_hot)),
    "prediction": lambda: m.MeanSquaredError().forward(masked(one_hot), one_hot),
    "class weights": lambda: m.SoftmaxCrossEntropy(class_weights=masked(np.ones(2))),
    "evaluate": lambda: m.evaluate(network(), m.SoftmaxCrossEntropy(), (images, masked(labels))),
    "Dataset: images": lambda: Dataset(masked(pixels), labels, ("|", "-")),
    "Dataset: labels": lambda: Dataset(pixels, masked(labels), ("|", "-")),
    "Dataset: index": lambda: Dataset(pixels, labels, ("|", "-"))[masked(np.arange(3))],
    "confusion_matrix": lambda: metrics.confusion_matrix(labels, masked(labels), 2),
    "accuracy": lambda: metrics.accuracy(masked(np.eye(2, dtype=int))),
    "gradcheck": lambda: gradcheck.check(m.ReLU(), masked(images)),
    "image_grid": lambda: plotting.image_grid(masked(pixels)),
    "plot of a matrix": lambda: plotting.confusion_matrix(masked(np.eye(2, dtype=int)), "ab"),
    "feature_maps": lambda: plotting.feature_maps(network(), masked(images)[0]),
    "saliency": lambda: plotting.saliency(
        network(), m.SoftmaxCrossEntropy(), masked(images), labels
    ),
    "mistakes": lambda: plotting.confident_mistakes(images, masked(one_hot), labels, "ab"),
}


@pytest.mark.parametrize("enter", DOORS.values(), ids=DOORS)
def test_a_masked_array_is_refused(enter):
    with pytest.raises(TypeError, match="is a masked array, and the mask would be lost"):
        enter()
