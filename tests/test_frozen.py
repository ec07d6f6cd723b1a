"""Frozen parameters: nothing computes their gradient, nothing moves them, and files know."""

import copy
import tempfile
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import (
    SGD,
    BatchNorm,
    Dense,
    Flatten,
    Layer,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    find_learning_rate,
    fit,
    load,
    save,
    timing,
)
from minicnn.optimizers import clip_gradient_norm
from tests.files.broken import with_header
from tests.strategies import LAYERS, networks, normal, seeds, stripes
from tests.training.small import every_backend, network, train, weights

LEARNING = ["Conv2D", "ConvTranspose2D", "Dense", "BatchNorm", "GroupNorm"]


@pytest.mark.parametrize("kind", LEARNING)
@every_backend
@given(st.data(), seeds)
def test_what_is_frozen_gets_no_gradient_and_all_else_the_same(kind, backend, data, seed):
    layer, shape = data.draw(LAYERS[kind])
    layer.to(backend)
    x = normal((3, *shape), seed, "float32")

    def gradients():
        dy = normal(layer.forward(x).shape, seed, "float32")
        dx = layer.backward(dy)
        return dx.tobytes(), {name: p.grad for name, p in layer.state().items()}

    dx, free = gradients()
    parameters = [name for name, p in layer.state().items() if p.learned]
    frozen = data.draw(st.sets(st.sampled_from(parameters)))
    for name in frozen:
        layer.state()[name].learned = False
    assert [id(p) for p in layer.parameters()] == [
        id(layer.state()[name]) for name in parameters if name not in frozen
    ]
    again, found = gradients()
    assert again == dx
    for name, gradient in found.items():
        if name in frozen or name not in parameters:
            assert gradient is None
        else:
            assert gradient.tobytes() == free[name].tobytes()


@every_backend
def test_a_training_moves_only_what_is_not_frozen(backend):
    net = network().to(backend)
    net[0].freeze()
    before = {name: p.value.copy() for name, p in net.state().items()}
    train(net)
    same = {name for name, p in net.state().items() if np.array_equal(p.value, before[name])}
    assert same == {"0.weight", "0.bias"}


def test_what_was_frozen_and_freed_again_learns_as_if_it_had_not_been():
    net = network()
    net.freeze().freeze(False)
    assert weights(train(net)[0]) == weights(train()[0])


class Watched(ReLU):
    def backward_batch(self, dy, input_gradient=True):
        raise AssertionError("nobody needs what is computed here")


def test_below_the_first_layer_that_learns_nothing_goes_backward():
    net = Sequential(Dense(4, 5).freeze(), Watched(), Dense(5, 2), seed=0)
    fit(net, SoftmaxCrossEntropy(), SGD(0.1), (normal((6, 4), 0), np.zeros(6, int)), progress=False)
    net[0].freeze(False)
    with pytest.raises(AssertionError, match="nobody needs"):
        fit(net, SoftmaxCrossEntropy(), SGD(0.1), (normal((6, 4), 0), np.zeros(6, int)),
            progress=False)  # fmt: skip


@given(networks(), st.data())
def test_a_file_keeps_what_is_frozen(drawn, data):
    net, _ = drawn
    free = [p for p in net.state().values() if not p.statistic]
    for parameter in data.draw(st.lists(st.sampled_from(free))):
        parameter.learned = False
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "a.npz")
        save(path, net)
        again = load(path).network
    learned = [[p.learned for p in n.state().values()] for n in (net, again, copy.deepcopy(net))]
    assert learned[0] == learned[1] == learned[2]


def test_a_training_goes_on_to_the_same_bits_with_what_was_frozen_and_with_nothing_else(tmp_path):
    wanted = network()
    wanted[0].freeze()
    train(wanted)
    for epochs in (1, 3):
        net = network()
        net[0].freeze()
        train(net, epochs=epochs, checkpoint=tmp_path / "a.npz")
    assert weights(net) == weights(wanted)
    with pytest.raises(ValueError, match=r"it has layer 0: .*frozen: weight, bias, this call has"):
        train(network(), epochs=4, checkpoint=tmp_path / "a.npz")


