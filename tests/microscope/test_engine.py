"""What the page computes is what minicnn computes in float64: forward, backward, every number's
sum, a nudge and a cone.
"""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicnn as nn
from minicnn.microscope import described, step, written
from minicnn.microscope.twin import Twin
from minicnn.network import snapshot
from tests.microscope.page_engine import computed, needs_node
from tests.strategies import LAYERS, images, networks, normal, pairs, seeds, small

KNOWN = [kind.__name__ for kind in described.KNOWN]
pytestmark = needs_node


def alike(mine, theirs):
    """To 1e-9 of the array's size, for it is sums that are compared."""
    np.testing.assert_allclose(
        np.reshape(mine, np.shape(theirs)), theirs,
        rtol=1e-9, atol=1e-9 * max(1, np.abs(theirs).max(initial=0)),
    )  # fmt: skip


def check(network, loss, x, target, every=1):
    """Values, slopes and gradients of the page are those of the network itself."""
    data, state = written.collected(network, loss, x, target), snapshot(network)
    (found,) = computed(data, every=every)
    value = loss.forward(network.forward(x, training=True), target)
    dx = network.backward(loss.backward())
    alike(found["loss"], value)
    alike(found["slopes"][0], dx)
    twin = Twin(network, x.shape[1:])
    twin.step(state, loss, x, target)
    arrays = zip(found["values"][1:], found["slopes"][1:], twin.heard, strict=True)
    for values, slopes, heard in arrays:
        alike(values, heard["y"])
        alike(slopes, heard["dy"])
    for node, grads in zip(twin.nodes, found["grads"], strict=True):
        for name in described.arrays_of(node.layer):
            parameter = network.state()[f"{node.name}.{name}"]
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


@given(networks(), seeds)
def test_random_networks_with_branches_compute_as_in_minicnn(drawn, seed):
    network, shape = drawn
    labels = np.random.default_rng(seed).integers(0, 4, 2)
    x = normal((2, *shape), seed)
    check(network.astype("float64"), nn.SoftmaxCrossEntropy(), x, labels, every=211)


@st.composite
def nested(draw, depth=2):
    """Layers of rows of four in one another: in a row, around one, side by side; and nothing."""
    if depth == 0 or draw(st.integers(0, 3)) == 0:
        return draw(st.sampled_from([nn.Tanh, nn.Sequential, lambda: nn.Dense(4, 4)]))()
    inner = draw(st.lists(nested(depth - 1), max_size=3))
    kind = draw(st.sampled_from(["row", "around", "side by side"]))
    if kind == "side by side":
        return nn.Sequential(nn.Parallel(nn.Dense(4, 4), *inner), nn.Dense(4 + 4 * len(inner), 4))
    shortcut = draw(st.none() | nested(depth - 1))
    return nn.Residual(*inner, shortcut=shortcut) if kind == "around" else nn.Sequential(*inner)


@given(nested(), nested(), seeds)
def test_containers_nested_in_any_way_compute_as_in_minicnn(first, second, seed):
    network = nn.Sequential(first, second, seed=seed).astype("float64")
    target = normal((2, 4), seed + 1)
    found = check(network, nn.MeanSquaredError(), normal((2, 4), seed), target, every=7)
    assert "wrong" not in found["verdicts"]


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
    assert said.startswith("the gradient of 0.weight")


def test_a_gradient_that_cancels_to_nothing_is_no_difference():
    """A bias before a normalisation: nothing of it is left but rounding."""
    network = nn.Sequential(nn.Dense(3, 4), nn.BatchNorm(4), nn.Dense(4, 3), seed=0)
    network.astype("float64")[2].weight.value *= 1e6
    x, target = 1e-3 * normal((5, 3), 0), normal((5, 3), 1)
    (found,) = computed(written.collected(network, nn.MeanSquaredError(), x, target))
    assert max(map(abs, found["grads"][0]["bias"])) > 1e-9
    assert found["differences"] == []


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


@pytest.mark.parametrize("norm", [nn.BatchNorm(4), nn.GroupNorm(2, 4), nn.GroupNorm(4, 4)], ids=str)
def test_nudging_knows_what_a_normalisation_ties_together(norm):
    network = nn.Sequential(nn.Conv2D(1, 4, 2), norm, nn.Tanh(), nn.Flatten(), nn.Dense(36, 3))
    network.initialize(0)
    x = normal((3, 1, 4, 4), 1)
    data = written.collected(network.astype("float64"), nn.SoftmaxCrossEntropy(), x, [0, 1, 2])
    (found,) = computed(data)
    assert "wrong" not in found["verdicts"]
    assert found["verdicts"].count("agrees") > 0.9 * len(found["verdicts"])


def test_a_nudge_at_a_kink_says_so():
    network = nn.Sequential(nn.ReLU(), nn.Dense(2, 2), seed=0).astype("float64")
    x = np.array([[0.0, 1.0]])  # the first number stands where ReLU bends
    (found,) = computed(written.collected(network, nn.SoftmaxCrossEntropy(), x, [0]))
    assert found["verdicts"][0] == "kink"


def test_a_cone_holds_the_numbers_that_a_small_move_reaches():
    around = nn.Residual(nn.Conv2D(2, 2, 1), shortcut=nn.AvgPool2D(3, 1, 1))
    network = nn.Sequential(
        nn.Conv2D(1, 2, 3, padding=1), nn.Parallel(nn.ReLU(), around, nn.Conv2D(2, 1, 1)),
        nn.MaxPool2D(2), nn.Flatten(), nn.Dense(45, 3), seed=0,
    ).astype("float64")  # fmt: skip
    x, loss = normal((1, 1, 6, 6), 0), nn.SoftmaxCrossEntropy()
    (found,) = computed(written.collected(network, loss, x, [0]))
    pixel, cone = 14, found["cone of pixel 14"]
    moved = x.copy()
    moved.flat[pixel] += 1e-7
    twin, state = Twin(network, (1, 6, 6)), snapshot(network)
    twin.step(state, loss, x, [0])
    before = [heard["y"] for heard in twin.heard]
    twin.step(state, loss, moved, [0])
    for k, (a, heard) in enumerate(zip(before, twin.heard)):
        reached = np.flatnonzero(a != heard["y"]).tolist()
        assert reached == np.flatnonzero(cone[str(k + 1)]).tolist(), twin.nodes[k].name
