"""Training: what a step does, in which order samples come, what follows from the seed."""

import threading

import numpy as np
import pytest

from minicnn import (
    SGD,
    Adam,
    Dense,
    Flatten,
    Penalty,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    evaluate,
    fit,
)
from minicnn.data.batches import in_batches, shuffled
from minicnn.optimizers import clip_gradient_norm
from minicnn.schedules import Cosine
from tests.strategies import stripes
from tests.training.small import every_backend, network, train, weights


@every_backend
def test_a_small_network_learns_to_tell_stripes_apart(backend):
    net, history = train(network().to(backend), validation=stripes(40, 1), epochs=5)
    assert history["train_loss"][-1] < history["train_loss"][0]
    found = evaluate(net, SoftmaxCrossEntropy(), stripes(100, 2))
    assert found.accuracy > 0.95
    assert found.confusion.sum() == 100
    np.testing.assert_allclose(found.recall, found.confusion.diagonal() / found.confusion.sum(1))


@every_backend
def test_the_same_seed_gives_the_same_bytes_and_another_seed_others(backend):
    first, again = (weights(train(network().to(backend))[0]) for _ in range(2))
    other = weights(train(network().to(backend), seed=2)[0])
    assert first == again != other


def test_a_training_of_no_epoch_changes_nothing_but_the_masks():
    net, history = train(epochs=0)
    assert len(history) == 0
    assert [p.value.tolist() for p in net.parameters()] == [
        p.value.tolist() for p in network().parameters()
    ]


def test_no_two_epochs_of_no_two_seeds_have_one_order():
    orders = {shuffled(50, seed, epoch).tobytes() for seed in range(10) for epoch in range(10)}
    assert len(orders) == 100


def test_thirty_two_samples_can_be_learned_by_heart_even_with_shuffled_labels():
    images, _ = stripes(32)
    labels = np.random.default_rng(9).integers(0, 2, 32)
    net = Sequential(Flatten(), Dense(64, 64), ReLU(), Dense(64, 2), seed=0)
    fit(net, SoftmaxCrossEntropy(), Adam(0.01), (images, labels), epochs=60, progress=False)
    assert evaluate(net, SoftmaxCrossEntropy(), (images, labels)).accuracy == 1


@every_backend
def test_one_step_is_gather_forward_loss_backward_update(backend):
    images, labels = stripes(10)
    net, other = network().to(backend), network().to(backend)
    fit(net, SoftmaxCrossEntropy(), SGD(0.1), (images, labels), batch_size=10, progress=False)
    other.reseed(0)
    order, loss = shuffled(10, 0, 0), SoftmaxCrossEntropy()
    pixels = images[order] * np.float32(1 / 255)
    loss.forward(other.forward(pixels, training=True), labels[order])
    other.backward(loss.backward())
    SGD(0.1).step(other.parameters())
    for a, b in zip(net.parameters(), other.parameters()):
        np.testing.assert_allclose(a.value, b.value, rtol=1e-5, atol=1e-6)


def test_every_sample_is_seen_once_an_epoch_and_in_another_order_each_time():
    orders = [shuffled(50, 3, epoch) for epoch in range(3)]
    assert all(sorted(order) == list(range(50)) for order in orders)
    assert len({order.tobytes() for order in orders}) == 3
    assert np.array_equal(np.concatenate(list(in_batches(orders[0], 8))), orders[0])
    assert [len(batch) for batch in in_batches(orders[0], 16)] == [16, 16, 16, 2]


def test_images_and_labels_are_shuffled_together():
    images = np.zeros((40, 1, 1, 1), "float32")
    images[20:] = 1
    net = Sequential(Flatten(), Dense(1, 2), seed=0)
    labels = np.repeat([0, 1], 20)
    history = fit(
        net, SoftmaxCrossEntropy(), SGD(2.0), (images, labels), epochs=20, batch_size=8,
        progress=False,
    )  # fmt: skip
    assert history["train_accuracy"][-1] == 1


def test_the_training_loss_is_the_mean_over_samples_also_with_a_ragged_batch():
    images, labels = stripes(10)
    net = Sequential(Flatten(), Dense(64, 2), seed=0)
    history = fit(
        net, SoftmaxCrossEntropy(), SGD(0.0), (images, labels), batch_size=4, progress=False
    )
    found = evaluate(net, SoftmaxCrossEntropy(), (images, labels), batch_size=3)
    assert history["train_loss"][0] == pytest.approx(found.loss, rel=1e-5)
    assert history["train_accuracy"][0] == found.accuracy


