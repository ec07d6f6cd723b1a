
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import (
    SGD,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    backends,
    evaluate,
    find_learning_rate,
    fit,
)
from tests.strategies import networks, normal, seeds

every_backend = pytest.mark.parametrize("backend", backends.available())


def small(seed=0):
    return Sequential(
        Conv2D(1, 4, 3, padding=1), ReLU(), MaxPool2D(2), Flatten(), Dense(4 * 3 * 3, 5), seed=seed
    )


@every_backend
@given(networks(), seeds)
def test_forward_is_the_layers_one_after_the_other(backend, case, seed):
    network, shape = case
    network.to(backend)
    x = normal((3, *shape), seed, "float32")
    y = x
    for layer in network.layers:
        y = layer.forward(y)
    np.testing.assert_array_equal(network.forward(x), y)


@every_backend
@given(networks(), seeds)
def test_backward_is_the_layers_from_last_to_first(backend, case, seed):
    network, shape = case
    network.to(backend)
    x = normal((3, *shape), seed, "float32")
    y = network.forward(x)
    dy = normal(y.shape, seed + 1, "float32")
    dx = network.backward(dy)
    grads = [p.grad.copy() for p in network.parameters()]
    outputs = [x]
    for layer in network.layers:
        outputs.append(layer.forward(outputs[-1]))
    for layer in reversed(network.layers):
        dy = layer.backward(dy)
    np.testing.assert_array_equal(dx, dy)
    assert all(np.array_equal(g, p.grad) for g, p in zip(grads, network.parameters(), strict=True))


@given(networks(), seeds)
def test_leaving_out_the_inputs_gradient_leaves_the_parameters_gradients_as_they_are(case, seed):
    network, shape = case
    x = normal((3, *shape), seed, "float32")
    dy = normal(network.forward(x).shape, seed + 1, "float32")
    network.backward(dy)
    wanted = [p.grad.copy() for p in network.parameters()]
    for p in network.parameters():
        p.grad[...] = np.nan
    network.forward_batch(x, training=False)
    assert network.backward_batch(dy, input_gradient=False) is None
    assert all(np.array_equal(g, p.grad) for g, p in zip(wanted, network.parameters()))


@given(networks(), st.integers(1, 7), seeds)
def test_predict_in_batches_is_forward_of_them_all(case, batch_size, seed):
    network, shape = case
    x = normal((5, *shape), seed, "float32")
    np.testing.assert_allclose(
        network.predict(x, batch_size), network.forward(x), rtol=1e-4, atol=1e-5
    )


def test_predict_reads_uint8_as_pixels_between_0_and_1():
    network, pixels = small(), np.arange(2 * 36, dtype=np.uint8).reshape(2, 1, 6, 6)
    np.testing.assert_allclose(
        network.predict(pixels), network.forward(pixels.astype("f") / 255), rtol=1e-5
    )


def test_predict_of_nothing_is_empty():
    assert small().predict(np.empty((0, 1, 6, 6), "float32")).shape == (0, 5)


@pytest.mark.parametrize("dtype", [np.int64, np.float16, object, complex, "U1"])
def test_predict_refuses_what_is_neither_pixels_nor_floats(dtype):
    with pytest.raises(TypeError, match="images"):
        small().predict(np.zeros((1, 1, 6, 6), dtype))


def test_one_seed_gives_one_network_and_another_seed_another():
    first, again, other = small(3), small(3), small(4)
    for a, b, c in zip(first.parameters(), again.parameters(), other.parameters()):
        assert np.array_equal(a.value, b.value)
        assert not np.array_equal(a.value, c.value)


def test_float32_and_float64_networks_of_one_seed_start_alike():
    network = small()
    exact = small().astype("float64")
    assert exact.dtype == np.float64
    for a, b in zip(network.parameters(), exact.parameters()):
        assert np.array_equal(a.value, b.value)


def test_summary_states_shapes_parameters_and_multiply_adds():
    table = small().summary((1, 6, 6))
    lines = table.splitlines()
    assert "Conv2D(1, 4, 3, padding=1)" in lines[2]
    assert lines[2].split()[-7:] == ["4", "x", "6", "x", "6", "40", f"{4 * 9 * 36:,}"]
    total = 40 + 36 * 5 + 5
    assert table.isascii()  # every terminal can show it
    assert lines[-1].split() == ["total", f"{total:,}", f"{4 * 9 * 36 + 36 * 5:,}"]


