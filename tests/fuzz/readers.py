"""Coverage-guided fuzzing of the file readers: python tests/fuzz/readers.py idx -max_total_time=600

Needs atheris (pip install atheris), whose arguments are libFuzzer's. Whatever the bytes are, a
reader gives a whole array or raises DataFileError; anything else is a finding, and atheris stops
with the bytes that made it.
"""

import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["minicnn", "PIL", "zipfile"]):
    from minicnn.common.errors import DataFileError, ModelFileError
    from minicnn.data import cards, folder, idx
    from minicnn.files import checkpoint, network_file

FOLDER = Path(tempfile.mkdtemp(prefix="minicnn-fuzz-"))


def idx_file(content: bytes) -> None:
    path = FOLDER / "file"
    path.write_bytes(content)
    try:
        array = idx.read_idx(path)
    except DataFileError as error:
        assert str(path) in str(error)
    else:
        assert array.flags.writeable and array.dtype.isnative


def png_file(content: bytes) -> None:
    (FOLDER / "0_O.png").write_bytes(content)
    try:
        dataset = cards.read_cards(FOLDER)
    except DataFileError as error:
        assert "0_O.png" in str(error)
    else:
        assert dataset.images.shape[:2] == (1, 1)


def image_file(content: bytes) -> None:
    path = FOLDER / "photos" / "class" / "image"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    try:
        dataset = folder.read_images(path.parent.parent, 8)
    except DataFileError as error:
        assert str(path) in str(error)
    else:
        assert dataset.images.shape == (1, 3, 8, 8)


def model_file(content: bytes) -> None:
    path = FOLDER / "model.npz"
    path.write_bytes(content)
    try:
        found = checkpoint.load(path)
    except ModelFileError as error:
        assert str(path) in str(error)
    else:
        checkpoint.save(path, found.network)


def text_file(content: bytes) -> None:
    path = FOLDER / "network.txt"
    path.write_bytes(content)
    try:
        network_file.read_network(path, (1, 9, 9), 2)
    except DataFileError as error:
        assert str(path) in str(error)


TARGETS = {
    "idx": idx_file,
    "png": png_file,
    "image": image_file,
    "model": model_file,
    "network": text_file,
}

if __name__ == "__main__":
    if len(sys.argv) < 2 or sys.argv[1] not in TARGETS:
        sys.exit(f"wanted one of {', '.join(TARGETS)} as the first argument")
    target = TARGETS[sys.argv.pop(1)]
    atheris.Setup(sys.argv, target)
    atheris.Fuzz()
