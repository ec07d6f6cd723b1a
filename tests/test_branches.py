"""Residual and Parallel: what they compute, what they refuse, and how they travel."""

import json
import zipfile

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
    ModelFileError,
    Parallel,
    ReLU,
    Residual,
    Sequential,
    SoftmaxCrossEntropy,
    Tanh,
    backends,
    fit,
    gradcheck,
    load,
    save,
)
from minicnn.files.description import count_layers, describe_network
from minicnn.plotting import feature_maps
from minicnn.timing import profile
from tests.strategies import networks, normal, seeds, stripes

every_backend = pytest.mark.parametrize("backend", backends.available())


@every_backend
@given(seeds)
def test_a_residual_adds_its_input_to_what_its_layers_give_and_both_gradients(backend, seed):
    layer = Conv2D(3, 3, 3, padding=1).to(backend)
    x, dy = normal((5, 3, 4, 2), seed, "float32"), normal((5, 3, 4, 2), seed + 1, "float32")
    through, back = layer.forward(x), layer.backward(dy)
    block = Residual(layer)
    np.testing.assert_array_equal(block.forward(x), x + through)
    np.testing.assert_array_equal(block.backward(dy), dy + back)


@every_backend
@given(st.lists(st.integers(1, 4), min_size=1, max_size=4), seeds)
def test_parallel_lays_channels_side_by_side_and_adds_the_gradients(backend, widths, seed):
    branches = [Conv2D(2, width, 1).to(backend) for width in widths]
    x = normal((5, 2, 3, 4), seed, "float32")
    dy = normal((5, sum(widths), 3, 4), seed + 1, "float32")
    parts = np.split(dy, np.cumsum(widths)[:-1], axis=1)
    wanted = np.concatenate([branch.forward(x) for branch in branches], axis=1)
    back = [branch.backward(part) for branch, part in zip(branches, parts)]
    block = Parallel(*branches)
    np.testing.assert_array_equal(block.forward(x), wanted)
    np.testing.assert_allclose(block.backward(dy), sum(back), rtol=1e-5, atol=1e-5)


@every_backend
def test_rows_go_side_by_side_too(backend):
    block = Parallel(Sequential(), Sequential(Dense(3, 2), Tanh())).astype("float64").to(backend)
    assert block.output_shape((3,)) == (5,)
    gradcheck.check(block, normal((17, 3), 0))


def test_the_gradient_reaches_the_input_whole_however_deep_the_layers():
    """Weights near zero stop it in a plain chain; around the layers it goes on."""
    def deep(block):
        layers = []
        for _ in range(20):
            inner = Dense(4, 4)
            inner.weight.value = inner.weight.value * 0.01
            layers.append(block(inner))
        return Sequential(*layers)

    x = dy = normal((2, 4), 0)
    for network, low, high in ((deep(Sequential), 0, 1e-20), (deep(Residual), 0.5, 2)):
        network.astype("float64").forward(x)
        assert low < np.abs(network.backward(dy)).max() / np.abs(dy).max() < high


@given(networks(), seeds)
def test_what_nobody_needs_is_left_out_and_the_rest_stays_as_it_is(drawn, seed):
    network, shape = drawn
    block = Residual(*network.layers, shortcut=Sequential(Flatten(), Dense(np.prod(shape), 4)))
    y = block.forward(normal((2, *shape), seed, "float32"))
    dy = normal(y.shape, seed, "float32")
    block.backward(dy)
    wanted = [p.grad.copy() for p in block.parameters()]
    block.forward_batch(normal((2, *shape), seed, "float32"), training=False)
    assert block.backward_batch(dy, input_gradient=False) is None
    assert all(np.array_equal(g, p.grad) for g, p in zip(wanted, block.parameters()))


@pytest.mark.parametrize(
    "make, error, words",
    [
        (lambda: Residual(Conv2D(1, 4, 3)), ValueError, r"shortcut gives .*1, 5.*4, 3, 3"),
        (lambda: Residual(shortcut=Conv2D(2, 1, 1)), ValueError, "Residual, shortcut: Conv2D"),
        (lambda: Residual(Conv2D(2, 1, 1)), ValueError, "Residual, layer 0: Conv2D.*N, 2, H, W"),
        (lambda: Residual(ReLU(), shortcut=3), TypeError, "Residual: shortcut must be a layer"),
        (lambda: Residual([ReLU()]), TypeError, r"got a list of layers.*Residual\(\*layers\)"),
        (lambda: Parallel(), ValueError, "at least one branch"),
        (
            lambda: Parallel(Conv2D(1, 4, 3), Sequential()),
            ValueError,
            r"branch 1 gives .*\(1, 5, 5\), branch 0 \(4, 3, 3\)",
        ),
        (
            lambda: Parallel(ReLU(), Sequential(ReLU(), Conv2D(2, 1, 1))),
            ValueError,
            "Parallel, branch 1: Sequential, layer 1: Conv2D",
        ),
    ],
)
def test_what_does_not_fit_is_refused_and_the_branch_is_named(make, error, words):
    with pytest.raises(error, match=words):
        Sequential(make()).predict(np.zeros((2, 1, 5, 5), "f"))


