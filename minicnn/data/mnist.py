"""MNIST and Fashion-MNIST: found on disk, or else downloaded once into the user's cache.

Sources: LeCun, Cortes and Burges, "The MNIST database of handwritten digits"; Xiao, Rasul and
Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms" (2017).
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pooch

from ..errors import DataFileError
from .dataset import Dataset
from .idx import read_idx

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@dataclass(frozen=True)
class _Source:
    title: str
    folder: str
    classes: tuple[str, ...]
    first_labels: tuple[int, ...]  # of the training set
    mirrors: tuple[str, ...]
    sha256: tuple[str, ...]  # of each of FILES, with .gz

    def urls(self, name: str) -> list[str]:
        return [f"{mirror}{name}.gz" for mirror in self.mirrors]


_MNIST = _Source(
    title="MNIST",
    folder="mnist",
    classes=tuple("0123456789"),
    first_labels=(5, 0, 4, 1, 9, 2, 1, 3, 1, 4),
    mirrors=(
        "https://storage.googleapis.com/cvdf-datasets/mnist/",
        "https://ossci-datasets.s3.amazonaws.com/mnist/",
    ),
    sha256=(
        "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    ),
)
_FASHION_MNIST = _Source(
    title="Fashion-MNIST",
    folder="fashion-mnist",
    classes=(
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ),
    first_labels=(9, 0, 0, 3, 0, 2, 7, 2, 5, 5),
    mirrors=(
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
        "https://github.com/zalandoresearch/fashion-mnist/raw/master/data/fashion/",
    ),
    sha256=(
        "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    ),
)


def load_mnist(directory: str | os.PathLike[str] | None = None) -> tuple[Dataset, Dataset]:
    """The MNIST training and test set: 60,000 and 10,000 handwritten digits, (N, 1, 28, 28).

    The four files are looked for in `directory`, or without it in the folder that the environment
    variable MINICNN_DATA names and then in the user's cache: in the subfolder mnist, then in the
    folder itself, with or without .gz. What is in neither is downloaded into the cache, from the
    next mirror if one fails or sends other bytes than were published (SHA-256).

    OSError if a given `directory` does not hold the files, or if no mirror could deliver one;
    DataFileError if a file is broken or holds something else.
    """
    return _load(_MNIST, directory)


def load_fashion_mnist(directory: str | os.PathLike[str] | None = None) -> tuple[Dataset, Dataset]:
    """The Fashion-MNIST training and test set: 60,000 and 10,000 articles, (N, 1, 28, 28).

    Files, folders and errors are as for `load_mnist`; the subfolder is fashion-mnist.
    """
    return _load(_FASHION_MNIST, directory)


def _load(source: _Source, directory: str | os.PathLike[str] | None) -> tuple[Dataset, Dataset]:
    paths = _locate(source, directory)
    train = _read_pair(source, *paths[:2])
    test = _read_pair(source, *paths[2:])
    # All members of the family have the same file names: without this, MINICNN_DATA set to a folder
    # of digits would quietly pass them off as clothes.
    start = tuple(train.labels[: len(source.first_labels)].tolist())
    for other in (_MNIST, _FASHION_MNIST):
        if start == other.first_labels != source.first_labels:
            raise DataFileError(
                f"{paths[1]}: these are the labels of {other.title}, wanted {source.title} "
                f"(in a folder or subfolder {source.folder})"
            )
    return train, test


def _locate(source: _Source, directory: str | os.PathLike[str] | None) -> list[Path]:
    cache = Path(pooch.os_cache("minicnn"))
    if directory is not None:
        roots = [Path(directory)]
    else:
        variable = os.environ.get("MINICNN_DATA")
        roots = [Path(variable), cache] if variable else [cache]
    for root in roots:
        for folder in (root / source.folder, root):
            paths = [_plain_or_gz(folder / name) for name in FILES]
            found = [path for path in paths if path is not None]
            if len(found) == len(FILES):
                return found
    if directory is not None:
        raise FileNotFoundError(
            f"{source.title}: wanted the files {', '.join(FILES)} (with or without .gz) "
            f"in {directory} or its subfolder {source.folder}; not all of them are there"
        )
    return _download(source, cache / source.folder)


def _plain_or_gz(path: Path) -> Path | None:
    packed = path.with_name(path.name + ".gz")
    return path if path.is_file() else packed if packed.is_file() else None


def _download(source: _Source, folder: Path) -> list[Path]:
    paths = []
    for name, sha256 in zip(FILES, source.sha256, strict=True):
        failures: list[str] = []
        for url in source.urls(name):
            try:
                # pooch writes to a temporary file beside the final one and moves it into place only
                # when the hash is right; a file that is already there and right is kept.
                path = pooch.retrieve(
                    url,
                    known_hash=f"sha256:{sha256}",
                    fname=f"{name}.gz",
                    path=folder,
                    progressbar=sys.stderr.isatty(),
                )
            except (OSError, ValueError) as error:  # ValueError: wrong hash
                failures.append(f"  {url}: {error}")
            else:
                paths.append(Path(path))
                break
        else:
            raise OSError(_how_to_get(source, folder, failures))
    return paths


def _how_to_get(source: _Source, folder: Path, failures: list[str]) -> str:
    urls = (f"  {url}" for name in FILES for url in source.urls(name))
    return "\n".join(
        [
            f"{source.title} could not be downloaded to {folder}:",
            *failures,
            f"Put {', '.join(f'{name}.gz' for name in FILES)} into a folder by other means and set "
            "the environment variable MINICNN_DATA to it. Their addresses:",
            *urls,
        ]
    )


def _read_pair(source: _Source, image_path: Path, label_path: Path) -> Dataset:
    images, labels = read_idx(image_path), read_idx(label_path)
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise DataFileError(
            f"{image_path}: holds {images.dtype} {images.shape}, wanted uint8 (N, 28, 28)"
        )
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise DataFileError(f"{label_path}: holds {labels.dtype} {labels.shape}, wanted uint8 (N,)")
    if len(images) != len(labels):
        raise DataFileError(
            f"{label_path}: holds {len(labels)} labels, wanted {len(images)}, one for each image "
            f"of {image_path}"
        )
    if len(labels) and labels.max() >= len(source.classes):
        raise DataFileError(
            f"{label_path}: holds the label {labels.max()}, wanted 0..{len(source.classes) - 1}"
        )
    return Dataset(images[:, np.newaxis], labels.astype(np.int64), source.classes)
