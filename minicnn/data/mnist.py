"""MNIST and Fashion-MNIST: found on disk, or else downloaded once into the user's cache.

Sources: LeCun, Cortes and Burges, "The MNIST database of handwritten digits"; Xiao, Rasul and
Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning Algorithms"
(2017).
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from ..common.errors import DataFileError
from .dataset import Dataset
from .idx import read_idx
from .published import Source, locate

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


DIGITS = ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
CLOTHES = (
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
)
MNIST = Source(
    title="MNIST",
    folder="mnist",
    files=FILES,
    suffix=".gz",
    twin="fashion-mnist",
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
    files=FILES,
    suffix=".gz",
    twin="mnist",
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
    return _load(MNIST, DIGITS, directory)


def load_fashion_mnist(directory: str | os.PathLike[str] | None = None) -> tuple[Dataset, Dataset]:
    """The Fashion-MNIST training and test set: 60,000 and 10,000 pictures of clothes.

    As `load_mnist` in all but the subfolder, fashion-mnist, and the names of the classes,
    "T-shirt/top" … "Ankle boot".
    """
    return _load(FASHION_MNIST, CLOTHES, directory)


def _load(
    source: Source, classes: tuple[str, ...], directory: str | os.PathLike[str] | None
) -> tuple[Dataset, Dataset]:
    paths = locate(source, directory)
    return _read_pair(classes, *paths[:2]), _read_pair(classes, *paths[2:])


def _read_pair(classes: tuple[str, ...], image_path: Path, label_path: Path) -> Dataset:
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
    if len(labels) and labels.max() >= len(classes):
        raise DataFileError(
            f"{got}; among the labels is {labels.max()}, wanted 0 to {len(classes) - 1}"
        )
    return Dataset(images[:, np.newaxis], labels.astype(np.int64), classes)
