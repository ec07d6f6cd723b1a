import json
import os
import threading

import numpy as np
import pytest

from minicnn import (
    SGD,
    Adam,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    MeanSquaredError,
    Penalty,
    ReLU,
    Sequential,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    Standardize,
    StopTraining,
    backends,
    evaluate,
    fit,
    load,
)
from minicnn.data import Dataset
from minicnn.data.batches import in_batches, shuffled
from minicnn.files.checkpoint import Progress
from minicnn.files.history import COLUMNS, History
from minicnn.optimizers import clip_gradient_norm
from minicnn.schedules import Cosine
from tests.strategies import stripes

every_backend = pytest.mark.parametrize("backend", backends.available())


def network(seed=0):
    return Sequential(
        Conv2D(1, 4, 3, padding=1), BatchNorm(4), ReLU(), MaxPool2D(2), Flatten(), Dropout(0.2),
        Dense(64, 2), seed=seed,
    )  # fmt: skip


def weights(net):
    return b"".join(p.value.tobytes() for p in net.state().values())


def train(net=None, **arguments):
    net = net or network()
    arguments = {"epochs": 3, "batch_size": 16, "seed": 1, "progress": False, **arguments}
    history = fit(net, SoftmaxCrossEntropy(), SGD(0.1, momentum=0.9), stripes(), **arguments)
    return net, history


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


def test_history_records_every_epoch_and_saves_itself_as_json(tmp_path):
    _, history = train(validation=stripes(20, 1), schedule=lambda epoch: 1 / (1 + epoch))
    assert len(history) == 3
    assert history["learning_rate"] == pytest.approx([0.1 / 1.75, 0.1 / 2.75, 0.1 / 3.75])
    assert all(0 <= a <= 1 for a in history["validation_accuracy"])
    assert all(s > 0 for s in history["seconds"])
    history.save(tmp_path / "new" / "history.json")
    assert json.loads((tmp_path / "new" / "history.json").read_bytes()) == history.columns
    assert os.listdir(tmp_path / "new") == ["history.json"]
    assert len(history.plot().axes) == 2


def test_without_validation_its_columns_hold_nothing():
    _, history = train()
    assert history["validation_loss"] == [None] * 3


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


def test_a_batch_too_small_for_batch_norm_is_refused_before_the_first_step():
    net = Sequential(Flatten(), Dense(64, 4), BatchNorm(4), Dense(4, 2), seed=0)
    before = weights(net)
    with pytest.raises(ValueError, match="33 samples in batches of 32 leave one of 1, and Batch"):
        fit(net, SoftmaxCrossEntropy(), SGD(0.1), stripes(33), batch_size=32, progress=False)
    assert weights(net) == before
    fit(network(), SoftmaxCrossEntropy(), SGD(0.1), stripes(33), batch_size=32, progress=False)


def test_a_validation_loss_that_is_no_number_is_never_the_best():
    run, net = Progress({}), network()
    for value in (float("nan"), 0.5, float("nan"), 0.6):
        run.history.append(**dict.fromkeys(COLUMNS, value))
        run.compare(value, net)
    assert (run.best.epoch, run.best.loss) == (1, 0.5)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 1.5}, "fit: epochs must be a whole number, got 1.5"),
        ({"seed": None}, "fit: seed must be a whole number, got None"),
        ({"batch_size": "3"}, "fit: batch_size must be a whole number, got '3'"),
        ({"max_gradient_norm": -1}, "fit: max_gradient_norm must be positive, got -1"),
        ({"schedule": lambda epoch: -1.0}, r"schedule: got the factor -1.0 at epoch 0"),
        ({"schedule": 0.5}, "schedule must be a function of the epoch, .*, got 0.5"),
        ({"schedule": Cosine}, r"schedule is the class Cosine; write Cosine\(…\)"),
        ({"penalty": 0.1}, r"penalty must be a Penalty such as Penalty\(l2=1e-4\), got 0.1"),
        ({"augment": 2}, r"augment must be a function such as data.RandomAffine\(.*\), got 2"),
    ],
)
def test_an_argument_that_makes_no_sense_is_named_before_anything_moves(arguments, message):
    net = network()
    before = weights(net)
    with pytest.raises((TypeError, ValueError), match=message):
        train(net, **arguments)
    assert weights(net) == before


