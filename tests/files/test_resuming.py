"""A training that was interrupted goes on to the same bits; another one is not taken for it."""

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicnn as m
from minicnn.data import RandomFlip
from minicnn.files.checkpoint import Progress
from minicnn.schedules import Cosine
from tests.conftest import with_our_threads
from tests.files.test_checkpoint import OPTIMIZERS, every_backend, state
from tests.strategies import seeds, stripes


def fresh(seed=0):
    return m.Sequential(
        m.Conv2D(1, 4, 3, padding=1), m.Residual(m.BatchNorm(4), m.Dropout(0.1), m.ReLU()),
        m.MaxPool2D(2), m.Flatten(), m.Dropout(0.2), m.Dense(64, 2), seed=seed,
    )  # fmt: skip


def train(network, optimizer, **arguments):
    arguments = {"epochs": 3, "batch_size": 16, "seed": 1, "progress": False, **arguments}
    data = arguments.pop("data", stripes(40)), stripes(20, 1)
    return m.fit(network, m.SoftmaxCrossEntropy(), optimizer, *data, **arguments)


def without_seconds(history):
    return {name: column for name, column in history.columns.items() if name != "seconds"}


def floats(count):
    images, labels = stripes(count)
    return images / 255, labels


def one_hot(count):
    images, labels = stripes(count)
    return images, np.eye(2, dtype="f")[labels]


@every_backend
@given(
    kind=st.sampled_from([*OPTIMIZERS]), stops=st.lists(st.integers(0, 5), max_size=3),
    every=st.integers(1, 3), patience=st.none() | st.integers(1, 2), seed=seeds,
)  # fmt: skip
def test_a_training_that_is_resumed_ends_with_the_same_bits(
    path, backend, kind, stops, every, patience, seed
):
    path.unlink(missing_ok=True)
    arguments = {"seed": seed, "schedule": Cosine(5), "patience": patience}
    network, optimizer = fresh().to(backend), OPTIMIZERS[kind]()
    history = train(network, optimizer, epochs=5, **arguments)
    for epochs in [*sorted(stops), 5]:
        # What a training is resumed with does not matter: the file has it all.
        again = fresh(seed=9 if path.exists() else 0).to(backend)
        its_optimizer = OPTIMIZERS[kind]()
        its_history = train(
            again, its_optimizer, epochs=epochs, checkpoint=path, every=every, **arguments
        )
    assert state(again, its_optimizer) == state(network, optimizer)
    assert without_seconds(its_history) == without_seconds(history)


# Arguments: the backend, then paths and epochs in turn.
PROGRAM = """
import sys
import minicnn as m
from minicnn.schedules import OneCycle
from tests.strategies import stripes
for path, epochs in zip(sys.argv[2::2], map(int, sys.argv[3::2])):
    network = m.Sequential(
        m.Conv2D(1, 4, 3, padding=1), m.BatchNorm(4), m.ReLU(), m.MaxPool2D(2), m.Flatten(),
        m.Dropout(0.2), m.Dense(64, 2), seed=0,
    ).to(sys.argv[1])
    optimizer = m.AdamW(0.01)
    m.fit(network, m.SoftmaxCrossEntropy(), optimizer, stripes(50), stripes(20, 1), epochs=epochs,
          batch_size=16, seed=7, schedule=OneCycle(4), patience=3, checkpoint=path, progress=False)
    values = [p.value for p in network.state().values()]
    values += [p.value for slot in optimizer.slots.values() for p in slot]
    print(optimizer.steps, b"".join(v.tobytes() for v in values).hex())
"""