def test_class_weights_weigh_samples_across_batches_too():
    images, labels = stripes(10)
    net = Sequential(Flatten(), Dense(64, 2), seed=0)
    loss = SoftmaxCrossEntropy(class_weights=[1, 5])
    whole = loss.forward(net.predict(images), labels)
    in_batches_of_3 = evaluate(net, loss, (images, labels), batch_size=3)
    assert in_batches_of_3.loss == pytest.approx(whole, rel=1e-5)


    history = fit(
        net, loss, SGD(0.0), (images, labels), batch_size=3, progress=False
    )
    assert history["train_loss"][0] == pytest.approx(whole, rel=1e-5)


def test_a_weight_of_zero_takes_a_class_out_also_out_of_batches_of_its_own():
    images, labels = stripes(10)
    net = Sequential(Flatten(), Dense(64, 2), seed=0)
    loss = SoftmaxCrossEntropy(class_weights=[0, 1])
    losses = [evaluate(net, loss, (images, labels), batch_size=n).loss for n in (1, 10)]
    assert losses[0] == pytest.approx(losses[1])
    fit(net, loss, SGD(0.1), (images, labels), batch_size=1, progress=False)


@every_backend
def test_training_is_the_loop_that_one_would_write(backend):
    """Order, learning rate of every step, penalty before clipping, the optimiser's own count."""
    images, labels = stripes(20)
    images, schedule = images.astype("float32") / 255, Cosine(2)
    penalty, loss, written = Penalty(l2=0.5), SoftmaxCrossEntropy().to(backend), Adam(0.01)
    ours, theirs = (Sequential(Flatten(), Dense(64, 2), seed=0).to(backend) for _ in range(2))
    for epoch in range(2):
        for k, batch in enumerate(in_batches(shuffled(20, 3, epoch), 8)):
            loss.forward(theirs.forward(images[batch], training=True), labels[batch])
            theirs.backward(loss.backward())
            penalty.add_gradient(theirs.parameters())
            clip_gradient_norm(theirs.parameters(), 0.1)
            written.step(theirs.parameters(), schedule(epoch + k / 3))
    given = Adam(0.01)
    fit(ours, SoftmaxCrossEntropy(), given, (images, labels), epochs=2, batch_size=8, seed=3,
        schedule=schedule, penalty=penalty, max_gradient_norm=0.1, progress=False)  # fmt: skip
    assert given.steps == written.steps == 6
    for a, b in zip(ours.parameters(), theirs.parameters()):
        np.testing.assert_allclose(a.value, b.value, rtol=1e-6, atol=1e-7)


def test_a_penalty_makes_weights_smaller_and_clipping_limits_the_step():
    plain, _ = train()
    penalised, _ = train(penalty=Penalty(l2=0.1))
    assert np.abs(penalised[0].weight.value).sum() < np.abs(plain[0].weight.value).sum()
    before = network()
    clipped, _ = train(epochs=1, batch_size=60, max_gradient_norm=1e-3)
    moved = sum(
        np.square(a.value - b.value).sum()
        for a, b in zip(clipped.parameters(), before.parameters())
    )
    assert np.sqrt(moved) == pytest.approx(0.1 * 1e-3, rel=1e-2)


def test_two_python_threads_train_two_networks_at_once():
    alone = weights(train()[0])
    found = {}

    def work(k):
        found[k] = weights(train()[0])

    threads = [threading.Thread(target=work, args=(k,)) for k in range(2)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert found == {0: alone, 1: alone}


@every_backend
def test_augmented_inputs_are_drawn_anew_for_every_epoch_and_follow_from_the_seed(backend):
    images, labels = stripes(20)
    seen = []

    def augment(inputs, rng):
        assert np.array_equal(inputs, images)
        moved = np.roll(inputs, rng.integers(0, 5), axis=-1)
        seen.append((rng.random(), moved))
        return moved

    def trained():
        net = network().to(backend)
        fit(net, SoftmaxCrossEntropy(), SGD(0.1), (images, labels), epochs=3, seed=1,
            augment=augment, progress=False)  # fmt: skip
        return weights(net)

    assert trained() == trained()
    draws = [number for number, _ in seen]
    assert draws[:3] == draws[3:] and len(set(draws)) == 3
    with pytest.raises(ValueError, match="augment gave"):
        fit(network(), SoftmaxCrossEntropy(), SGD(0.1), (images, labels),
            augment=lambda inputs, rng: inputs[1:], progress=False)  # fmt: skip
    with pytest.raises(ValueError, match="augment gave float64 .*, wanted"):
        fit(network(), SoftmaxCrossEntropy(), SGD(0.1), (images, labels),
            augment=lambda inputs, rng: inputs.astype("float64"), progress=False)  # fmt: skip


def test_the_images_that_an_augment_gets_are_not_its_own_to_write_to():
    images, labels = stripes(20)

    def spoil(inputs, rng):
        inputs[...] = 0

    with pytest.raises(ValueError, match="read-only"):
        fit(network(), SoftmaxCrossEntropy(), SGD(0.1), (images, labels), augment=spoil,
            progress=False)  # fmt: skip
    assert images.any() and images.flags.writeable
