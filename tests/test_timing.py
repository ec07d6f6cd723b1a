import json

import numpy as np
import pytest

from minicnn import (
    Adam,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    backends,
    timing,
)
from minicnn.backends.numba.peak import ROWS, add_in_registers
from minicnn.backends.numba.runtime import LANES
from minicnn.timing import profile

every_backend = pytest.mark.parametrize("backend", backends.available())
N = 8


def case(backend):
    network = Sequential(
        Sequential(Conv2D(1, 4, 3, padding=1), BatchNorm(4), ReLU(), MaxPool2D(2)),
        Flatten(), Dropout(0.5), Dense(36, 5), seed=0,
    ).to(backend)  # fmt: skip
    rng = np.random.default_rng(0)
    return network, Adam(), rng.random((N, 1, 6, 6), "float32"), rng.integers(0, 5, N)


def measured(backend):
    network, optimizer, x, y = case(backend)
    return profile(network, SoftmaxCrossEntropy(), optimizer, x, y, repeats=2)


@every_backend
def test_the_shares_of_the_parts_add_up_to_the_whole_step(backend):
    found = measured(backend)
    assert sum(row.share for row in found.rows) == pytest.approx(1)
    assert sum(row.ms for row in found.rows) == pytest.approx(found.step_ms)
    limited = [row.limit_ms > 0 for row in found.rows]
    assert limited == [backend != "cuda" and row.multiply_adds > 0 for row in found.rows]


@every_backend
def test_bytes_count_towards_the_limit_where_no_cache_holds_them(backend, monkeypatch):
    monkeypatch.setattr(timing, "CACHED", 0)
    assert all((row.limit_ms > 0) == (backend != "cuda") for row in measured(backend).rows)


@every_backend
def test_multiply_adds_are_those_of_the_products_that_training_needs(backend):
    work = {(r.name, r.direction): r.multiply_adds for r in measured(backend).rows}
    convolution, dense = N * 4 * 9 * 36, N * 36 * 5
    ways = {"numpy": "im2col", "numba": "direct", "cuda": "implicit im2col"}
    first = f"0.0 Conv2D, {ways[backend]}"
    assert work[first, "forward"] == convolution
    assert work[first, "backward"] == convolution  # of the input nobody needs a gradient
    assert work["3 Dense", "forward"] == dense
    assert work["3 Dense", "backward"] == 2 * dense


@every_backend
def test_every_layer_stands_in_the_table_in_both_directions(backend):
    text = str(measured(backend))
    assert text.isascii()  # every terminal can show it
    for name in ("0.0 Conv2D", "0.1 BatchNorm", "0.3 MaxPool2D", "1 Flatten", "3 Dense"):
        assert text.count(name) == 2
    for name in ("gather", "loss", "update"):
        assert name in text


@every_backend
def test_network_and_optimiser_are_left_as_they_were(backend):
    network, optimizer, x, y = case(backend)
    before = {name: p.value.copy() for name, p in network.state().items()}
    profile(network, SoftmaxCrossEntropy(), optimizer, x, y, repeats=2)
    assert all(np.array_equal(p.value, before[name]) for name, p in network.state().items())
    assert optimizer.steps == 0


def test_a_profile_saves_as_json_and_plots_a_bar_for_every_part(tmp_path):
    found = measured("numpy")
    found.save(tmp_path / "profile.json")
    saved = json.loads((tmp_path / "profile.json").read_bytes())
    assert [row["name"] for row in saved["rows"]] == [row.name for row in found.rows]
    assert len(found.plot().axes[0].patches) == len(found.rows)


def test_data_that_does_not_fit_is_refused():
    network, optimizer, x, y = case("numpy")
    with pytest.raises(ValueError, match="8 inputs but 7 targets"):
        profile(network, SoftmaxCrossEntropy(), optimizer, x, y[:7])


def test_a_class_or_nothing_in_place_of_a_part_is_refused_with_what_to_write():
    network, optimizer, x, y = case("numpy")
    for loss, steps, message in (
        (None, optimizer, "profile: loss must be a loss such as"),
        (SoftmaxCrossEntropy(), Adam, r"profile: optimizer is the class Adam; write Adam\(…\)"),
    ):
        with pytest.raises(TypeError, match=message):
            profile(network, loss, steps, x, y)


def test_the_peak_is_measured_on_sums_that_are_really_added():
    w, x = np.arange(ROWS, dtype="f4"), np.arange(LANES, dtype="f4")
    sums = np.full((3, ROWS, LANES), np.nan, "f4")
    add_in_registers(w, x, 5, sums)
    np.testing.assert_array_equal(sums, np.broadcast_to(5 * np.outer(w, x), sums.shape))
