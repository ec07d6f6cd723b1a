"""What the page computes is what minicnn computes in float64: forward, backward, every number's
sum, and the mistakes.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicnn as nn
from minicnn.microscope import described, step, written
from tests.microscope.page_engine import computed, needs_node
from tests.strategies import LAYERS, images, normal, pairs, seeds, small

KNOWN = [kind.__name__ for kind in described.KNOWN]
pytestmark = needs_node


def alike(mine, theirs):
    """To 1e-9 of the array's size, for it is sums that are compared."""
    np.testing.assert_allclose(
        np.reshape(mine, np.shape(theirs)), theirs,
        rtol=1e-9, atol=1e-9 * max(1, np.abs(theirs).max(initial=0)),
    )  # fmt: skip


def check(network, loss, x, target):
    """Values, slopes and gradients of the page are those of the network itself."""
    data = written.collected(network, loss, x, target)
    (found,) = computed(data, nudged=5)
    values, slopes = [x], []
    for layer in network.layers:
        values.append(layer.forward(values[-1], training=True))
    value = loss.forward(values[-1], target)
    slopes = [loss.backward()]
    for layer in reversed(network.layers):
        slopes.insert(0, layer.backward(slopes[0]))
    alike(found["loss"], value)
    for mine, theirs in zip(found["values"] + found["slopes"], values + slopes, strict=True):
        alike(mine, theirs)
    for layer, grads in zip(network.layers, found["grads"], strict=True):
        for name, parameter in layer.state().items():
            if parameter.learned:
                alike(grads[name], parameter.grad)
    assert found["differences"] == []
    for spot, shown, total in found["readings"]:
        assert shown == pytest.approx(total, rel=1e-9, abs=1e-9), spot
    return found


@pytest.mark.parametrize("kind", KNOWN)
@given(data=st.data())
def test_every_kind_of_layer_computes_as_in_minicnn_and_its_terms_add_up(kind, data):
    layer, shape = data.draw(LAYERS[kind])
    layer.astype("float64")
    x = normal((data.draw(st.integers(2, 3)), *shape), data.draw(seeds))
    target = normal((len(x), *layer.output_shape(shape)), data.draw(seeds))
    check(nn.Sequential(layer), nn.MeanSquaredError(), x, target)


@st.composite
def plain_networks(draw):
    """Networks of layers that the page knows, of random depth and shape."""
    shape = draw(images(draw(small), (5, 5)))
    layers, channels = [], shape[0]
    for _ in range(draw(st.integers(1, 2))):
        filters = draw(small)
        layers.append(nn.Conv2D(channels, filters, draw(pairs(1, 3)), draw(pairs(1, 2)), 1))
        channels = filters
        layers += draw(st.sampled_from([[], [nn.BatchNorm(channels, eps=0.1)], [nn.Dropout(0.3)]]))
        layers.append(draw(st.sampled_from([nn.ReLU, nn.LeakyReLU, nn.Sigmoid, nn.Tanh]))())
        layers += draw(st.sampled_from([[], [nn.MaxPool2D(2, ceil_mode=True)], [nn.AvgPool2D(1)]]))
    features = nn.Sequential(*layers, nn.Flatten()).output_shape(shape)[0]
    layers += [nn.Flatten(), nn.Dense(features, 4)]
    return nn.Sequential(*layers, seed=draw(st.integers(0, 2**32))).astype("float64"), shape


@given(plain_networks(), st.integers(2, 4), seeds, st.floats(0, 0.5))
def test_random_networks_compute_as_in_minicnn(drawn, count, seed, smoothing):
    network, shape = drawn
    labels = np.random.default_rng(seed).integers(0, 4, count)
    loss = nn.SoftmaxCrossEntropy(label_smoothing=smoothing, class_weights=[1, 2, 0.5, 1])
    check(network, loss, normal((count, *shape), seed), labels)


