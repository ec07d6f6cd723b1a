"""A network on a GPU is copied and pickled as one on the host is."""

import copy
import pickle

import numpy as np
import pytest

import minicnn as m
from tests.strategies import normal


def make_network():
    return m.Sequential(
        m.Dense(4, 6), m.BatchNorm(6), m.ReLU(), m.Dropout(0.5), m.GroupNorm(2, 6), m.Dense(6, 3)
    )


def values(network):
    return [p.value for p in network.state().values()]


@pytest.mark.parametrize(
    "copied", [copy.deepcopy, lambda network: pickle.loads(pickle.dumps(network))],
    ids=["copied", "pickled"],
)  # fmt: skip
def test_a_copy_has_the_same_numbers_in_memory_of_its_own(copied):
    network = make_network().to("cuda")
    x = normal((6, 4), 0, "float32")
    y = network.forward(x)  # there are results in its buffers
    other = copied(network)
    np.testing.assert_array_equal(other.forward(x), y)
    before = values(network)
    for parameter in other.parameters():
        parameter.value = np.zeros(parameter.shape)
    assert all(np.array_equal(a, b) for a, b in zip(values(network), before))


def test_the_parameters_of_a_copy_are_updated_together_as_before():
    """They lie side by side in one piece of memory, and one kernel updates them all."""
    network = make_network().to("cuda")
    arrays = [[p.data for p in net.parameters()] for net in (network, copy.deepcopy(network))]
    runs = [len(network.ops.join([found])[0]) for found in arrays]
    assert runs[0] == runs[1] < len(arrays[0])


def test_an_optimizer_goes_on_in_a_copy():
    images, labels = normal((32, 4), 0, "float32"), np.arange(32) % 3
    loss, network, optimizer = m.SoftmaxCrossEntropy(), make_network().to("cuda"), m.Adam(0.01)
    m.fit(network, loss, optimizer, (images, labels), epochs=1, batch_size=8, progress=False)
    again = copy.deepcopy((network, optimizer))
    for net, its in ((network, optimizer), again):
        m.fit(net, loss, its, (images, labels), epochs=2, batch_size=8, seed=3, progress=False)
    assert all(np.array_equal(a, b) for a, b in zip(values(network), values(again[0])))


def test_a_network_that_has_left_the_device_keeps_nothing_there():
    network, loss = make_network().to("cuda"), m.SoftmaxCrossEntropy().to("cuda")
    loss.forward(network.forward(normal((6, 4), 0, "float32"), training=True), np.arange(6) % 3)
    network.backward(loss.backward())
    network.to("numpy")
    loss.to("numpy")
    for part in (*network.walk(), loss):
        held = {name: type(value).__module__ for name, value in vars(part).items()}
        assert not [name for name, module in held.items() if "cuda" in module]
