"""The whole of it, on the tasks that the library is for. Floors are below what was measured."""

import os

import networks
import pytest

from minicnn import Adam, SoftmaxCrossEntropy, evaluate, fit
from minicnn.data import load_mnist, zener_cards
from minicnn.schedules import OneCycle
from tests.plain_symbols import plain_symbols


@pytest.mark.slow
def test_a_network_that_learned_zener_cards_knows_symbols_drawn_another_way():
    cards = zener_cards(1000, seed=0)
    network, loss = networks.zener7(seed=0).to("numba"), SoftmaxCrossEntropy()
    fit(network, loss, Adam(2e-3), cards, epochs=14, schedule=OneCycle(14), progress=False)
    assert evaluate(network, loss, zener_cards(500, seed=1)).accuracy >= 0.95
    found = evaluate(network, loss, plain_symbols(cards.classes))
    assert found.accuracy >= 0.95
    assert found.recall.min() >= 0.85


@pytest.mark.slow
@pytest.mark.data
def test_a_tenth_of_mnist_teaches_most_of_it():
    if "MINICNN_DATA" not in os.environ:
        pytest.skip("MINICNN_DATA is not set")
    train, test = load_mnist()
    network, loss = networks.mnist_cnn(seed=0), SoftmaxCrossEntropy()
    fit(network, loss, Adam(4e-3), train[:6000], epochs=3, batch_size=64, schedule=OneCycle(3),
        progress=False)  # fmt: skip
    assert evaluate(network, loss, test).accuracy >= 0.93
