"""A small network, and a training that takes a moment."""

import pytest

from minicnn import (
    SGD,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    backends,
    fit,
)
from tests.strategies import stripes

every_backend = pytest.mark.parametrize("backend", backends.available())


def network(seed=0):
    return Sequential(
        Conv2D(1, 4, 3, padding=1), BatchNorm(4), ReLU(), MaxPool2D(2), Flatten(), Dropout(0.2),
        Dense(64, 2), seed=seed,
    )  # fmt: skip


def weights(net):
    return b"".join(p.value.tobytes() for p in net.state().values())


def train(net=None, samples=None, **arguments):
    net, samples = net or network(), samples or stripes()
    arguments = {"epochs": 3, "batch_size": 16, "seed": 1, "progress": False, **arguments}
    history = fit(net, SoftmaxCrossEntropy(), SGD(0.1, momentum=0.9), samples, **arguments)
    return net, history