def test_an_error_says_which_layer_of_the_network_could_not_go_on():
    network = Sequential(Conv2D(1, 2, 3), MaxPool2D(2), Conv2D(3, 2, 3))
    with pytest.raises(ValueError, match=r"layer 2: Conv2D.*\(N, 3, H, W\).*\(N, 2, 3, 3\)"):
        network.forward(np.zeros((1, 1, 8, 8), "f"))


def test_a_forgotten_flatten_is_named_in_the_hint():
    with pytest.raises(ValueError, match="Flatten"):
        Sequential(Dense(36, 2)).forward(np.zeros((1, 1, 6, 6), "f"))


@pytest.mark.parametrize(
    ("layers", "message"),
    [
        ([[ReLU(), Flatten()]], r"got a list of layers.*write Sequential\(\*layers\)"),
        ([ReLU(), Flatten], r"layer 1 is the class Flatten; write Flatten\(…\)"),
        ([ReLU(), 3], "layer 1 must be a layer, got 3"),
    ],
)
def test_what_is_no_layer_is_named_with_what_to_write(layers, message):
    with pytest.raises(TypeError, match=message):
        Sequential(*layers)


def test_a_network_and_its_layers_are_called_like_functions():
    network, x = small(), normal((2, 1, 6, 6), 0, "float32")
    assert np.array_equal(network(x), network.forward(x))
    assert np.array_equal(network[0](x), network[0].forward(x))
    assert (Dropout(0.5, seed=0)(np.ones((9, 9), "f"), training=True) == 0).any()


CONVOLUTIONS = Sequential(Conv2D(3, 2, 3), ReLU(), MaxPool2D(2), Flatten(), Dense(2 * 3 * 2, 4))
GREY = Sequential(Conv2D(1, 2, 3), Flatten(), Dense(2 * 6 * 6, 4))


@pytest.mark.parametrize(
    ("network", "shape", "written"),
    [
        (CONVOLUTIONS, (5, 8, 6, 3), "x.transpose(0, 3, 1, 2)"),
        (CONVOLUTIONS, (3, 8, 6), "x[None]"),
        (CONVOLUTIONS, (8, 6, 3), "x.transpose(2, 0, 1)[None]"),
        (GREY, (5, 8, 8), "x[:, None]"),
        (GREY, (1, 8, 8), "x[:, None]"),
        (GREY, (8, 8), "x[None, None]"),
        (GREY, (5, 64), "x.reshape(-1, 1, 8, 8)"),
        (BatchNorm(3), (5, 8, 6, 3), "x.transpose(0, 3, 1, 2)"),
    ],
)
def test_images_of_another_layout_are_refused_with_what_to_write_and_that_works(
    network, shape, written
):
    x = np.zeros(shape, "float32")
    calls = [network.forward]
    if isinstance(network, Sequential):
        loss, labels = SoftmaxCrossEntropy(), np.zeros(len(x), int)
        calls += [network.predict, lambda x: evaluate(network, loss, (x, labels))]
    for call in calls:
        with pytest.raises(ValueError, match=r"wanted .*; if x holds .*, pass ") as raised:
            call(x)
        assert str(raised.value).endswith(f", pass {written}")
    assert len(network.forward(eval(written, {"x": x}))) == (5 if shape[0] == 5 else 1)


@pytest.mark.parametrize("shape", [(5, 2, 8, 6), (5, 8, 6), (5, 8, 6, 4), (5, 63), (5, 1, 1, 1, 1)])
def test_a_batch_that_fits_in_no_layout_is_refused_without_a_hint(shape):
    with pytest.raises(ValueError, match=r"wanted [^;]*\)$"):
        CONVOLUTIONS.predict(np.zeros(shape, "float32"))
    with pytest.raises(ValueError, match=r"wanted [^;]*\)$"):
        GREY.predict(np.zeros((5, 70), "float32"))  # rows that are no squares


@every_backend
@given(st.integers(1, 5), st.integers(0, 6), seeds)
def test_classes_and_probabilities_belong_to_the_logits(backend, outputs, count, seed):
    network = Sequential(Dense(3, outputs), seed=seed).to(backend)
    x = 100 * normal((count, 3), seed, "float32")
    logits = network.predict(x).astype("float64")
    chosen, sure = network.predict_classes(x), network.predict_probabilities(x, batch_size=2)
    if outputs == 1:
        logits = np.hstack([0 * logits, logits])
    assert chosen.dtype == np.int64
    assert np.array_equal(chosen, logits.argmax(axis=1))
    assert sure.shape == logits.shape and sure.dtype == np.float32
    powers = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(sure, powers / powers.sum(axis=1, keepdims=True), 1e-3, 1e-6)
    np.testing.assert_allclose(sure.sum(axis=1), 1, rtol=1e-5)


