"""Zener cards as a folder of PNG files named <index>_<letter>.png, for example 12_O.png."""

from __future__ import annotations

import os
import re
import struct
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image

from ..common.errors import DataFileError
from ..common.paths import path_text, whole_file
from .dataset import Dataset
from .symbols import CLASSES

NAME = re.compile(r"([0-9]+)_([A-Z])\.png")
MODES = ("1", "L", "P", "LA", "RGB", "RGBA")
MAX_PIXELS = 2**20  # a card has hundreds; a small file can announce billions
SIGNATURE = b"\x89PNG\r\n\x1a\n"
END = b"\0\0\0\0IEND\xaeB`\x82"  # the last chunk: no content, name, checksum


def write_cards(dataset: Dataset, folder: str | os.PathLike[str]) -> None:
    """Write image i of a set of Zener cards to <folder>/<i>_<letter>.png, 8-bit greyscale.

    The folder is made if need be. Each file appears whole or not at all; one of the same name is
    replaced.

    ValueError for images other than uint8 with one channel or classes other than O, P, Q, S and W;
    FileExistsError for a folder with other PNG files, which would be read as part of the set.
    """
    folder = Path(path_text(folder, "folder", "write_cards"))
    if dataset.classes != CLASSES:
        raise ValueError(f"write_cards: wanted the classes {CLASSES}, got {dataset.classes}")
    if dataset.images.shape[1] != 1 or dataset.images.dtype != np.uint8:
        got = f"{dataset.images.dtype} {dataset.images.shape}"
        raise ValueError(f"write_cards: wanted images of uint8 (N, 1, H, W), got {got}")
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{i}_{CLASSES[label]}.png" for i, label in enumerate(dataset.labels)]
    others = sorted({path.name for path in _png_files(folder)} - set(names))
    if others:
        raise FileExistsError(
            f"{folder}: wanted a folder without other cards, got {len(others)}, such as {others[0]}"
        )
    for name, image in zip(names, dataset.images[:, 0], strict=True):
        with whole_file(folder / name) as unfinished:
            Image.fromarray(image).save(unfinished, format="PNG")


def read_cards(folder: str | os.PathLike[str]) -> Dataset:
    """The Zener cards in a folder, in the order of their index; indices may be left out.

    Reads every file whose name ends in .png, in any case, and ignores all others. The images are
    uint8 (N, 1, H, W): grey as stored, 0 and 255 for 1-bit pixels, and for colours, a palette's
    too, 0.299 red + 0.587 green + 0.114 blue (ITU-R BT.601). What is transparent shows white paper.

    DataFileError, naming the file, for a name that is not <index>_<letter>.png, a letter other than
    O, P, Q, S and W, an index that another card has, something that is no regular file or lies
    outside the folder (a link), a broken PNG, one of 16 bits a channel or with a transparent grey
    of less than 8, more than MAX_PIXELS pixels, or a size that differs from the first card's; also
    for a folder without cards. OSError if the folder or a file cannot be read.
    """
    folder = Path(path_text(folder, "folder", "read_cards"))
    cards: dict[int, tuple[Path, int]] = {}
    for path in sorted(_png_files(folder)):
        index, label = _parse_name(path)
        if index in cards:
            raise DataFileError(f"{path}: index {index} is that of {cards[index][0].name} too")
        cards[index] = path, label
    if not cards:
        raise DataFileError(f"{folder}: wanted files <index>_<letter>.png, got none")

    paths, labels = zip(*(cards[index] for index in sorted(cards)), strict=True)
    images: list[np.ndarray] = []
    for path in paths:
        image = _read_png(path, folder)
        if images and image.shape != images[0].shape:
            raise DataFileError(
                f"{path}: {image.shape} pixels, wanted {images[0].shape} as in {paths[0].name}"
            )
        images.append(image)
    return Dataset(np.stack(images)[:, np.newaxis], np.array(labels, np.int64), CLASSES)


def _png_files(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if path.suffix.lower() == ".png"]


def _parse_name(path: Path) -> tuple[int, int]:
    match = NAME.fullmatch(path.name)
    if not match:
        raise DataFileError(f"{path}: wanted a name <index>_<letter>.png, such as 12_O.png")
    letter = match[2]
    if letter not in CLASSES:
        raise DataFileError(f"{path}: letter {letter}, wanted one of {', '.join(CLASSES)}")
    return int(match[1]), CLASSES.index(letter)


def _read_png(path: Path, folder: Path) -> np.ndarray:
    target = path.resolve()
    if not target.is_relative_to(folder.resolve()):
        raise DataFileError(f"{path}: a link to {target}, wanted a file in {folder}")
    if not target.is_file():
        raise DataFileError(f"{path}: wanted a regular file")
    with path.open("rb") as file:
        depth = _check_ends(path, file)
        try:
            # verify() compares the checksums, which decoding skips, and leaves the image unusable.
            Image.open(file, formats=["PNG"]).verify()
            file.seek(0)
            with Image.open(file, formats=["PNG"]) as image:
                return _grey(path, image, depth)
        except DataFileError:
            raise
        # What Pillow raises for broken data depends on where the data are broken: OSError,
        # SyntaxError, ValueError, struct.error, IndexError …
        except Exception as error:
            raise DataFileError(f"{path}: wanted a whole PNG image: {error}") from error


def _grey(path: Path, image: Image.Image, depth: int) -> np.ndarray:
    """The pixels as uint8 (H, W), laid over white."""
    if image.mode not in MODES:
        raise DataFileError(f"{path}: pixels of mode {image.mode}, wanted one of {MODES}")
    if depth < 8 and image.mode != "P" and "transparency" in image.info:
        # Pillow compares the transparent grey, 0..2^depth - 1, with pixels of 0..255.
        raise DataFileError(f"{path}: a transparent grey of {depth} bits, wanted one of 8")
    if image.mode == "P" and np.asarray(image).max() >= len(image.getpalette() or ()) // 3:
        raise DataFileError(f"{path}: a pixel's colour is not in the palette")
    colours = image.convert("RGBA")
    paper = Image.new("RGBA", image.size, "white")
    return np.array(Image.alpha_composite(paper, colours).convert("L"))


def _check_ends(path: Path, file: BinaryIO) -> int:
    """Refuse an image for its header or its last bytes alone, before any pixel is decoded.

    Returns the bits a channel, or of a number in a palette.
    """
    start = file.read(25)  # signature, length and name of the first chunk, width, height, bits
    if len(start) < 25 or start[:8] != SIGNATURE or start[12:16] != b"IHDR":
        raise DataFileError(f"{path}: wanted a PNG header, got {start!r}")
    width, height, depth = struct.unpack(">IIB", start[16:])
    if width * height > MAX_PIXELS:
        raise DataFileError(
            f"{path}: announces {width} × {height} pixels, wanted at most {MAX_PIXELS} in all"
        )
    if depth > 8:
        raise DataFileError(f"{path}: {depth} bits a channel, wanted at most 8")
    file.seek(-len(END), os.SEEK_END)
    if file.read() != END:
        raise DataFileError(f"{path}: wanted a file that ends with the PNG end chunk")
    file.seek(0)
    return depth
