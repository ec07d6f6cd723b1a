"""The search for a learning rate: what it sees, that it finds, and what it leaves alone."""

import numpy as np
import pytest

from minicnn import (
    SGD,
    Adam,
    Dense,
    Flatten,
    MeanSquaredError,
    Sequential,
    SoftmaxCrossEntropy,
    find_learning_rate,
    plotting,
)
from minicnn.data.batches import in_batches, shuffled
from minicnn.training.rates import RateSweep
from tests.strategies import stripes
from tests.training.small import every_backend, network, train, weights


def sweep(net=None, optimizer=None, **arguments):
    return find_learning_rate(
        net or network(), SoftmaxCrossEntropy(), optimizer or SGD(0.1), stripes(), **arguments
    )


@every_backend
def test_network_and_optimizer_are_left_as_they_were(backend):
    net, optimizer = network().to(backend), SGD(0.1, momentum=0.9)
    before = weights(net)
    sweep(net, optimizer, steps=20)
    assert weights(net) == before
    assert optimizer.steps == 0 and optimizer.slots == {}
    assert weights(train(net)[0]) == weights(train(network().to(backend))[0])


@every_backend
def test_a_straight_line_learns_at_the_rate_that_is_found_and_not_at_a_much_larger_one(backend):
    """For y = w·x with x = ±1 gradient descent of (wx − y)² diverges from lr = 1 on."""
    rng = np.random.default_rng(0)
    x = rng.choice([-1.0, 1.0], (256, 1)).astype("f")
    net = Sequential(Dense(1, 1, bias=False), seed=0).to(backend)
    y = (3 * x + rng.standard_normal(x.shape) / 10).astype("f")
    found = find_learning_rate(net, MeanSquaredError(), SGD(1.0), (x, y), lowest=1e-4)
    assert 0.01 < found.suggestion < 0.5
    assert found.losses[-1] > found.smooth.min()
    assert 1 < found.rates[-1] <= 10
    risen = found.smooth > 4 * np.minimum.accumulate(found.smooth)
    assert risen.tolist() == [False] * (len(risen) - 1) + [True]


def test_rates_grow_by_one_factor_and_losses_are_those_of_the_batches():
    found = sweep(lowest=1e-5, highest=1e-3, steps=9)
    assert found.rates[[0, -1]] == pytest.approx([1e-5, 1e-3])
    np.testing.assert_allclose(found.rates[1:] / found.rates[:-1], 100 ** (1 / 8))
    weighted = [0.9 ** np.arange(k, -1, -1) for k in range(9)]
    wanted = [(w * found.losses[: len(w)]).sum() / w.sum() for w in weighted]
    np.testing.assert_allclose(found.smooth, wanted)


def test_losses_are_those_of_the_loop_that_one_would_write():
    images, labels = stripes(40)
    nets = [Sequential(Flatten(), Dense(64, 2), seed=0) for _ in range(2)]
    loss, optimizer = SoftmaxCrossEntropy(), Adam()
    found = find_learning_rate(nets[0], loss, Adam(), (images, labels), steps=8, seed=3,
                               lowest=1e-3, highest=0.1, batch_size=16)  # fmt: skip
    batches = [b for epoch in range(3) for b in in_batches(shuffled(40, 3, epoch), 16)]
    wanted = []
    for batch, rate in zip(batches, np.geomspace(1e-3, 0.1, 8)):
        x = images[batch].astype("f") / 255
        wanted.append(loss.forward(nets[1].forward(x, training=True), labels[batch]))
        nets[1].backward(loss.backward())
        optimizer.lr = rate
        optimizer.step(nets[1].parameters())
    np.testing.assert_allclose(found.losses, wanted, rtol=1e-4)


def test_the_suggestion_is_a_tenth_of_the_rate_at_the_lowest_mean():
    losses, smooth = np.array([3.0, 0.5, 1.0, 2.0]), np.array([3.0, 2.0, 1.5, 1.6])
    assert RateSweep(np.array([1.0, 2.0, 4.0, 8.0]), losses, smooth).suggestion == 0.4


def test_the_same_seed_finds_the_same_and_the_optimizers_own_rate_does_not_matter():
    first, second = sweep(steps=15), sweep(optimizer=SGD(3.0), steps=15)
    assert first.losses.tobytes() == second.losses.tobytes()
    assert first.losses.tobytes() != sweep(steps=15, seed=1).losses.tobytes()


def test_an_optimizer_in_the_middle_of_a_training_is_looked_at_from_its_start():
    net, optimizer = network(), Adam(1e-3)
    fresh = sweep(net, Adam(1e-3), steps=5)
    for parameter in net.parameters():
        parameter.grad[...] = 1
    before = {name: p.value.copy() for name, p in net.state().items()}
    optimizer.step(net.parameters())
    for name, p in net.state().items():
        p.value = before[name]
    again = sweep(net, optimizer, steps=5)
    assert again.losses.tobytes() == fresh.losses.tobytes() and optimizer.steps == 1


def test_it_says_what_it_found_and_draws_it():
    found = sweep()
    text = repr(found)
    assert f"suggestion {found.suggestion:.2g}" in text and f"{len(found.rates)} steps" in text
    axes = plotting.rate_sweep(found).axes[0]
    assert axes.get_xscale() == "log"
    assert list(axes.lines[0].get_ydata()) == list(found.losses)
    assert axes.lines[2].get_xdata()[0] == found.suggestion


@pytest.mark.parametrize(
    "arguments, words",
    [
        ({"lowest": 0}, "0 < lowest < highest, got 0"),
        ({"lowest": 1, "highest": 0.1}, "0 < lowest < highest"),
        ({"lowest": 1, "highest": 1}, "0 < lowest < highest"),
        ({"highest": float("inf")}, "0 < lowest < highest"),
        ({"steps": 1}, "steps must be at least 2"),
        ({"batch_size": 0}, "batch_size must be at least 1"),
        ({"seed": -1}, "seed must be at least 0"),
    ],
)
def test_arguments_without_a_meaning_are_refused(arguments, words):
    with pytest.raises(ValueError, match=words):
        sweep(**arguments)


def test_data_without_numbers_is_refused():
    x = np.full((40, 1, 8, 8), np.nan, "f")
    with pytest.raises(ValueError, match="the loss of the first batch is nan"):
        find_learning_rate(network(), SoftmaxCrossEntropy(), SGD(0.1), (x, np.zeros(40, int)))