@pytest.mark.parametrize(
    ("position", "given", "message"),
    [
        (0, SoftmaxCrossEntropy(), "network must be a Sequential, got SoftmaxCrossEntropy"),
        (1, SoftmaxCrossEntropy, r"loss is the class SoftmaxCrossEntropy; write SoftmaxCross.*\(…"),
        (1, "mse", r"loss must be a loss such as SoftmaxCrossEntropy\(\), got 'mse'"),
        (2, SGD, r"optimizer is the class SGD; write SGD\(…\)"),
        (2, "adam", r"optimizer must be an optimizer such as Adam\(1e-3\), got 'adam'"),
    ],
)
def test_a_class_or_a_word_in_place_of_what_it_makes_is_answered_with_what_to_write(
    position, given, message
):
    parts = [network(), SoftmaxCrossEntropy(), SGD(0.1)]
    parts[position] = given
    with pytest.raises(TypeError, match=f"fit: {message}"):
        fit(*parts, stripes(), progress=False)
    if position < 2:
        with pytest.raises(TypeError, match=f"evaluate: {message}"):
            evaluate(*parts[:2], stripes())


def test_floats_that_look_like_pixels_are_warned_of_where_fit_or_evaluate_was_called():
    images, labels = stripes(20)
    scaled, forgotten = (images.astype("f") / 255, labels), (images.astype("f"), labels)
    net = Sequential(Flatten(), Dense(64, 2), seed=0)
    message = "floats from 0 to .* look like pixels.*: divide them by 255"
    with pytest.warns(UserWarning, match=f"validation: {message}") as said:
        fit(net, SoftmaxCrossEntropy(), SGD(0.1), scaled, forgotten, progress=False)
    assert [warning.filename for warning in said] == [__file__]
    with pytest.warns(UserWarning, match=f"samples: {message}") as said:
        evaluate(net, SoftmaxCrossEntropy(), forgotten)
    assert [warning.filename for warning in said] == [__file__]


def test_pixels_that_the_network_itself_standardises_are_not_warned_of():
    images, labels = stripes(20)
    pixels = images.astype("f")
    net = Sequential(Standardize.of(pixels), Flatten(), Dense(64, 2), seed=0)
    evaluate(net, SoftmaxCrossEntropy(), (pixels, labels))


@pytest.mark.parametrize(("low", "high"), [(-1, 200), (0, 100), (0, 300), (0, np.nan), (0, 1)])
def test_other_floats_are_not_warned_of(low, high):
    inputs = np.linspace(low, high, 60, dtype="f").reshape(20, 3)
    evaluate(Sequential(Dense(3, 2)), SoftmaxCrossEntropy(), (inputs, np.zeros(20, int)))


def test_a_loss_that_rises_a_hundredfold_in_the_first_epoch_is_warned_of():
    net = Sequential(Flatten(), Dense(64, 64), ReLU(), Dense(64, 2), seed=0)
    with pytest.warns(UserWarning, match=r"rose from 0\..* smaller learning rate .*1e\+06") as said:
        fit(net, SoftmaxCrossEntropy(), SGD(1e6), stripes(), batch_size=16, progress=False)
    assert [warning.filename for warning in said] == [__file__]


def test_a_history_is_shown_as_a_table_of_the_columns_that_hold_something():
    history = History()
    always = {"learning_rate": 1e-3, "seconds": 0.25}
    for k in range(3):
        sometimes = {"train_loss": 1 / (1 + k), "validation_accuracy": None if k else 0.5}
        history.append(**dict.fromkeys(COLUMNS) | always | sometimes)
    assert repr(history).split("\n") == [
        "epoch  train loss  validation accuracy  learning rate  seconds",
        "    1      1.0000               50.00%          0.001      0.2",
        "    2      0.5000                               0.001      0.2",
        "    3      0.3333                               0.001      0.2",
    ]
    assert repr(History()) == "epoch"