def test_a_layer_in_two_branches_is_refused():
    layer = ReLU()
    for make in (lambda: Parallel(layer, layer), lambda: Residual(layer, shortcut=layer)):
        with pytest.raises(ValueError, match="a layer stands in it twice"):
            make()


def branched(seed=0):
    return Sequential(
        Conv2D(1, 4, 3, padding=1), ReLU(),
        Residual(Conv2D(4, 4, 3, padding=1), BatchNorm(4), ReLU(), Dropout(0.2)),
        Residual(Conv2D(4, 6, 3, 2, 1), shortcut=Conv2D(4, 6, 1, 2)),
        Parallel(Conv2D(6, 2, 1), Sequential(Conv2D(6, 3, 3, padding=1), ReLU()), Sequential()),
        MaxPool2D(2), Flatten(), Dense(11 * 2 * 2, 2), seed=seed,
    )  # fmt: skip


def test_the_summary_shows_what_is_inside_indented_and_counts_it_once():
    network = branched()
    lines = network.summary((1, 8, 8)).splitlines()
    names = [line.split()[0] for line in lines[2:-2]]
    assert names == [
        "0", "1", "2", "2.0", "2.1", "2.2", "2.3", "3", "3.0", "3.shortcut", "4", "4.0", "4.1",
        "4.1.0", "4.1.1", "4.2", "5", "6", "7",
    ]  # fmt: skip
    columns = [line.index("Conv2D") for line in lines if "Conv2D" in line]
    assert columns == sorted(columns) and len(set(columns)) == 3  # the deeper, the further right
    total = sum(p.value.size for p in network.parameters())
    assert f"{total:,}" in lines[-1] and f"{network.multiply_adds((1, 8, 8)):,}" in lines[-1]


@every_backend
def test_the_profile_shows_the_layers_in_branches_and_what_the_containers_add(backend):
    x, y = stripes(8)
    found = profile(branched().to(backend), SoftmaxCrossEntropy(), SGD(0.1), x, y, repeats=1)
    work = {(row.name.partition(",")[0], row.direction): row.multiply_adds for row in found.rows}
    for name in ("2.0 Conv2D", "3.shortcut Conv2D", "4.1.0 Conv2D"):
        assert work[name, "backward"] == 2 * work[name, "forward"] > 0
    for name in ("2 Residual", "3 Residual", "4 Parallel"):
        assert work[name, "forward"] == work[name, "backward"] == 0


@every_backend
def test_it_learns_and_comes_back_from_a_file_with_the_same_bits(backend, tmp_path):
    network, (x, y) = branched().to(backend), stripes(60)
    history = fit(network, SoftmaxCrossEntropy(), SGD(0.05, momentum=0.9), (x, y), (x, y),
                  epochs=8, batch_size=16, seed=0, progress=False)  # fmt: skip
    assert history["validation_accuracy"][-1] > 0.9
    save(tmp_path / "network.minicnn", network)
    again = load(tmp_path / "network.minicnn").network
    assert repr(again) == repr(network)
    np.testing.assert_array_equal(again.to(backend).predict(x), network.predict(x))


@given(networks())
def test_a_file_counts_the_layers_that_there_are_and_nothing_else(drawn):
    network, _ = drawn
    assert count_layers(describe_network(network)) == len([*network.walk()])


@pytest.mark.parametrize("wrong", [3, [], {}, {"class": "ReLU"}, None])
def test_a_file_whose_shortcut_is_no_layer_is_refused(tmp_path, wrong):
    path, changed = tmp_path / "network.minicnn", tmp_path / "changed.minicnn"
    save(path, Sequential(Residual(ReLU(), shortcut=ReLU())))
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(changed, "w") as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "header.json":
                header = json.loads(content)
                header["network"]["layers"][0]["shortcut"] = wrong
                content = json.dumps(header)
            new.writestr(name, content)
    with pytest.raises(ModelFileError, match="class|layer"):
        load(changed)


def test_a_block_is_one_row_of_pictures():
    figure = feature_maps(branched(), stripes(1)[0][0] / np.float32(255))
    assert [axes.get_ylabel().split()[0] for axes in figure.axes if axes.get_ylabel()] == [
        "Conv2D", "ReLU", "Residual", "Residual", "Parallel", "MaxPool2D",
    ]  # fmt: skip