def run(program, *arguments):
    """What a program prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", program, *map(str, arguments)], capture_output=True, text=True,
        env=with_our_threads()
        | {"PYTHONPATH": os.pathsep.join(sys.path), "OPENBLAS_NUM_THREADS": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


@every_backend
def test_a_new_process_goes_on_to_the_same_bits(tmp_path, backend):
    whole, parts = tmp_path / "whole.npz", tmp_path / "parts.npz"
    one, _ = run(PROGRAM, backend, whole, 4, parts, 2).splitlines()
    assert run(PROGRAM, backend, parts, 4).splitlines() == [one]


@pytest.mark.parametrize(
    ("difference", "message"),
    [
        ({"seed": 2}, "has seed=1, this call has seed=2"),
        ({"seed": 11}, "has seed=1, this call has seed=11"),
        ({"batch_size": 8}, "has batch_size=16, this call has batch_size=8"),
        ({"epochs": 1}, "has done 3 epochs, this call has epochs=1"),
        ({"data": stripes(30)}, r"train=inputs \(40, 1, 8, 8\) of .*, this call .*\(30, 1, 8, 8\)"),
        ({"data": floats(40)}, r"of uint8, targets \(40,\) of i.*, this call .* of float64, t"),
        ({"data": one_hot(40)}, r"targets \(40,\) of integers, .*, targets \(40, 2\) of float32"),
        ({"schedule": Cosine(9)}, r"has schedule=None, this call has schedule=Cosine\(epochs=9"),
        ({"penalty": m.Penalty(l1=0.1)}, "has penalty=None, this call has penalty=l1 0.1"),
        ({"augment": RandomFlip()}, r"has augment=None, this call has augment=RandomFlip\("),
        ({"patience": 3}, "has patience=None, this call has patience=3"),
        ({"optimizer": m.SGD(0.2)}, "optimizer=SGD.*'lr': 0.1.*this call has .*'lr': 0.2"),
        ({"optimizer": m.Adam(0.1)}, "has optimizer=SGD.*this call has optimizer=Adam"),
        ({"network": fresh().astype("float64")}, "float32, this call has parameters of float64"),
        (
            {"network": m.Sequential(*fresh().layers[:5], m.Dense(64, 3))},
            r"layer 5: Dense\(in_features=64, out_features=2\), this call .*out_features=3",
        ),
        (
            {"network": m.Sequential(*fresh(), m.Tanh())},
            r"has no further layer, this call has layer 6: Tanh\(\)",
        ),
    ],
)
def test_another_training_is_not_resumed_and_what_differs_is_named(path, difference, message):
    train(fresh(), m.SGD(0.1), checkpoint=path, resume=False)
    call = {"network": fresh(), "optimizer": m.SGD(0.1)} | difference
    before, file = state(call["network"]), path.read_bytes()
    with pytest.raises(ValueError, match=message):
        train(checkpoint=path, **call)
    assert state(call["network"]) == before
    assert path.read_bytes() == file


def test_labels_of_another_integer_are_the_same_training(path):
    train(fresh(), m.SGD(0.1), checkpoint=path, resume=False, epochs=1)
    images, labels = stripes(40)
    train(fresh(), m.SGD(0.1), checkpoint=path, data=(images, labels.astype(np.int16)))
    assert len(m.load(path).progress.history) == 3


def test_an_older_file_that_names_only_the_shape_of_the_inputs_is_resumed(path):
    whole, its_optimizer = fresh(), m.SGD(0.1)
    train(whole, its_optimizer)
    train(fresh(), m.SGD(0.1), checkpoint=path, resume=False, epochs=1)
    saved = m.load(path)
    for name, shape in (("train", "(40, 1, 8, 8)"), ("validation", "(20, 1, 8, 8)")):
        saved.progress.arguments[name] = f"inputs {shape}"
    m.save(path, *saved)
    with pytest.raises(ValueError, match=r"train=inputs \(40, 1, 8, 8\), this call has .*\(30,"):
        train(fresh(), m.SGD(0.1), checkpoint=path, data=stripes(30))
    for epochs in (2, 3):
        network, optimizer = fresh(seed=9), m.SGD(0.1)
        train(network, optimizer, checkpoint=path, epochs=epochs)
    assert state(network, optimizer) == state(whole, its_optimizer)


@pytest.mark.parametrize("parts", [(), (m.SGD(0.1),), (None, Progress({}))])
def test_a_file_without_a_training_is_not_resumed(path, parts):
    m.save(path, fresh(), *parts)
    with pytest.raises(m.ModelFileError, match="holds no training"):
        train(fresh(), m.SGD(0.1), checkpoint=path)


def test_without_resume_training_starts_again(path):
    for _ in range(2):
        assert len(train(fresh(), m.SGD(0.1), checkpoint=path, resume=False, epochs=2)) == 2
    assert len(m.load(path).progress.history) == 2


def test_a_checkpoint_that_cannot_be_written_stops_training_before_it_begins(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    network = fresh()
    before = state(network)
    with pytest.raises(OSError, match=r"file"):
        train(network, m.SGD(0.1), checkpoint=tmp_path / "file" / "model.npz")
    assert state(network) == before
    with pytest.raises(ValueError, match="every must be at least 1"):
        train(network, m.SGD(0.1), checkpoint=tmp_path / "model.npz", every=0)