def test_of_a_long_history_the_first_and_the_last_epochs_are_shown():
    history = History()
    for k in range(25):
        history.append(**dict.fromkeys(COLUMNS, k))
    lines = repr(history).split("\n")
    assert lines[11] == "... 5 more ..."
    assert [line.split()[0] for line in lines[1:11] + lines[12:]] == [
        str(k) for k in [*range(1, 11), *range(16, 26)]
    ]


def test_an_evaluation_is_shown_as_a_table_with_the_names_of_the_classes():
    images, labels = stripes(1100)
    net = Sequential(Flatten(), Dense(64, 2, bias=False))
    net[1].weight.value = np.zeros((2, 64))
    found = evaluate(net, SoftmaxCrossEntropy(), Dataset(images, labels, ["upright", "flat"]))
    right = np.mean(labels == 0)
    assert found.classes == ("upright", "flat")
    assert repr(found).split("\n") == [
        f"loss 0.6931, accuracy {right:.2%}",
        "class    samples  precision   recall",
        f"upright      {(labels == 0).sum()}     {right:.2%}  100.00%",
        f"flat         {(labels == 1).sum()}       nan%    0.00%",
    ]
    unnamed = evaluate(net, SoftmaxCrossEntropy(), (images, labels))
    assert unnamed.classes is None
    assert [line.split()[0] for line in repr(unnamed).split("\n")[2:]] == ["0", "1"]
    more = Dataset(images, labels, ["upright", "flat", "dotted"])
    assert evaluate(net, SoftmaxCrossEntropy(), more).classes is None
    found = evaluate(net, MeanSquaredError(), (images, np.zeros((1100, 2), "f")))
    assert repr(found) == "loss 0.0000"


def test_early_stopping_puts_the_best_epoch_back():
    calls = []

    def getting_worse(epoch):
        calls.append(epoch)
        return 1.0 if epoch < 2 else 40.0

    net, history = train(
        validation=stripes(30, 1), epochs=30, patience=2, schedule=getting_worse, seed=4
    )
    losses = history["validation_loss"]
    assert len(losses) < 30
    assert len(losses) - 1 - int(np.argmin(losses)) == 2
    best = evaluate(net, SoftmaxCrossEntropy(), stripes(30, 1)).loss
    assert best == pytest.approx(min(losses), rel=1e-5)


def test_a_loss_that_is_not_finite_stops_training_and_names_epoch_and_step():
    images, labels = stripes(40)
    images = images.astype("float32")
    images[shuffled(40, 0, 0)[25]] = np.nan
    net = Sequential(Flatten(), Dense(64, 2), seed=0)
    with pytest.raises(FloatingPointError, match="loss is nan in epoch 1, step 3"):
        fit(net, SoftmaxCrossEntropy(), SGD(0.1), (images, labels), batch_size=10, progress=False)
    assert np.isfinite(net.parameters()[0].value).all()


@every_backend
def test_after_a_loss_that_is_not_finite_the_network_is_as_after_the_last_good_step(backend):
    if backend == "cuda":
        pytest.skip("the device goes on until the host looks at the losses")
    images, labels = np.ones((40, 2, 4, 4), "f"), stripes(40)[1]
    images += np.random.default_rng(0).standard_normal(images.shape).astype("f")
    batches = [*in_batches(shuffled(40, 0, 0), 10)]
    images[batches[2][5], 0] = np.nan  # the other channel's statistics stay numbers

    def fresh():
        layers = BatchNorm(2), Flatten(), Dropout(0.2), Dense(32, 2)
        return Sequential(*layers, seed=0).to(backend)

    net, same, loss = fresh(), fresh(), SoftmaxCrossEntropy()
    with pytest.raises(FloatingPointError, match="loss is nan in epoch 1, step 3"):
        fit(net, loss, SGD(0.1), (images, labels), batch_size=10, progress=False)
    same.reseed(0)
    optimizer = SGD(0.1)
    for indices in batches[:2]:
        loss.forward(same.forward(images[indices], training=True), labels[indices])
        same.backward(loss.backward())
        optimizer.step(same.parameters())
    for name, p in same.state().items():
        np.testing.assert_allclose(net.state()[name].value, p.value, rtol=1e-6, atol=0)
    assert net[2].step.value == 2