@every_backend
def test_a_single_logit_of_zero_stands_for_class_0(backend):
    network, x = Sequential(Dense(3, 1)).to(backend), np.zeros((4, 3), "f")
    network[0].bias.value = [0]
    assert network.predict_classes(x).tolist() == [0] * 4
    history = fit(network, SigmoidCrossEntropy(), SGD(0), (x, np.array([0, 0, 1, 0])),
                  progress=False)  # fmt: skip
    assert history["train_accuracy"] == [0.75]


@pytest.mark.parametrize(
    ("seed", "error", "message"),
    [
        (-1, ValueError, "at least 0, got -1"),
        ((3, -1), ValueError, "at least 0, got -1"),
        (0.5, TypeError, "a whole number, got 0.5"),
        ((), ValueError, r"one or two numbers, got \(\)"),
        ((1, 2, 3), ValueError, r"one or two numbers, got \(1, 2, 3\)"),
    ],
)
def test_a_seed_is_a_whole_number_or_a_pair_of_them(seed, error, message):
    with pytest.raises(error, match=f"^Sequential: seed must be {message}"):
        Sequential(Dense(1, 1), seed=seed)


def test_outputs_that_are_no_logits_have_no_classes():
    for predict in (ReLU(), Conv2D(1, 1, 3)):
        network = Sequential(predict)
        for asked in (network.predict_classes, network.predict_probabilities):
            with pytest.raises(ValueError, match="wanted a logit for each class"):
                asked(np.zeros((2, 1, 6, 6), "f"))


def test_nested_dropouts_draw_from_different_streams():
    network = Sequential(
        Sequential(Dropout(), Dropout()), Dropout(), Sequential(ReLU(), ReLU(), Dropout()),
        Sequential(ReLU(), Dropout()), Sequential(Sequential(Dropout())),
    )  # fmt: skip
    for seed in (5, (5, 1)):
        network.reseed(seed)
        drawn = [layer.mask_seed for layer in network.walk() if isinstance(layer, Dropout)]
        assert len(set(drawn)) == len(drawn) == 6


@pytest.mark.parametrize("seed", [None, 3])
def test_two_dropouts_drop_independently(seed):
    network = Sequential(Dropout(0.5), Dropout(0.5), seed=seed)
    kept = network.forward(np.ones((100, 100), "f"), training=True)
    other = Sequential(Dropout(0.5), Dropout(0.5), seed=seed)
    same = np.array_equal(other.forward(np.ones((100, 100), "f"), training=True), kept)
    assert same == (seed is not None)
    assert (kept > 0).mean() == pytest.approx(0.25, abs=0.03)
    assert Dropout(seed=0).mask_seed != Dropout(seed=2**32).mask_seed


def test_what_goes_through_the_layers_in_between_leaves_no_backward():
    network, x = small(), normal((2, 1, 6, 6), 0, "float32")
    dy = normal((2, 5), 1, "float32")
    loss, samples = SoftmaxCrossEntropy(), (normal((4, 1, 6, 6), 2, "float32"), np.arange(4))
    for between in (
        lambda: network.predict(samples[0]),
        lambda: evaluate(network, loss, samples),
        lambda: fit(network, loss, SGD(0.1), samples, progress=False),
        lambda: find_learning_rate(network, loss, SGD(0.1), samples, steps=2),
        lambda: Sequential(*network.layers[:2]).forward(x),
        lambda: network[0].forward(x),
    ):
        network.forward(x, training=True)
        between()
        with pytest.raises(RuntimeError, match="since its forward another batch went through"):
            network.backward(dy)
    network.forward(x, training=True)
    network.backward(dy)


def test_a_forward_that_fails_leaves_nothing_to_go_back_from():
    network = Sequential(Dense(3, 4), BatchNorm(4), Dense(4, 2))
    network.forward(np.ones((2, 3), "f"))
    with pytest.raises(ValueError, match="more than one value per channel"):
        network.forward(np.ones((1, 3), "f"), training=True)
    with pytest.raises(RuntimeError, match="backward needs a forward"):
        network.backward(np.ones((1, 2), "f"))
