"""Steps that are replayed without going through the layers: to the bit what the layers do."""

import threading
from copy import deepcopy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import (
    Adam,
    Conv2D,
    Dense,
    Flatten,
    LeakyReLU,
    MeanSquaredError,
    ReLU,
    Sequential,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    backends,
    fit,
    set_threads,
)
from minicnn.backends import scalar
from minicnn.data import RandomFlip
from minicnn.training.step import repeatable
from tests.conftest import one_in
from tests.strategies import LAYERS, networks, normal, seeds, stripes
from tests.training.small import network, weights

runtime = pytest.importorskip("minicnn.backends.numba.runtime")
get_threads, ops = runtime.get_threads, backends.get("numba")
BATCHES = [np.array(b) for b in ([0, 1, 2], [3, 4, 5], [6, 1], [5, 0, 7], [2, 1, 3], [4, 6])]


def steps_of(layer, images, repeatable, change=lambda step: None):
    """What six steps leave of a layer: after each its parameters, statistics and gradients; the
    losses; and dx of the last.
    """
    loss, ops, found, dxs = MeanSquaredError().on("numba"), layer.to("numba").ops, [], {}
    target = normal(layer.batch_shape(images.shape), 1, images.dtype)
    targets, data = loss.targets(target, target.shape), ops.upload(images)
    steps, state = ops.Steps(images.dtype, (), repeatable), list(layer.state().values())

    def compute(indices):
        x = ops.gather(data, indices, images.dtype, layer.buffers)
        value = loss.compare(layer.forward_batch(x, training=True), targets, indices)
        dxs[len(indices), get_threads()] = layer.backward_batch(loss.backward_batch())
        return value, None

    def update(lr, step):
        change(step)
        for parameter in layer.parameters():
            parameter.data[...] -= parameter.dtype.type(lr) * parameter.gradient

    steps.start(BATCHES, [0.1] * len(BATCHES), 0)
    for batch in BATCHES:
        kind = len(batch), get_threads()  # one is written down, and the others of its kind replayed
        steps.take(compute, update)
        found.append([p.value.tobytes() for p in state])
        found.append([p.gradient.tobytes() for p in layer.parameters()])
    return found, steps.read(), ops.to_numpy(dxs[kind]).tobytes()


@pytest.mark.parametrize("kind", LAYERS)
@one_in(4)
@given(st.data(), seeds, st.sampled_from(["float32", "float64"]))
def test_every_layer_does_the_same_when_it_is_replayed(kind, data, seed, dtype):
    layer, shape = data.draw(LAYERS[kind])
    images = normal((8, *shape), seed, dtype)
    assert steps_of(deepcopy(layer), images, True) == steps_of(deepcopy(layer), images, False)


@one_in(4)
@given(networks(), seeds)
def test_a_network_learns_the_same_with_and_without_replaying(drawn, seed):
    net, shape = drawn
    samples, found = (normal((11, *shape), seed, "float32"), np.arange(11) % 4), []
    for replay in "10":
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("MINICNN_REPLAY", replay)
            # Of batches of 3 the last is another length, and no batch norm is left with one value.
            found.append(learned(deepcopy(net), SoftmaxCrossEntropy(), samples, batch_size=3))
    assert found[0] == found[1]


def learned(net, loss, samples, **arguments):
    """Losses and right answers of two epochs, and the state after them."""
    arguments = {"epochs": 2, "batch_size": 2, "progress": False, **arguments}
    history = fit(net.to("numba"), loss, Adam(1e-3), samples, **arguments)
    return history["train_loss"], history["train_accuracy"], weights(net)


@pytest.mark.parametrize(
    "loss",
    [
        SoftmaxCrossEntropy(label_smoothing=0.1),
        SoftmaxCrossEntropy(class_weights=[1, 3]),
        SigmoidCrossEntropy(),
        MeanSquaredError(),
    ],
    ids=repr,
)
def test_every_loss_is_that_of_its_own_batch(loss, monkeypatch):
    images, labels = stripes(20)
    target = labels if isinstance(loss, SoftmaxCrossEntropy) else np.eye(2, dtype="f")[labels]
    found = []
    for replay in "10":
        monkeypatch.setenv("MINICNN_REPLAY", replay)
        found.append(learned(network(), loss, (images, target), batch_size=8))
    assert found[0] == found[1]


