"""Model files to break: their bytes, with another header or other members."""

import json
import zipfile
from functools import cache
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

import minicnn as m
from tests.strategies import stripes


@cache
def small_file():
    """The bytes of a file that holds one layer."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        m.save(path, m.Sequential(m.Dense(1, 1), seed=0))
        return path.read_bytes()


@cache
def large_file():
    """The bytes of a checkpoint that has everything in it."""
    network = m.Sequential(
        m.Conv2D(1, 2, 3), m.BatchNorm(2), m.Sequential(m.ReLU(), m.MaxPool2D(2)), m.Flatten(),
        m.Dropout(0.5), m.Dense(18, 2), seed=0,
    )  # fmt: skip
    with TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        m.fit(
            network, m.SoftmaxCrossEntropy(), m.SGD(0.1, momentum=0.9), stripes(8), stripes(4, 1),
            epochs=2, patience=2, checkpoint=path, progress=False,
        )  # fmt: skip
        return path.read_bytes()


def contents(data):
    """Members of an archive by name."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_of(members, compression=zipfile.ZIP_STORED):
    """An archive with right checksums; members are (name, bytes)."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return file.getvalue()


def with_header(data, change):
    members = contents(data)
    header = json.loads(members["header.json"])
    header = change(header) or header
    members["header.json"] = json.dumps(header).encode()
    return archive_of(members.items())


def refusal(path, data):
    """The message with which a file is refused; it names the file."""
    path.write_bytes(data)
    with pytest.raises(m.ModelFileError) as caught:
        m.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)
