"""What a history and an evaluation show and keep."""

import json
import os

import numpy as np
import pytest

from minicnn import (
    Dense,
    Flatten,
    MeanSquaredError,
    Sequential,
    SoftmaxCrossEntropy,
    evaluate,
)
from minicnn.data import Dataset
from minicnn.files.history import COLUMNS, History
from tests.strategies import stripes
from tests.training.small import train


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
        if k == 20:
            assert len(repr(history).split("\n")) == 21 and "more" not in repr(history)
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
