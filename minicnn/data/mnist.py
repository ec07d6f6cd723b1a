"""MNIST and Fashion-MNIST: found on disk, or else downloaded once into the user's cache.

Sources: LeCun, Cortes and Burges, "The MNIST database of handwritten digits"; Xiao, Rasul and
Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms"
(2017).
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..common.errors import DataFileError
from ..common.paths import path_text
from .dataset import Dataset
from .idx import read_idx

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@dataclass(frozen=True)
class Source:
    """One set of the family: all of them name their four files alike."""

    title: str
    folder: str
    classes: tuple[str, ...]
    mirrors: tuple[str, ...]
    sha256: tuple[str, ...]  # of the gzip files, in the order of FILES


MNIST = Source(
    title="MNIST",
    folder="mnist",
    classes=("0", "1", "2", "3", "4", "5", "6", "7", "8", "9"),
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
FASHION_MNIST = Source(
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
    """The MNIST training and test set: 60,000 and 10,000 handwritten digits.

    - directory: where the four files lie; without it, the folder that the environment variable
      MINICNN_DATA names is searched, and then the user's cache
    - returns (train, test): images uint8 (N, 1, 28, 28), labels int64 (N,), classes "0" … "9"

    A folder may hold the files, packed (.gz) or not, in a subfolder mnist or itself; what lies in
    the folder itself is taken to be MNIST. Files in neither place are downloaded into the cache,
    where only those with the published SHA-256 are kept.

    FileNotFoundError when `directory` is given and lacks a file; OSError when a file can be neither
    read nor downloaded; DataFileError when a file is broken or images and labels do not fit.
    """
    return _load(MNIST, directory)


def load_fashion_mnist(directory: str | os.PathLike[str] | None = None) -> tuple[Dataset, Dataset]:
    """The Fashion-MNIST training and test set: 60,000 and 10,000 pictures of clothes.

    As `load_mnist` in all but the subfolder, fashion-mnist, and the names of the classes,
    "T-shirt/top" … "Ankle boot".
    """
    return _load(FASHION_MNIST, directory)


def _load(source: Source, directory: str | os.PathLike[str] | None) -> tuple[Dataset, Dataset]:
    paths = _locate(source, directory)
    return _read_pair(source, *paths[:2]), _read_pair(source, *paths[2:])


def _locate(source: Source, directory: str | os.PathLike[str] | None) -> list[Path]:
    if directory is not None:
        found = _find(source, Path(path_text(directory, "directory", source.title)))
        if not found:
            raise FileNotFoundError(
                f"{source.title}: not all files are in {directory} or in its subfolder "
                f"{source.folder}; wanted {', '.join(FILES)}, each with or without .gz"
            )
        return found
    variable = os.environ.get("MINICNN_DATA")
    found = _find(source, Path(variable)) if variable else []
    return found or _from_cache(source)


def folder_on_disk(source: Source) -> Path | None:
    """Where the files are found without a download: under MINICNN_DATA or in the user's cache."""
    import pooch  # only here: most programs find their data on disk and start faster without it

    variable = os.environ.get("MINICNN_DATA")
    for root in ([Path(variable)] if variable else []) + [Path(pooch.os_cache("minicnn"))]:
        found = _find(source, root)
        if found:
            return found[0].parent
    return None


def _find(source: Source, root: Path) -> list[Path]:
    """The paths of FILES, or an empty list unless one folder has them all."""
    folders = [root / source.folder]
    if root.name not in {other.folder for other in (MNIST, FASHION_MNIST) if other is not source}:
        folders.append(root)  # digits must not pass for clothes
    for folder in folders:
        pairs = [(folder / name, folder / f"{name}.gz") for name in FILES]
        paths = [next(filter(Path.is_file, pair), None) for pair in pairs]
        found = [path for path in paths if path]
        if len(found) == len(FILES):
            return found
    return []


def _from_cache(source: Source) -> list[Path]:
    """The files in the user's cache: also in one that can only be read, if all are there."""
    import pooch  # only here: who has the data on disk need not wait for it

    cache = Path(pooch.os_cache("minicnn"))
    if found := _find(source, cache):
        return found
    pooch.get_logger().setLevel("WARNING")  # by default it announces every file
    return [_download(source, name, cache / source.folder) for name in FILES]


def _download(source: Source, name: str, folder: Path) -> Path:
    """The packed file, from the first mirror that sends what was published."""
    import pooch

    failures = []
    for mirror in source.mirrors:
        url = f"{mirror}{name}.gz"
        try:
            # pooch writes to a temporary file beside the final one and moves it there only when its
            # hash is right; a file that is already there and right is not fetched again.
            path = pooch.retrieve(
                url,
                known_hash=f"sha256:{source.sha256[FILES.index(name)]}",
                fname=f"{name}.gz",
                path=folder,
                progressbar=sys.stderr.isatty(),
            )
        except (OSError, ValueError) as error:  # ValueError: the hash is wrong
            failures.append(f"  {url}: {error}")
        else:
            return Path(path)
    message = [f"{source.title}: could not download {name}.gz to {folder}:", *failures]
    message.append(
        "The environment variable MINICNN_DATA may point to a folder that holds the files, "
        "packed or not. They are published as:"
    )
    message += [f"  {mirror}{file}.gz" for file in FILES for mirror in source.mirrors]
    raise OSError("\n".join(message))


def _read_pair(source: Source, image_path: Path, label_path: Path) -> Dataset:
    images, labels = read_idx(image_path), read_idx(label_path)
    got = (
        f"{image_path} holds {images.dtype} {images.shape}, "
        f"{label_path} holds {labels.dtype} {labels.shape}"
    )
    if images.dtype != np.uint8 or images.shape[1:] != (28, 28):
        raise DataFileError(f"{got}; wanted images of uint8 (N, 28, 28)")
    if labels.dtype != np.uint8 or labels.ndim != 1:
        raise DataFileError(f"{got}; wanted labels of uint8 (N,)")
    if len(images) != len(labels):
        raise DataFileError(f"{got}; wanted as many labels as images")
    if len(labels) and labels.max() >= len(source.classes):
        raise DataFileError(
            f"{got}; among the labels is {labels.max()}, wanted 0 to {len(source.classes) - 1}"
        )
    return Dataset(images[:, np.newaxis], labels.astype(np.int64), source.classes)
