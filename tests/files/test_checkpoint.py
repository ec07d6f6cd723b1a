"""Saving, loading and resuming: what comes back is what was there, to the last bit."""

import copy

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicnn as m
from minicnn.files import kinds
from tests.conftest import one_in
from tests.strategies import LAYERS, any_layer, networks, normal, seeds, stripes

every_backend = pytest.mark.parametrize("backend", m.backends.available())
OPTIMIZERS = {
    "SGD": lambda: m.SGD(0.1, weight_decay=1e-3),
    "momentum": lambda: m.SGD(0.1, momentum=0.9, nesterov=True),
    "RMSprop": lambda: m.RMSprop(0.01, alpha=0.9),
    "Adagrad": lambda: m.Adagrad(0.01),
    "Adam": lambda: m.Adam(0.01, betas=(0.8, 0.95)),
    "AdamW": lambda: m.AdamW(0.01),
}


def state(network, optimizer=None):
    """Everything that training goes on from, as dtypes and bytes."""
    slots = {} if optimizer is None else optimizer.slots
    parameters = [*network.state().items(), *((n, p) for n in slots for p in slots[n])]
    steps = None if optimizer is None else optimizer.steps
    return steps, [(name, str(p.dtype), p.value.tobytes()) for name, p in parameters]


def assert_same_layer(path, layer, sample, dtype, seed):
    network = m.Sequential(layer).astype(dtype)
    network.reseed(seed)
    x = normal((3, *sample), seed, dtype)
    network.forward(x, training=True)
    m.save(path, network)
    found, optimizer, progress = m.load(path)
    assert optimizer is progress is None
    assert repr(found) == repr(network)
    assert state(found) == state(network)
    for training in (True, False):
        y, same = (one.forward(x, training=training) for one in (network, found))
        assert y.tobytes() == same.tobytes()


@pytest.mark.parametrize("kind", LAYERS)
@given(data=st.data(), dtype=st.sampled_from(["float32", "float64"]), seed=seeds)
def test_every_layer_comes_back_and_computes_the_same(path, kind, data, dtype, seed):
    assert_same_layer(path, *data.draw(LAYERS[kind]), dtype, seed)


@given(drawn=any_layer, depth=st.integers(1, 3), seed=seeds)
def test_networks_in_networks_come_back(path, drawn, depth, seed):
    layer, sample = drawn
    for _ in range(depth):
        layer = m.Sequential(m.Dropout(0.1), layer)
    assert_same_layer(path, layer, sample, "float32", seed)


@every_backend
@pytest.mark.parametrize("kind", OPTIMIZERS)
@one_in(4)
@given(drawn=networks(), seed=seeds)
def test_a_network_and_its_optimizer_go_on_as_if_nothing_had_happened(
    path, backend, kind, drawn, seed
):
    network, sample = drawn
    optimizer, loss = OPTIMIZERS[kind](), m.SoftmaxCrossEntropy()
    x, labels = normal((4, *sample), seed, "float32"), np.arange(4)

    def step(network, optimizer):
        loss.forward(network.forward(x, training=True), labels)
        network.backward(loss.backward())
        optimizer.step(network.parameters())

    network.to(backend)
    for _ in range(2):
        step(network, optimizer)
    m.save(path, network, optimizer)
    found, its_optimizer, _ = m.load(path)
    assert type(its_optimizer) is type(optimizer)
    assert state(found, its_optimizer) == state(network, optimizer)
    step(network, optimizer)
    step(found.to(backend), its_optimizer)
    assert state(found, its_optimizer) == state(network, optimizer)


def test_a_network_in_the_place_of_the_path_is_refused_with_the_right_order(path):
    with pytest.raises(TypeError, match=r"the path comes first: save\(path, network\)"):
        m.save(m.Sequential(m.Dense(3, 1)), path)


@pytest.mark.parametrize("network", [m.Dense(3, 1), None])
def test_what_load_would_not_take_is_not_saved(tmp_path, network):
    with pytest.raises(TypeError, match="save: network must be a Sequential"):
        m.save(tmp_path / "model.npz", network)
    assert not [*tmp_path.iterdir()]


def test_weights_may_be_nan_and_infinite(path):
    network = m.Sequential(m.Dense(3, 1))
    network[0].weight.value = [[np.nan, np.inf, -0.0]]
    m.save(path, network)
    assert state(m.load(path).network) == state(network)


def test_equal_states_give_equal_bytes_and_numpy_reads_them(path):
    network = m.Sequential(m.Dense(3, 2), seed=0)
    m.save(path, network, m.Adam())
    first = path.read_bytes()
    m.save(path, copy.deepcopy(network).to(m.backends.available()[-1]), m.Adam())
    assert path.read_bytes() == first
    with np.load(path) as arrays:
        np.testing.assert_array_equal(arrays["network/0.weight"], network[0].weight.value)


def test_numpys_numbers_are_saved_as_pythons(path):
    network, optimizer = m.Sequential(m.Flatten(), m.Dense(64, 2), seed=0), m.SGD(np.float32(0.5))
    history = m.fit(
        network, m.SoftmaxCrossEntropy(), optimizer, stripes(8), epochs=1, checkpoint=path,
        schedule=lambda epoch: np.float32(0.5), seed=np.int64(1), resume=False, progress=False,
    )  # fmt: skip
    saved = m.load(path)
    assert saved.optimizer.lr == 0.5
    assert saved.progress.history["learning_rate"] == history["learning_rate"] == [0.25]


def test_seeds_of_more_than_32_bits_come_back(path):
    network, x = m.Sequential(m.Dropout(), seed=2**40 + 5), np.ones((4, 100), "f")
    m.save(path, network)
    again = m.load(path).network
    np.testing.assert_array_equal(again.forward(x, True), network.forward(x, True))


def test_what_load_could_not_build_is_not_saved(tmp_path, monkeypatch):
    class Mine(m.ReLU):
        pass

    class Other(m.SGD):
        pass

    Other.__name__ = "SGD"  # which may take what steps it likes

    class Nested(m.Layer):
        def __init__(self, pairs):
            super().__init__(pairs=pairs)

    class Forgetful(m.Layer):
        def __init__(self, size):
            super().__init__()

    network = m.Sequential(m.Dense(2, 2))
    for arguments in ((m.Sequential(Mine()),), (network, Other(0.1))):
        with pytest.raises(TypeError, match=r"Mine\(\)|SGD is none of the optimizers"):
            m.save(tmp_path / "model.npz", *arguments)
    monkeypatch.setattr(kinds.kind, "KINDS", {**kinds.KINDS})
    m.register(Nested)
    m.register(Forgetful)
    with pytest.raises(TypeError, match=r"^Forgetful\(\) cannot be saved: its constructor must"):
        m.save(tmp_path / "model.npz", m.Sequential(Forgetful(3)))
    for pairs in (((1, 2), (3, 4)), [1, 2], 1j):
        with pytest.raises(TypeError, match=r"^Nested\(.*\) cannot be saved: its"):
            m.save(tmp_path / "model.npz", m.Sequential(Nested(pairs)))
    optimizer = m.SGD(0.1, momentum=0.5)
    network.forward(np.ones((1, 2), "f"))
    network.backward(np.ones((1, 2), "f"))
    optimizer.step(network.parameters()[:1])
    with pytest.raises(ValueError, match="velocity belongs to parameters of shapes"):
        m.save(tmp_path / "model.npz", network, optimizer)
    assert not [*tmp_path.iterdir()]


# ── resuming ─────────────────────────────────────────────────────────────────────────────────