def test_sigmoid_cross_entropy_computes_as_in_minicnn():
    network = nn.Sequential(nn.Dense(3, 2), seed=0).astype("float64")
    target = np.array([[0.0, 1.0], [0.25, 1.0]])
    check(network, nn.SigmoidCrossEntropy(), normal((2, 3), 0), target)


def test_pixels_are_scaled_and_a_float32_network_is_computed_in_double_precision():
    network = nn.Sequential(nn.Flatten(), nn.Dense(12, 3), seed=0)
    pixels = np.random.default_rng(0).integers(0, 256, (4, 1, 3, 4), dtype=np.uint8)
    (found,) = computed(written.collected(network, nn.SoftmaxCrossEntropy(), pixels, [0, 1, 2, 0]))
    assert found["differences"] == []
    alike(found["values"][0], pixels / 255)


@given(seeds)
def test_weights_that_were_rounded_to_half_are_read_as_they_are(seed):
    network = nn.Sequential(nn.Dense(40, 5))
    rng = np.random.default_rng(seed)
    network[0].weight.value = rng.standard_normal((5, 40)) * 10.0 ** rng.integers(-9, 4, (5, 40))
    x, target = normal((1, 40), seed), normal((1, 5), seed)
    data = written.collected(network, nn.MeanSquaredError(), x, target, half=True)
    (found,) = computed(data)
    half = network[0].weight.value.astype(np.float16)
    assert found["params"][0]["weight"] == half.ravel().tolist()
    assert found["differences"] == []


def test_the_page_notices_when_it_computes_something_else():
    network = nn.Sequential(nn.Dense(3, 3), seed=0).astype("float64")
    data = written.collected(network, nn.SoftmaxCrossEntropy(), normal((2, 3), 0), [0, 1])
    data["steps"][0]["reference"]["params"]["0.weight"][0] += 1e-6
    (found,) = computed(data)
    (said,) = found["differences"]
    assert said.startswith("gradient of 0.weight")


def test_steps_of_a_training_are_computed_one_by_one_and_none_changes_the_network():
    network = nn.Sequential(nn.Dense(3, 3), nn.BatchNorm(3), nn.Dropout(0.5), seed=0)
    images, labels = normal((4, 3), 0, "float32"), np.arange(4) % 3
    loss, optimizer, kept = nn.SoftmaxCrossEntropy(), nn.Adam(0.1), []
    for _ in range(3):
        kept.append(step(network, optimizer))
        loss.forward(network.forward(images, training=True), labels)
        network.backward(loss.backward())
        optimizer.step(network.parameters())
    before = {name: p.value.copy() for name, p in network.state().items()}
    data = written.collected(network, loss, images, labels, kept)
    found = computed(data)
    assert [each["differences"] for each in found] == [[], [], []]
    assert found[0]["loss"] > found[2]["loss"]
    for name, p in network.state().items():
        np.testing.assert_array_equal(p.value, before[name])


UPDATES = [
    nn.SGD(0.1), nn.SGD(0.1, 0.9, weight_decay=0.01), nn.SGD(0.1, 0.5, nesterov=True),
    nn.RMSprop(0.1, weight_decay=0.1), nn.Adagrad(0.1), nn.Adam(0.1, weight_decay=0.1),
    nn.AdamW(0.1, weight_decay=0.1),
]  # fmt: skip


@pytest.mark.parametrize("optimizer", UPDATES, ids=lambda optimizer: type(optimizer).__name__)
def test_the_new_weight_that_the_page_shows_is_the_one_that_the_optimiser_makes(optimizer):
    network = nn.Sequential(nn.Dense(3, 3), seed=0).astype("float64")
    x, labels, loss = normal((4, 3), 0), np.arange(4) % 3, nn.SoftmaxCrossEntropy()

    def learn():
        loss.forward(network.forward(x, training=True), labels)
        network.backward(loss.backward())
        optimizer.step(network.parameters())

    learn()
    data = written.collected(network, loss, x, labels, [step(network, optimizer)])
    learn()
    (found,) = computed(data)
    new = [*network[0].weight.value.ravel(), *network[0].bias.value]
    alike(found["updates"], new)