def test_images_are_changed_anew_for_every_step(tmp_path, monkeypatch):
    images, labels = stripes(20)
    np.save(tmp_path / "images.npy", images)
    samples, found = (np.load(tmp_path / "images.npy", mmap_mode="r"), labels), []
    for replay in "10":
        monkeypatch.setenv("MINICNN_REPLAY", replay)
        found.append(learned(network(), SoftmaxCrossEntropy(), samples, augment=RandomFlip()))
    assert found[0] == found[1]


def test_a_replayed_step_does_not_ask_the_layers(monkeypatch):
    net, asked = network().to("numba"), []
    dense_forward = net.ops.dense_forward
    monkeypatch.setattr(net.ops, "dense_forward", lambda *a: asked.append(1) or dense_forward(*a))
    learned(net, SoftmaxCrossEntropy(), stripes(20), epochs=3, batch_size=8)
    assert len(asked) == 3 * 2  # in each epoch the first batch of eight, and the one of four


class Every(ReLU):
    """A layer of a user's own, which counts the batches that it sees."""

    def __init__(self):
        super().__init__()
        self.seen = 0

    def forward_batch(self, x, training):
        self.seen += 1
        return super().forward_batch(x, training)


def test_a_layer_of_a_users_own_is_asked_at_every_step():
    layer = Every()
    net = Sequential(Flatten(), Dense(64, 2), layer, seed=1)
    learned(net, SoftmaxCrossEntropy(), stripes(20), epochs=3, batch_size=8)
    assert layer.seen == 3 * 3


class Annealed(LeakyReLU):
    """Its slope is another at every step; forward_batch is minicnn's own."""

    steps = 0

    def numbers(self):
        self.steps += 1
        return (1 / self.steps,)


def test_whatever_a_layer_of_a_users_own_changes_at_every_step_is_asked_for(monkeypatch):
    found = []
    for replay in "10":
        monkeypatch.setenv("MINICNN_REPLAY", replay)
        net = Sequential(Flatten(), Dense(64, 4), Annealed(), Dense(4, 2), seed=1)
        found.append(learned(net, SoftmaxCrossEntropy(), stripes(20)))
    assert found[0] == found[1]


def test_what_a_users_class_adds_to_a_network_ends_no_replaying():
    class Net(Sequential):
        def shown(self):
            return str(self)

    assert repeatable(Net(Dense(2, 2)), SoftmaxCrossEntropy())
    assert not repeatable(Net(Annealed()), SoftmaxCrossEntropy())


def test_a_loss_of_a_users_own_is_asked_at_every_step():
    class Own(SoftmaxCrossEntropy):
        batches = 0

        def divisor(self, targets, indices):
            Own.batches += 1
            return super().divisor(targets, indices)

    found = [learned(network(), loss, stripes(20)) for loss in (Own(), SoftmaxCrossEntropy())]
    assert found[0] == found[1]
    assert Own.batches >= 2 * 10


def test_the_number_of_threads_may_change_between_two_steps():
    layer, images = Conv2D(16, 16, 3, padding=1), normal((8, 16, 9, 9), 0, "float32")
    before = get_threads()
    try:
        found = [
            steps_of(deepcopy(layer), images, repeatable, lambda step: set_threads(1 + step % 3))
            for repeatable in (True, False)
        ]
    finally:
        set_threads(before)
    assert found[0] == found[1]


def test_a_kernel_runs_on_as_many_threads_as_memory_was_taken_for():
    """Whatever another Python thread sets meanwhile, up to the next batch."""
    before, x = get_threads(), normal((2, 3), 0, "float32")

    def used_by_a_kernel():
        ops.activation_forward(batch, scalar.relu, (), ops.Buffers())
        return runtime.numba.get_num_threads()

    try:
        set_threads(1)
        batch = ops.from_numpy(x)
        other = threading.Thread(target=set_threads, args=(8,))
        other.start()
        other.join()
        assert runtime.threads_here() == used_by_a_kernel() == 1
        batch = ops.from_numpy(x)
        assert runtime.threads_here() == used_by_a_kernel() == get_threads()
    finally:
        set_threads(before)