@pytest.mark.parametrize("batch_size", [2.5, "3", None])
def test_predict_and_evaluate_want_whole_numbers_of_samples(batch_size):
    message = f"batch_size must be a whole number, got {batch_size!r}"
    with pytest.raises(TypeError, match=f"predict: {message}"):
        network().predict(stripes()[0], batch_size=batch_size)
    with pytest.raises(TypeError, match=f"evaluate: {message}"):
        evaluate(network(), SoftmaxCrossEntropy(), stripes(), batch_size=batch_size)
    with pytest.raises(ValueError, match="predict: batch_size must be at least 1, got 0"):
        network().predict(stripes()[0], batch_size=0)


def test_a_learning_rate_that_is_much_too_large_is_reported_not_warned_about():
    with pytest.raises(FloatingPointError, match="smaller learning rate"):
        fit(
            Sequential(Flatten(), Dense(64, 64), ReLU(), Dense(64, 2), seed=0),
            MeanSquaredError(), SGD(1e30), (stripes()[0], np.eye(2, dtype="f")[stripes()[1]]),
            epochs=50, progress=False,
        )  # fmt: skip


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


def test_regression_has_a_loss_and_nothing_else():
    x = np.linspace(-1, 1, 50, dtype="float32")[:, None]
    net = Sequential(Dense(1, 1), seed=0)
    history = fit(
        net, MeanSquaredError(), SGD(0.3), (x, 3 * x - 1), epochs=40, progress=False
    )
    found = evaluate(net, MeanSquaredError(), (x, 3 * x - 1))
    assert found.loss < 1e-4
    assert found.accuracy is found.confusion is None
    assert history["train_accuracy"][0] is None
    np.testing.assert_allclose(net[0].weight.value, [[3]], atol=0.05)


def test_targets_as_rows_are_judged_by_their_largest_number():
    images, labels = stripes(40)
    found = []
    for targets in (labels, np.eye(2)[labels], 0.8 * np.eye(2)[labels] + 0.1):
        net = Sequential(Flatten(), Dense(64, 2), seed=0)
        history = fit(net, SoftmaxCrossEntropy(), SGD(0.0), (images, targets), progress=False)
        judged = evaluate(net, SoftmaxCrossEntropy(), (images, targets))
        found.append((history["train_accuracy"], judged.accuracy, judged.confusion.tolist()))
    assert found[0] == found[1] == found[2]
    assert 0 < found[0][1] < 1


def test_several_answers_at_once_are_judged_by_their_loss_alone():
    images, _ = stripes(20)
    net, targets = Sequential(Flatten(), Dense(64, 3), seed=0), np.eye(3)[np.arange(20) % 3]
    history = fit(net, SigmoidCrossEntropy(), SGD(0.1), (images, targets), progress=False)
    assert history["train_accuracy"] == [None]
    assert evaluate(net, SigmoidCrossEntropy(), (images, targets)).accuracy is None


def test_one_against_the_rest_counts_the_sign_of_its_one_logit():
    images, labels = stripes(60)
    net = Sequential(Flatten(), Dense(64, 1), seed=0)
    history = fit(
        net, SigmoidCrossEntropy(), SGD(0.5), (images, labels), epochs=20, progress=False
    )
    found = evaluate(net, SigmoidCrossEntropy(), (images, labels))
    right = (net.predict(images)[:, 0] > 0) == labels
    assert found.accuracy == right.mean() > 0.9
    assert found.confusion.shape == (2, 2)
    assert history["train_accuracy"][-1] > 0.9


