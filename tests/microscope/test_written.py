"""What goes into the file, and what is refused before there is one."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

import minicnn as nn
from minicnn.microscope import step, write, written
from tests.microscope.own_layers import Alone, Cubing, Remembering, Tying


def small():
    return nn.Sequential(nn.Flatten(), nn.Dense(12, 3), seed=0)


PIXELS = np.random.default_rng(0).integers(0, 256, (4, 1, 3, 4), dtype=np.uint8)
LABELS = [0, 1, 2, 0]
LOSS = nn.SoftmaxCrossEntropy()


def test_the_file_is_one_page_with_its_data_and_names_no_address(tmp_path):
    path = tmp_path / "folder" / "step.html"
    write(path, small(), LOSS, PIXELS, LABELS, classes=["a", "b", "</script>"])
    text = path.read_text(encoding="utf-8")
    assert not re.search(r"https?://|src=|@import|/\* (style|program|data) \*/", text)
    found = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    data = json.loads(found[0])
    assert data["classes"] == ["a", "b", "</script>"]
    assert [layer["kind"] for layer in data["layers"]] == ["Flatten", "Dense"]
    assert data["images"]["shape"] == [4, 1, 3, 4]


def test_every_file_of_the_page_is_in_the_list_of_files():
    folder = Path(written.__file__).parent
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*.js")}
    assert there == {*written.ENGINE, *written.PAGE}
    assert len(there) == len(written.ENGINE + written.PAGE)


REFUSED = {
    "a layer of one's own that ties images together": (
        {"network": nn.Sequential(nn.Flatten(), Tying(), nn.Dense(12, 3))},
        ValueError, "layer 1, Tying, which the page can only measure, ties the images"),
    "a layer of one's own that remembers": (
        {"network": nn.Sequential(nn.Flatten(), Remembering(), nn.Dense(12, 3))},
        ValueError, "Remembering, which the page can only measure, makes another output"),
    "a large layer of one's own": (
        {"network": nn.Sequential(nn.Flatten(), nn.Dense(12, 601), Cubing(), nn.Dense(601, 3))},
        ValueError, "layer 2, Cubing, which the page can only measure, has 601 numbers"),
    "one with too many slopes": (
        {"network": nn.Sequential(nn.Flatten(), nn.Dense(12, 300), Cubing(), nn.Dense(300, 3))},
        ValueError, "360,000 slopes that are not 0"),
    "a container of one's own": (
        {"network": nn.Sequential(nn.Flatten(), nn.Sequential(Alone()), nn.Dense(12, 3))},
        TypeError, "layer 1.0, Alone"),
    "no network": ({"network": nn.Dense(12, 3)}, TypeError, "network must be a Sequential"),
    "no loss": ({"loss": nn.Dense(12, 3)}, TypeError, "loss must be a loss"),
    "a loss of one's own": ({"loss": type("Own", (nn.SoftmaxCrossEntropy,), {})()},
                            TypeError, "not Own"),
    "too many images": ({"images": PIXELS.repeat(5, 0), "labels": LABELS * 5},
                        ValueError, "1 to 16 images, got 20"),
    "no image": ({"images": PIXELS[:0], "labels": []}, ValueError, "1 to 16 images, got 0"),
    "a wrong label": ({"labels": [0, 1, 2, 3]}, ValueError, "label 3"),
    "too few classes": ({"classes": ["a"]}, ValueError, "1 classes for 3 outputs"),
    "no step": ({"steps": []}, ValueError, "at least one step"),
    "what is no step": ({"steps": [small()]}, TypeError, "step 0 must be a microscope.step"),
    "a step of another network": (
        {"steps": [step(nn.Sequential(nn.Dense(3, 3)))]}, ValueError, "step 0 is one of another"),
    "too many weights": (
        {"network": nn.Sequential(nn.Flatten(), nn.Dense(12, 40_000), nn.Dense(40_000, 3))},
        ValueError, "640,003 numbers are 3,413,349 bytes"),
    "too much work": (
        {"network": nn.Sequential(nn.ConvTranspose2D(1, 99, 4, 9), nn.Conv2D(99, 99, 3),
                                  nn.Flatten(), nn.Dense(99 * 20 * 29, 3))},
        ValueError, "multiply-adds"),
}  # fmt: skip


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_page_cannot_show_is_refused_before_a_file_is_made(case, tmp_path):
    changed, error, said = REFUSED[case]
    arguments = {"network": small(), "loss": LOSS, "images": PIXELS, "labels": LABELS} | changed
    with pytest.raises(error, match=re.escape(said)):
        write(tmp_path / "step.html", **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_would_be_too_large_is_refused_with_its_size(tmp_path):
    network, optimizer = nn.Sequential(nn.Flatten(), nn.Dense(12, 3_000), seed=0), nn.Adam()
    x, rows = PIXELS / 255, np.eye(3_000)[LABELS]
    network.forward(x, training=True)
    network.backward(np.ones((4, 3_000)))
    optimizer.step(network.parameters())
    write(tmp_path / "one.html", network, LOSS, PIXELS, LABELS, [step(network)])
    several = [step(network, optimizer)] * 3
    with pytest.raises(ValueError, match=r"would have \d,\d{3},\d{3} bytes, 3 × "):
        write(tmp_path / "many.html", network, LOSS, PIXELS, rows, several)
    assert [path.name for path in tmp_path.iterdir()] == ["one.html"]


def test_half_precision_makes_room_and_refuses_what_it_cannot_hold(tmp_path):
    network = nn.Sequential(nn.Flatten(), nn.Dense(12, 800), nn.Dense(800, 3), seed=0)
    several = [step(network)] * 22
    with pytest.raises(ValueError, match="half=True"):
        write(tmp_path / "step.html", network, LOSS, PIXELS, LABELS, several)
    write(tmp_path / "half.html", network, LOSS, PIXELS, LABELS, several, half=True)
    network[1].bias.value = np.full(800, 1e5)
    with pytest.raises(ValueError, match=r"1\.bias has numbers that are no float16"):
        write(tmp_path / "step.html", network, LOSS, PIXELS, LABELS, half=True)
    assert [path.name for path in tmp_path.iterdir()] == ["half.html"]


def test_a_loss_that_is_not_finite_is_refused(tmp_path):
    network = small()
    network[1].bias.value = [np.nan, 0, 0]
    with pytest.raises(ValueError, match="step 0 the loss is nan"):
        write(tmp_path / "step.html", network, LOSS, PIXELS, LABELS)


def test_an_optimiser_that_knows_another_network_is_refused():
    network, other, optimizer = small(), nn.Sequential(nn.Dense(3, 3)), nn.Adam()
    optimizer.step(other.parameters())
    with pytest.raises(ValueError, match="the optimizer's mean is that of another network"):
        step(network, optimizer)
