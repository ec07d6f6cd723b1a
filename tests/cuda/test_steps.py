"""Steps that stay on the device: recorded and replayed, or, where that can't be, one by one."""

import copy

import numpy as np
import pytest

import minicnn as m
from minicnn import layers as nn
from minicnn.backends.cuda import data, device
from minicnn.backends.cuda.steps import Steps
from minicnn.data import Compose, CutOut, RandomCrop, RandomFlip
from minicnn.layers.base import Layer
from minicnn.network import snapshot
from minicnn.optimizers import Penalty
from minicnn.schedules import Cosine
from minicnn.training.samples import prepare
from minicnn.training.step import forward_and_backward
from tests.strategies import normal

IMAGES, LABELS = normal((5, 2), 0, "float32"), np.arange(5) % 3


class Counted(Layer):
    """The identity, which knows how often it was asked; with `looks`, it reads what passes."""

    def __init__(self, looks=False):
        super().__init__()
        self.looks, self.calls = looks, 0

    def output_shape(self, input_shape):
        return input_shape

    def forward_batch(self, x, training):
        self.calls += 1
        if self.looks:
            self.ops.to_numpy(x)
        return x

    def backward_batch(self, dy, input_gradient=True):
        return dy


def network(*layers):
    return m.Sequential(*layers, nn.Dropout(0.3), nn.Dense(2, 3), seed=1)


def trained(net, optimizer=m.Adam, loss=None, images=IMAGES, backend="cuda", **arguments):
    """The state after three epochs with a ragged last batch, and the history."""
    net, loss = net.to(backend), loss or m.SoftmaxCrossEntropy()
    history = m.fit(
        net, loss, optimizer(0.05), (images, LABELS), epochs=3, batch_size=3, progress=False,
        **arguments,
    )  # fmt: skip
    return b"".join(value.tobytes() for value in snapshot(net).values()), history


@pytest.mark.parametrize(
    "optimizer, layers",
    [
        (m.SGD, []),
        (m.Adagrad, [nn.Standardize(0.5, 2.0), nn.GroupNorm(1, 2)]),
        (m.AdamW, [nn.BatchNorm(2)]),
    ],
)
def test_replayed_steps_give_the_bytes_of_single_launches(optimizer, layers, monkeypatch):
    rules = {"schedule": Cosine(3), "penalty": Penalty(0.01, 0.02), "max_gradient_norm": 0.5}
    replayed, history = trained(network(*copy.deepcopy(layers)), optimizer, **rules)
    monkeypatch.setattr(Steps, "recorded", lambda steps, count, step: step)
    single, other = trained(network(*copy.deepcopy(layers)), optimizer, **rules)
    assert replayed == single
    assert history["train_loss"] == other["train_loss"]
    assert history["train_accuracy"] == other["train_accuracy"]


def test_a_replayed_step_does_not_ask_the_layers(monkeypatch):
    net, asked = network().to("cuda"), []
    dense_forward = net.ops.dense_forward
    monkeypatch.setattr(net.ops, "dense_forward", lambda *a: asked.append(1) or dense_forward(*a))
    m.fit(net, m.SoftmaxCrossEntropy(), m.SGD(0.1), (IMAGES, LABELS), epochs=3, batch_size=1,
          progress=False)  # fmt: skip
    # The first of five steps, and in each of three epochs the one that is recorded.
    assert len(asked) == 1 + 3


@pytest.mark.parametrize("looks", [False, True])
def test_a_layer_of_a_users_own_is_called_at_every_step(looks):
    layer = Counted(looks)
    assert trained(network(layer))[0] == trained(network(nn.Reshape((2,))))[0]
    assert layer.calls == 6


def test_weighted_classes_are_divided_by_the_weights_of_each_batch():
    loss = m.SoftmaxCrossEntropy(class_weights=[1, 2, 4])
    _, wanted = trained(network(), m.SGD, loss, backend="numpy")
    _, found = trained(network(), m.SGD, loss)
    assert found["train_loss"] == pytest.approx(wanted["train_loss"], rel=1e-4)


