"""A folder of photographs, a sub-folder for each class: folder/cat/anything.jpg."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from ..common.arguments import pair, whole_number
from ..common.errors import DataFileError
from ..common.paths import path_text, whole_file
from .dataset import Dataset

FORMATS = ("BMP", "GIF", "JPEG", "PNG", "PPM", "TIFF", "WEBP")
MODES = ("1", "L", "LA", "P", "RGB", "RGBA", "CMYK", "YCbCr")  # 8 bits a channel, and fewer
MAX_PIXELS = 2**26  # a large photograph has 2^25; a small file can announce billions


def read_images(
    folder: str | os.PathLike[str],
    size: int | tuple[int, int],
    *,
    channels: int = 3,
    seed: int | None = None,
    memory_map: str | os.PathLike[str] | None = None,
) -> Dataset:
    """The images in the sub-folders of a folder, each sub-folder a class that bears its name.

    - size: height and width of all images, or one number for both. An image of another shape loses
      what juts out on both sides, and the rest is scaled, so nothing looks stretched
    - channels: 3 for red, green and blue, 1 for grey. Transparency is left out
    - seed: None for the order of the names, class after class; a whole number for an order drawn
      from it, in which every slice of the set is a random part
    - memory_map: a file, such as photos.npy, that gets the pixels, where they are more than the
      memory holds: they are written image by image, and read from there by `fit`. It appears whole
      or not at all; one of that name is replaced. Without it they are kept in memory
    - returns images uint8 (N, channels, height, width), labels int64 (N,), classes sorted by name

    Reads BMP, GIF (its first image), JPEG, PNG, PPM, TIFF and WebP, each turned as its camera was
    held. Names that begin with a dot are ignored, and so are files beside the sub-folders.

    DataFileError, naming the file or folder, for a file in a sub-folder that is no such image or a
    broken one, has more than 8 bits a channel or more than MAX_PIXELS pixels, for a sub-folder
    without images or with folders in it, and for a folder without sub-folders. OSError for what
    cannot be read or written; TypeError or ValueError for arguments that make no sense.
    """
    folder = Path(path_text(folder, "folder", "read_images"))
    height, width = pair(size, "size", "read_images")
    if channels not in (1, 3):
        raise ValueError(f"read_images: channels must be 1 (grey) or 3 (colour), got {channels!r}")
    if memory_map is not None:
        path_text(memory_map, "memory_map", "read_images")
    classes, paths, labels = _list(folder)
    if seed is not None:
        whole_number(seed, "seed", "read_images", at_least=0)
        order = np.random.default_rng(seed).permutation(len(paths))
        paths, labels = [paths[k] for k in order], labels[order]
    shape = len(paths), channels, height, width
    pixels = (_read_image(path, shape[1:]) for path in paths)
    if memory_map is None:
        images = np.empty(shape, np.uint8)
        for k, image in enumerate(pixels):
            images[k] = image
    else:
        images = _write(pixels, shape, memory_map)
    return Dataset(images, labels, classes)


def _list(folder: Path) -> tuple[tuple[str, ...], list[Path], np.ndarray]:
    """The classes, the files of all of them in order, and the files' labels."""
    classes = sorted(path.name for path in _visible(folder) if path.is_dir())
    if not classes:
        raise DataFileError(f"{folder}: wanted a sub-folder for each class, got none")
    paths: list[Path] = []
    labels: list[int] = []
    for label, name in enumerate(classes):
        found = sorted(_visible(folder / name), key=lambda path: path.name)
        if not found:
            raise DataFileError(f"{folder / name}: wanted the images of a class, got none")
        paths += found
        labels += [label] * len(found)
    return tuple(classes), paths, np.array(labels, np.int64)


def _visible(folder: Path) -> list[Path]:
    return [path for path in folder.iterdir() if not path.name.startswith(".")]


def _read_image(path: Path, shape: tuple[int, ...]) -> np.ndarray:
    """One image as uint8 (C, H, W)."""
    channels, height, width = shape
    if not path.is_file():  # a FIFO would be waited for
        raise DataFileError(f"{path}: wanted an image, got something that is no regular file")
    with path.open("rb") as file:
        try:
            with Image.open(file, formats=FORMATS) as image:
                _check(path, image)
                _decode_smaller(image, 2 * max(height, width))
                upright = ImageOps.exif_transpose(image)
                if upright.mode == "P":
                    upright = upright.convert("RGBA")  # a palette may have transparent colours
                upright = upright.convert("L" if channels == 1 else "RGB")
                fitted = ImageOps.fit(upright, (width, height), Image.Resampling.BILINEAR)
                return np.asarray(fitted).reshape(height, width, channels).transpose(2, 0, 1)
        except DataFileError:
            raise
        # What Pillow raises for broken data depends on where the data are broken.
        except Exception as error:
            formats = ", ".join(FORMATS)
            raise DataFileError(f"{path}: wanted a whole image of {formats}: {error}") from error


def _decode_smaller(image: Image.Image, least: int) -> None:
    """Have a JPEG decoded at a half, a quarter or an eighth of its size: that is much faster.

    Only where that is whole pixels: a last one, of which a part lies outside, would shift the rest.
    """
    for scale in (8, 4, 2):
        smaller = image.width // scale, image.height // scale
        if min(smaller) >= least and image.size == (scale * smaller[0], scale * smaller[1]):
            image.draft(image.mode, smaller)
            return


def _check(path: Path, image: Image.Image) -> None:
    """Refuse an image for what its header says, before any pixel is decoded."""
    if image.width * image.height > MAX_PIXELS:
        raise DataFileError(
            f"{path}: announces {image.width} × {image.height} pixels, wanted at most {MAX_PIXELS} "
            "in all"
        )
    if image.mode not in MODES:
        raise DataFileError(
            f"{path}: pixels of mode {image.mode}, wanted at most 8 bits a channel: one of "
            f"{', '.join(MODES)}"
        )


def _write(
    pixels: Iterator[np.ndarray], shape: tuple[int, ...], path: str | os.PathLike[str]
) -> np.ndarray:
    """The images in a .npy file, memory-mapped.

    Written from front to end like any file: a full disk is then an OSError, where writing through a
    memory map would end the process.
    """
    header = {"descr": "|u1", "fortran_order": False, "shape": shape}
    with whole_file(path) as unfinished, open(unfinished, "wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for image in pixels:
            file.write(image.tobytes())
    return np.load(path, mmap_mode="r")
