"""CIFAR-10 in its binary version: found on disk, or else downloaded once into the user's cache.

Source: Krizhevsky, "Learning multiple layers of features from tiny images" (2009); the page
https://www.cs.toronto.edu/~kriz/cifar.html has the archive and describes its files. A record is a
byte for the label and 3 · 32 · 32 for the pixels: the red plane, the green, the blue, each row by
row. A batch is 10,000 records and nothing else, batches.meta.txt has the classes' names, a line
each.

The archive has 170,052,171 bytes. Its MD5 stands on that page (c32a1d4ab5d03f1284b67883e8d87530),
its SHA-256 in the checksums of TensorFlow Datasets. This reader has been tried on archives that
were made after the description, not yet on the published one.
"""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

import numpy as np

from ..common.errors import DataFileError
from .dataset import Dataset
from .published import Source, locate

CIFAR10 = Source(
    title="CIFAR-10",
    folder="cifar-10",
    files=("cifar-10-binary.tar.gz",),
    mirrors=("https://www.cs.toronto.edu/~kriz/", "https://cave.cs.toronto.edu/kriz/"),
    sha256=("c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd",),
)
FOLDER = "cifar-10-batches-bin"  # inside the archive
TRAIN = tuple(f"{FOLDER}/data_batch_{number}.bin" for number in range(1, 6))
TEST, NAMES = f"{FOLDER}/test_batch.bin", f"{FOLDER}/batches.meta.txt"
WANTED = (*TRAIN, TEST, NAMES)
SHAPE = (3, 32, 32)


def load_cifar10(directory: str | os.PathLike[str] | None = None) -> tuple[Dataset, Dataset]:
    """The CIFAR-10 training and test set: 50,000 and 10,000 small photographs in colour.

    - directory: where cifar-10-binary.tar.gz lies; without it, the folder that the environment
      variable MINICNN_DATA names is searched, and then the user's cache
    - returns (train, test): images uint8 (N, 3, 32, 32), labels int64 (N,), classes "airplane" …
      "truck"

    A folder may hold the archive in a subfolder cifar-10 or itself. It stays packed, and wherever
    it was found it is read only when it has the published SHA-256. Where there is none it is
    downloaded into the cache, 170 MB.

    FileNotFoundError when `directory` is given and lacks the archive; OSError when it can be
    neither read nor downloaded; DataFileError, naming it, when it is not what was published.
    """
    (path,) = locate(CIFAR10, directory)
    contents = _read_archive(path)
    lines = contents[NAMES].decode("ascii", errors="replace").splitlines()
    classes = tuple(line.strip() for line in lines if line.strip())
    return _dataset(path, contents, TRAIN, classes), _dataset(path, contents, (TEST,), classes)


def _read_archive(path: Path) -> dict[str, bytes]:
    """The files that are wanted, by their names in the archive; nothing is unpacked to the disk."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != CIFAR10.sha256[0]:
            raise DataFileError(
                f"{path}: has the SHA-256 {found}, wanted {CIFAR10.sha256[0]}, that of the "
                "published archive"
            )
        file.seek(0)
        contents = {}
        with tarfile.open(fileobj=file, mode="r|gz") as archive:
            for member in archive:
                if member.name in WANTED and (content := archive.extractfile(member)):
                    contents[member.name] = content.read()
    for name in WANTED:
        if name not in contents:
            raise DataFileError(f"{path}: has no file {name}")
    return contents


def _dataset(
    path: Path, contents: dict[str, bytes], names: tuple[str, ...], classes: tuple[str, ...]
) -> Dataset:
    size = 1 + int(np.prod(SHAPE))
    batches = []
    for name in names:
        if len(contents[name]) % size:
            raise DataFileError(
                f"{path}: {name} has {len(contents[name])} bytes, wanted whole records of {size}"
            )
        batches.append(np.frombuffer(contents[name], np.uint8).reshape(-1, size))
    labels = np.concatenate([batch[:, 0] for batch in batches])
    if len(labels) and labels.max() >= len(classes):
        raise DataFileError(
            f"{path}: among the labels is {labels.max()}, wanted 0 to {len(classes) - 1} for the "
            f"classes {', '.join(classes)}"
        )
    images = np.concatenate([batch[:, 1:] for batch in batches]).reshape(-1, *SHAPE)
    return Dataset(images, labels.astype(np.int64), classes)
