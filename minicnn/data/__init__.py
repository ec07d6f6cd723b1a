"""Data sets: published ones, Zener cards and your own; how files hold them; how images change."""

from .augment import Compose, CutOut, RandomAffine, RandomCrop, RandomFlip
from .cards import read_cards, write_cards
from .cifar import load_cifar10
from .dataset import Dataset, split
from .folder import read_images
from .idx import read_idx
from .mnist import load_fashion_mnist, load_mnist
from .zener import ZenerStyle, zener_cards

__all__ = [
    "Compose",
    "CutOut",
    "Dataset",
    "RandomAffine",
    "RandomCrop",
    "RandomFlip",
    "ZenerStyle",
    "load_cifar10",
    "load_fashion_mnist",
    "load_mnist",
    "read_cards",
    "read_idx",
    "read_images",
    "split",
    "write_cards",
    "zener_cards",
]