@pytest.mark.parametrize(
    ("samples", "error", "message"),
    [
        ((np.zeros((3, 1, 8, 8), "f"), np.zeros(2, int)), ValueError, "3 inputs but 2 targets"),
        ((np.zeros((0, 1, 8, 8), "f"), np.zeros(0, int)), ValueError, "no samples"),
        ((np.zeros((3, 2, 8, 8), "f"), np.zeros(3, int)), ValueError, "layer 0: Conv2D"),
        ((np.zeros((3, 1, 8, 8), int), np.zeros(3, int)), TypeError, "train: wanted uint8"),
        ((np.zeros((3, 1, 8, 8), "f"), np.full(3, 2)), ValueError, "label 2 at index 0"),
        ((np.zeros((3, 1, 8, 8), "f"), np.zeros(3)), TypeError, "labels must be integers"),
        (np.zeros((3, 1, 8, 8), "f"), TypeError, "Dataset or"),
    ],
)
def test_data_that_does_not_fit_is_refused_before_anything_is_computed(samples, error, message):
    net = network()
    before = weights(net)
    with pytest.raises(error, match=message):
        fit(net, SoftmaxCrossEntropy(), SGD(0.1), samples, progress=False)
    assert weights(net) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": -1}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"patience": 1}, "validation"),
        ({"patience": 0, "validation": stripes(4)}, "patience"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        train(**arguments)


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


def stopping(epoch, how):
    def after_epoch(done, net, history):
        assert len(history) == done + 1
        if done == epoch and how == "raised":
            raise StopTraining
        return np.bool_(done == epoch) if how == "said" else None

    return after_epoch


@every_backend
@pytest.mark.parametrize("how", ["said", "raised"])
def test_a_training_that_is_stopped_after_an_epoch_goes_on_to_the_same_bits(
    backend, how, tmp_path
):
    arguments = {"epochs": 4, "batch_size": 16, "progress": False}
    nets = [network().to(backend) for _ in range(2)]
    optimizers = [Adam(), Adam()]
    whole = fit(nets[0], SoftmaxCrossEntropy(), optimizers[0], stripes(50), **arguments)
    kept = {"checkpoint": tmp_path / "t.npz"}
    some = fit(nets[1], SoftmaxCrossEntropy(), optimizers[1], stripes(50), **arguments, **kept,
               after_epoch=stopping(1, how))  # fmt: skip
    assert some["train_loss"] == whole["train_loss"][:2]
    rest = fit(nets[1], SoftmaxCrossEntropy(), optimizers[1], stripes(50), **arguments, **kept)
    assert rest["train_loss"] == whole["train_loss"]
    assert weights(nets[1]) == weights(nets[0])


def test_what_the_hook_does_to_the_network_is_part_of_the_training(tmp_path):
    net = network()

    def halve(epoch, trained, history):
        assert trained is net
        for p in trained.parameters():
            p.value *= 0.5

    fit(net, SoftmaxCrossEntropy(), SGD(0), stripes(20), epochs=2, after_epoch=halve,
        checkpoint=tmp_path / "t.npz", progress=False)  # fmt: skip
    assert weights(load(tmp_path / "t.npz").network) == weights(net)
    np.testing.assert_allclose(net.parameters()[0].value, network().parameters()[0].value / 4)


def test_a_hook_that_answers_something_else_is_refused():
    with pytest.raises(TypeError, match="after_epoch must return True, False or None, got 'yes'"):
        fit(network(), SoftmaxCrossEntropy(), SGD(0.1), stripes(20), progress=False,
            after_epoch=lambda *_: "yes")  # fmt: skip
    with pytest.raises(TypeError, match="after_epoch must be a function"):
        fit(network(), SoftmaxCrossEntropy(), SGD(0.1), stripes(20), after_epoch=1)