@pytest.mark.parametrize("frozen", [["running_mean"], ["delta"], [3], [["gamma"]], "gamma"])
def test_a_file_that_freezes_what_is_no_parameter_is_refused(frozen, tmp_path):
    path = tmp_path / "a.npz"
    save(path, Sequential(BatchNorm(2)))

    def change(header):
        header["network"]["layers"][0]["frozen"] = frozen

    path.write_bytes(with_header(path.read_bytes(), change))
    with pytest.raises(ValueError, match="frozen"):
        load(tmp_path / "a.npz")


def test_a_statistic_cannot_be_learned():
    with pytest.raises(ValueError, match="no gradient"):
        BatchNorm(2).running_mean.learned = True
    with pytest.raises(TypeError, match="True or False, got 1"):
        BatchNorm(2).gamma.learned = 1


def test_the_summary_says_how_much_is_learned():
    net = Sequential(Dense(4, 5), Sequential(BatchNorm(5)), Dense(5, 2))
    assert "learned" not in net.summary((4,))
    net[2].freeze()
    last = [line.split()[-1] for line in net.summary((4,)).splitlines()]
    assert last[0] == "learned" and last[2] == "25" and last[-3] == "0" and last[-1] == "35"


@pytest.mark.parametrize("train_it", [fit, find_learning_rate])
def test_where_nothing_is_left_to_learn_the_training_is_refused(train_it):
    with pytest.raises(ValueError, match=f"{train_it.__name__}: every parameter is frozen"):
        train_it(network().freeze(), SoftmaxCrossEntropy(), SGD(0.1), stripes())


def test_what_never_had_a_parameter_is_trained_without_an_error():
    assert len(fit(Sequential(Flatten()), SoftmaxCrossEntropy(), SGD(0.1), stripes(),
                   progress=False)) == 1  # fmt: skip


def test_a_class_that_a_frozen_bias_makes_impossible_leaves_the_others_to_learn():
    net = Sequential(Flatten(), Dense(64, 3), seed=0)
    net[1].bias.value = [0, 0, -np.inf]
    net[1].bias.learned = False
    _, history = train(net, epochs=5)
    assert history["train_loss"][-1] < history["train_loss"][0]


def test_an_optimizer_that_knows_other_parameters_wants_a_successor():
    net, optimizer = network(), SGD(0.1, momentum=0.9)
    arguments = SoftmaxCrossEntropy(), optimizer, stripes()
    fit(net, *arguments, progress=False)
    net[0].freeze()
    with pytest.raises(ValueError, match="make another optimizer"):
        fit(net, *arguments, progress=False)


def test_a_profile_has_no_backward_of_what_nobody_needs():
    net = network()
    net[0].freeze()
    x, y = stripes()
    rows = timing.profile(net, SoftmaxCrossEntropy(), SGD(0.1), x, y, repeats=1).rows
    assert [row.name for row in rows if row.direction == "backward"][-1].startswith("1 BatchNorm")


def test_a_frozen_layer_alone_keeps_its_dtype():
    layer = Dense(3, 2).astype("float64").freeze()
    assert layer.dtype == np.float64 and isinstance(layer, Layer)
    assert layer.forward(np.ones((1, 3), "f")).dtype == np.float64


def test_statistics_are_refused_before_anything_is_updated():
    network = Sequential(Dense(3, 3), BatchNorm(3), seed=0)
    before = [p.value.copy() for p in network.parameters()]
    for call in (SGD(0.1).step, lambda given: clip_gradient_norm(given, 1)):
        with pytest.raises(ValueError, match="a statistic has no gradient: wanted those of"):
            call(network.state().values())
    assert all(np.array_equal(p.value, was) for p, was in zip(network.parameters(), before))