# ── the chapters' mistakes: what departs, and that nudging shows it ──────────────────────────


def spoiled(*layers, images, labels, mistake):
    network = nn.Sequential(*layers, seed=0).astype("float64")
    data = written.collected(network, nn.SoftmaxCrossEntropy(), images, labels)
    return computed(data)[0], computed(data, mistake)[0]


MISTAKES = {
    "assigning": (nn.Conv2D(1, 2, 2), nn.Flatten(), nn.Dense(18, 3)),
    "mixed up": (nn.ConvTranspose2D(1, 2, 1), nn.ConvTranspose2D(2, 2, 2), nn.Flatten(),
                 nn.Dense(50, 3)),
    "averaged": (nn.Flatten(), nn.Dense(16, 3)),
    "sign of the gradient": (nn.Conv2D(1, 2, 2), nn.ReLU(), nn.Flatten(), nn.Dense(18, 3)),
    "input instead": (nn.Conv2D(1, 2, 2), nn.Sigmoid(), nn.Flatten(), nn.Dense(18, 3)),
    "every equal": (nn.Reshape((1, 4, 4)), nn.MaxPool2D(2), nn.Flatten(), nn.Dense(4, 3)),
    "fixed": (nn.BatchNorm(1), nn.Flatten(), nn.Dense(16, 3)),
    "no mask": (nn.Dropout(0.5), nn.Flatten(), nn.Dense(16, 3)),
    "no scale": (nn.Dropout(0.5), nn.Flatten(), nn.Dense(16, 3)),
    "sum": (nn.Flatten(), nn.Dense(16, 3)),
}  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_of_a_chapter_changes_gradients_and_nothing_else(mistake):
    x = normal((3, 1, 4, 4), 1)
    if mistake == "every equal":
        x = np.ones_like(x)
    right, wrong = spoiled(*MISTAKES[mistake], images=x, labels=[0, 1, 2], mistake=mistake)
    assert (wrong["loss"], wrong["values"]) == (right["loss"], right["values"])
    assert (wrong["slopes"], wrong["grads"]) != (right["slopes"], right["grads"])
    assert wrong["differences"]


def test_nudging_agrees_with_every_gradient_and_catches_wrong_ones():
    x = normal((3, 1, 4, 4), 1)
    right, wrong = spoiled(
        *MISTAKES["sign of the gradient"], images=x, labels=[0, 1, 2],
        mistake="sign of the gradient",
    )  # fmt: skip
    assert "wrong" not in right["verdicts"]
    assert right["verdicts"].count("agrees") > 0.9 * len(right["verdicts"])
    assert "wrong" in wrong["verdicts"]


def test_a_nudge_at_a_kink_says_so():
    network = nn.Sequential(nn.ReLU(), nn.Dense(2, 2), seed=0).astype("float64")
    x = np.array([[0.0, 1.0]])  # the first number stands where ReLU bends
    (found,) = computed(written.collected(network, nn.SoftmaxCrossEntropy(), x, [0]))
    assert found["verdicts"][0] == "kink"


def test_a_cone_holds_the_numbers_that_a_small_move_reaches():
    network = nn.Sequential(
        nn.Conv2D(1, 2, 3, padding=1), nn.ReLU(), nn.MaxPool2D(2), nn.Flatten(), nn.Dense(18, 3),
        seed=0,
    ).astype("float64")  # fmt: skip
    x = normal((1, 1, 6, 6), 0)
    (found,) = computed(written.collected(network, nn.SoftmaxCrossEntropy(), x, [0]))
    pixel, cone = 14, found["cone of pixel 14"]
    moved = x.copy()
    moved.flat[pixel] += 1e-7
    a, b = x, moved
    for k, layer in enumerate(network.layers):
        a, b = layer.forward(a), layer.forward(b)
        assert np.flatnonzero(a != b).tolist() == np.flatnonzero(cone[str(k + 1)]).tolist()
