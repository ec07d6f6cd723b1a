"""Small programs that launch, between them, every kernel of the cuda backend, and say so when a
result is wrong. Each is a function without arguments."""

from functools import partial

import numpy as np

from minicnn import backends
from minicnn import layers as nn
from minicnn.network import Parallel, Residual, Sequential
from tests.cuda import test_training as training
from tests.cuda.test_layers import check_against_the_reference
from tests.strategies import ACTIVATIONS, normal

# A layer and the shape of a sample. Each has three products of its own, seconds to compile.
CONVOLUTION = nn.Conv2D(3, 5, 3, padding=1), (3, 7, 7)
TRANSPOSED = nn.ConvTranspose2D(2, 3, 2, stride=2), (2, 5, 4)
LAYERS = [
    CONVOLUTION,
    (nn.Conv2D(3, 6, 3, padding=1, groups=3), (3, 4, 3)),
    TRANSPOSED,
    (nn.MaxPool2D(3, stride=2, padding=1), (2, 9, 9)),
    (nn.AvgPool2D(3, stride=2, padding=1), (2, 9, 9)),
    (nn.BatchNorm(3), (3, 12, 11)),
    (nn.GroupNorm(2, 4), (4, 9, 8)),
    (nn.Standardize((0.5, -1.0), 2.0), (2, 3, 2)),
    (nn.Dropout(0.4, seed=1), (3, 5, 5)),
    (Residual(nn.ReLU()), (2, 5, 6)),
    (Parallel(Sequential(), nn.ReLU()), (2, 5, 6)),
    *((kind(), (2, 5, 1)) for kind in ACTIVATIONS.values()),
    (nn.LeakyReLU(0.2), (5,)),
]


def layer_agrees(layer, shape, is_training=True):
    check_against_the_reference(layer, shape, 3, "float32", 0, is_training)


def batches_agree(dtype):
    """More samples and pixels than a block takes at once, some of them twice, in no order."""
    data = (100 * abs(normal((90, 77), 0))).astype(dtype)
    indices = np.random.default_rng(0).integers(0, 90, 70)
    ops, found = backends.get("cuda"), []
    for name in ("numpy", "cuda"):
        ops = backends.get(name)
        batch = ops.gather(ops.upload(data), indices, np.dtype("float32"), ops.Buffers())
        found.append(ops.to_numpy(batch))
    np.testing.assert_allclose(found[1], found[0], rtol=1e-6)


def counts_agree(batch, classes):
    """Of numbers of which many are alike, and some no numbers."""
    logits, labels = normal((batch, classes), 0, "float32").round(), np.arange(batch) % classes
    logits[::9, classes // 2 :] = np.nan
    ops = backends.get("cuda")
    right = ops.count_correct(ops.from_numpy(logits), labels, ops.Buffers())
    assert ops.to_float(right) == (logits.argmax(axis=1) == labels).sum()


def loss_agrees(loss, outputs, kind):
    training.test_losses_agree_with_the_reference.hypothesis.inner_test(loss, outputs, kind, 9, 0)


PROGRAMS = [
    *(partial(layer_agrees, layer, shape) for layer, shape in LAYERS),
    partial(layer_agrees, nn.BatchNorm(3), (3, 5, 5), False),
    partial(batches_agree, "uint8"),
    partial(batches_agree, "float32"),
    partial(counts_agree, 700, 5),
    partial(counts_agree, 70, 40),
    *(partial(loss_agrees, *case) for case in training.LOSSES),
    *(
        partial(training.test_optimisers_agree_with_the_reference, make)
        for make in training.OPTIMIZERS
    ),
    training.test_training_goes_as_on_the_reference,
]
