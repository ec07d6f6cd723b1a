"""Python threads that share a network or a loss: what each gets is what it would get alone."""

import copy
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import minicnn as m

BACKENDS = ["numpy", "numba"]
RNG = np.random.default_rng(0)
IMAGES = RNG.random((60, 1, 8, 8), dtype=np.float32)
LABELS = RNG.integers(0, 3, 60)
LOSS = m.SoftmaxCrossEntropy()


def network(backend, seed=0):
    return m.Sequential(
        m.Conv2D(1, 4, 3, padding="same"), m.BatchNorm(4), m.ReLU(), m.MaxPool2D(2),
        m.Flatten(), m.Dropout(0.2), m.Dense(64, 3), seed=seed,
    ).to(backend)  # fmt: skip


def train(net, loss, epochs=3):
    m.fit(net, loss, m.Adam(), (IMAGES, LABELS), epochs=epochs, batch_size=10, progress=False)
    return [p.value.copy() for p in net.state().values()]


def assert_same(found, wanted):
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


def at_once(function, arguments, threads=6):
    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(function, arguments))


@pytest.mark.parametrize("backend", BACKENDS)
def test_threads_that_share_a_network_predict_what_one_would(backend):
    net = network(backend)
    parts = [IMAGES[k % 30 : k % 30 + 1 + k % 7] for k in range(200)]
    alone = [net.predict(part) for part in parts]
    assert_same(at_once(net.predict, parts), alone)
    assert_same(at_once(net.forward, parts), alone)


@pytest.mark.parametrize("backend", BACKENDS)
def test_networks_that_share_their_layers_take_turns_as_well(backend):
    net = network(backend)
    first = m.Sequential(*net.layers[:4])
    jobs = [(n, IMAGES[k % 30 : k % 30 + 1 + k % 7]) for k in range(60) for n in (net, first)]
    alone = [n.predict(part) for n, part in jobs]
    assert_same(at_once(lambda job: job[0].predict(job[1]), jobs), alone)


@pytest.mark.parametrize("backend", BACKENDS)
def test_threads_that_share_network_and_loss_find_the_same_losses(backend):
    net = network(backend)
    parts = [(IMAGES[k : k + 10], LABELS[k : k + 10]) for k in range(50)]
    alone = [m.evaluate(net, LOSS, part).loss for part in parts]
    assert at_once(lambda part: m.evaluate(net, LOSS, part).loss, parts) == alone


@pytest.mark.parametrize("backend", BACKENDS)
def test_two_trainings_with_one_loss_are_what_each_would_be_alone(backend):
    alone = [train(network(backend, seed), LOSS) for seed in range(4)]
    other = "numpy" if backend == "numba" else "numba"
    nets = [network(backend, seed) for seed in range(4)] + [network(other)]
    found = at_once(lambda net: train(net, LOSS), nets, threads=5)
    for states in zip(found, alone):
        assert_same(*states)


@pytest.mark.parametrize("backend", BACKENDS)
def test_predicting_while_another_thread_trains_disturbs_neither(backend, tmp_path):
    alone = train(network(backend), LOSS, epochs=8)
    net, found, stop = network(backend), [], threading.Event()

    def predict_and_save():
        while not stop.is_set():
            net.predict(IMAGES[:7])
            m.save(tmp_path / "now", net)
            found.append(m.load(tmp_path / "now").network.predict(IMAGES))

    watcher = threading.Thread(target=predict_and_save)
    watcher.start()
    try:
        trained = train(net, LOSS, epochs=8)
    finally:
        stop.set()
        watcher.join()
    assert_same(trained, alone)
    assert found and np.isfinite(found).all()


def test_a_network_that_is_being_trained_is_refused_by_a_second_fit():
    net, losses = network("numpy"), []

    def schedule(epoch):
        if not losses:
            with pytest.raises(RuntimeError, match=r"being trained already.*deepcopy"):
                m.fit(net, LOSS, m.SGD(0.1), (IMAGES, LABELS), progress=False)
            losses.append(epoch)
        return 1.0

    for _ in range(2):  # and again once the first is over
        m.fit(net, LOSS, m.SGD(0.1), (IMAGES, LABELS), schedule=schedule, progress=False)
    assert losses


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("subject", ["network", "loss"])
def test_a_backward_is_right_or_refused_whatever_other_threads_do(backend, subject):
    if subject == "network":
        shared, given = network(backend), IMAGES
        upstream = RNG.standard_normal((60, 3)).astype("f")

        def gradient(owner, part):
            owner.forward(given[part], training=False)
            return owner.backward(upstream[part])
    else:
        shared, given = m.SoftmaxCrossEntropy().to(backend), RNG.random((60, 3), dtype=np.float32)

        def gradient(owner, part):
            owner.forward(given[part], LABELS[part])
            return owner.backward()

    def right_or_refused(part):
        try:
            return gradient(shared, part)
        except RuntimeError as error:
            assert "backward needs a forward" in str(error)

    parts = [slice(k % 30, k % 30 + 1 + k % 7) for k in range(200)]
    alone = [gradient(copy.deepcopy(shared), part) for part in parts]
    for found, wanted in zip(at_once(right_or_refused, parts), alone):
        if found is not None:
            np.testing.assert_array_equal(found, wanted)
    assert_same([right_or_refused(part) for part in parts], alone)


def test_a_copied_network_waits_for_nobody():
    net = network("numpy")
    net.forward(IMAGES)
    other = copy.deepcopy(net)
    with net.alone(), ThreadPoolExecutor(1) as pool:
        found = pool.submit(other.predict, IMAGES).result()
    np.testing.assert_array_equal(found, net.predict(IMAGES))