def test_augmented_images_are_those_that_training_sees():
    def negative(images, rng):
        return -images

    wanted, _ = trained(network(), images=-IMAGES)
    assert trained(network(), augment=negative)[0] == wanted


def test_images_in_a_file_are_changed_batch_by_batch_to_the_same_bytes(tmp_path):
    photos = np.random.default_rng(0).integers(0, 256, (5, 2, 4, 3), dtype=np.uint8)
    np.save(tmp_path / "photos.npy", photos)
    found = []
    for images in (photos, np.load(tmp_path / "photos.npy", mmap_mode="r")):
        net = m.Sequential(nn.Flatten(), nn.Dense(24, 3), seed=1)
        augment = Compose([RandomFlip(), RandomCrop(1), CutOut(2)])
        found.append(trained(net, images=images, augment=augment)[0])
    assert found[0] == found[1]


def test_after_a_loss_that_is_not_finite_nothing_is_updated():
    images, losses = IMAGES.copy(), []
    images[3] = np.nan
    for backend in ("numpy", "cuda"):
        net = m.Sequential(nn.BatchNorm(2), nn.Dropout(0.3), nn.Dense(2, 3), seed=1).to(backend)
        optimizer = m.SGD(0.1)
        with pytest.raises(FloatingPointError, match="nan in epoch 1, step") as error:
            m.fit(net, m.SoftmaxCrossEntropy(), optimizer, (images[:4], LABELS[:4]), epochs=3,
                  batch_size=2, progress=False)  # fmt: skip
        losses.append((str(error.value), optimizer.steps, snapshot(net)))
    assert losses[0][:2] == losses[1][:2]
    for name, value in losses[0][2].items():
        np.testing.assert_allclose(losses[1][2][name], value, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("kind", ["float32", "uint8"])
def test_a_data_set_that_does_not_fit_gives_the_same_bytes(kind, monkeypatch):
    images = (40 * abs(IMAGES)).astype(kind)
    wanted, _ = trained(network(), images=images)
    full = type("Context", (), {"get_memory_info": lambda self: (10, 1000)})()
    monkeypatch.setattr(device.cuda, "current_context", lambda: full)
    assert isinstance(data.upload(images), data.Staged)
    assert trained(network(), images=images)[0] == wanted


def test_every_epoch_is_recorded_anew():
    net, loss = network().to("cuda"), m.SoftmaxCrossEntropy().to("cuda")
    samples, found = prepare(net, loss, (IMAGES, LABELS), "samples"), []
    steps = net.ops.Steps(np.float32)
    for count in (3, 3, 5):
        steps.start([np.array([k]) for k in range(count)], [0.1] * count, 0)
        for _ in range(count):
            steps.take(
                lambda chosen: forward_and_backward(net, loss, samples, chosen), lambda *rates: None
            )
        found.append(steps.read()[1])
    assert [len(right) for right in found] == [3, 3, 5]


class Fading(m.SGD):
    """Decays weights less with every step."""

    calls = 0

    def update(self, ops, values, grads, slots, lr, step):
        self.calls += 1
        ops.sgd_update(values, grads, [], lr, 0.0, False, 1 / self.calls)


def test_an_optimizer_of_a_users_own_is_asked_at_every_step():
    wanted, found = (trained(network(), Fading, backend=b)[1] for b in ("numpy", "cuda"))
    assert found["train_loss"] == pytest.approx(wanted["train_loss"], rel=1e-4)


def test_a_network_that_was_away_between_two_epochs_is_put_back_after_a_broken_loss():
    net, good = m.Sequential(nn.BatchNorm(2), nn.Dropout(0.3), nn.Dense(2, 3), seed=1), {}

    def after_epoch(epoch, net, history):
        net.to("numpy").to("cuda")
        net[2].weight.value = np.full((3, 2), np.nan)
        good.update(snapshot(net))

    with pytest.raises(FloatingPointError):
        trained(net, m.SGD, after_epoch=after_epoch)
    for name, value in snapshot(net).items():
        np.testing.assert_array_equal(value, good[name])
