"""A folder of PNG cards: written and read back whole, or refused with the name of the file."""

import io
import os
import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from minicnn.common.errors import DataFileError
from minicnn.data import Dataset, read_cards, write_cards, zener_cards
from tests.data.card_files import chunk, refusal

LETTERS = ("O", "P", "Q", "S", "W")


def encoded(pixels, kind="PNG"):
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, format=kind)
    return stream.getvalue()


CARD = encoded(np.arange(20, dtype=np.uint8).reshape(4, 5))


@st.composite
def card_sets(draw):
    count = draw(st.integers(1, 12))
    sides = st.integers(1, 9)
    images = draw(arrays.arrays(np.uint8, (count, 1, draw(sides), draw(sides))))
    labels = draw(arrays.arrays(np.int64, count, elements=st.integers(0, 4)))
    return Dataset(images, labels, LETTERS)


@given(card_sets())
def test_written_cards_are_read_back(tmp_path_factory, cards):
    folder = tmp_path_factory.mktemp("cards") / "made" / "for it"
    write_cards(cards, folder)
    again = read_cards(folder)
    assert np.array_equal(again.images, cards.images) and again.images.flags.writeable
    assert np.array_equal(again.labels, cards.labels)
    assert again.classes == LETTERS


def test_names_are_index_and_letter(tmp_path):
    cards = zener_cards(12, 1)
    write_cards(cards, tmp_path)
    names = {f"{i}_{LETTERS[label]}.png" for i, label in enumerate(cards.labels)}
    assert {path.name for path in tmp_path.iterdir()} == names
    with Image.open(tmp_path / f"11_{LETTERS[cards.labels[11]]}.png") as image:
        assert image.mode == "L" and image.size == (25, 25)


def test_writing_the_same_cards_again_is_allowed(tmp_path):
    write_cards(zener_cards(7, 1), tmp_path)
    write_cards(zener_cards(7, 1), tmp_path)
    assert len(read_cards(tmp_path)) == 7


def test_a_folder_with_other_cards_is_not_mixed_with_these(tmp_path):
    write_cards(zener_cards(7, 1), tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(FileExistsError, match=r"got 1, such as 6_.\.png"):
        write_cards(zener_cards(7, 1)[:6], tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_an_interrupted_write_leaves_the_old_file_whole(tmp_path, monkeypatch):
    write_cards(zener_cards(1, 1), tmp_path)
    (path,) = tmp_path.iterdir()
    before = path.read_bytes()

    def save_half(image, target, format):
        target.write_bytes(before[:40])
        raise KeyboardInterrupt

    monkeypatch.setattr(Image.Image, "save", save_half)
    with pytest.raises(KeyboardInterrupt):
        write_cards(zener_cards(1, 1), tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.iterdir()} == {path: before}


@pytest.mark.parametrize(
    "cards, words",
    [
        (Dataset(np.zeros((1, 1, 4, 4), "f"), np.zeros(1, np.int64), LETTERS), "float32"),
        (Dataset(np.zeros((1, 3, 4, 4), np.uint8), np.zeros(1, np.int64), LETTERS), "3, 4, 4"),
        (Dataset(np.zeros((1, 1, 4, 4), np.uint8), np.zeros(1, np.int64), ("a/b",)), "a/b"),
    ],
)
def test_sets_that_are_no_zener_cards_are_not_written(tmp_path, cards, words):
    with pytest.raises(ValueError, match=words):
        write_cards(cards, tmp_path / "folder")
    assert not (tmp_path / "folder").exists()


def test_cards_come_in_the_order_of_their_index_with_gaps(tmp_path):
    for index, letter in ((10, "W"), (9, "O"), (100, "S")):
        (tmp_path / f"{index}_{letter}.png").write_bytes(encoded(np.full((2, 2), index, np.uint8)))
    cards = read_cards(tmp_path)
    assert cards.images[:, 0, 0, 0].tolist() == [9, 10, 100]
    assert cards.labels.tolist() == [0, 4, 3]


def test_files_that_are_not_named_png_are_ignored(tmp_path):
    (tmp_path / "1_O.png").write_bytes(CARD)
    (tmp_path / "network.txt").write_text("5 16\n120\n", encoding="utf-8")
    (tmp_path / "2_O.png.part").write_bytes(CARD[:9])
    assert len(read_cards(tmp_path)) == 1


@pytest.mark.parametrize(
    "name", ["O_1.png", "1_OO.png", "-1_O.png", "1_o.png", "1_O.PNG", "²_O.png", "1_O.png.png"]
)
def test_a_name_that_is_no_index_and_letter_is_refused(tmp_path, name):
    name = os.fsdecode(name.encode())  # the same bytes in any locale
    (tmp_path / name).write_bytes(CARD)
    assert "wanted a name <index>_<letter>.png" in refusal(tmp_path, name)


def test_an_unknown_letter_is_refused(tmp_path):
    (tmp_path / "1_X.png").write_bytes(CARD)
    assert "letter X, wanted one of O, P, Q, S, W" in refusal(tmp_path, "1_X.png")


@pytest.mark.parametrize("other", ["12_S.png", "012_O.png"])
def test_an_index_that_comes_twice_is_refused(tmp_path, other):
    (tmp_path / "12_O.png").write_bytes(CARD)
    (tmp_path / other).write_bytes(CARD)
    with pytest.raises(DataFileError, match="index 12") as caught:
        read_cards(tmp_path)
    assert "12_O.png" in str(caught.value) and other in str(caught.value)


def test_another_size_is_refused(tmp_path):
    (tmp_path / "1_O.png").write_bytes(CARD)
    (tmp_path / "2_O.png").write_bytes(encoded(np.zeros((5, 4), np.uint8)))
    message = refusal(tmp_path, "2_O.png")
    assert "(5, 4)" in message and "(4, 5)" in message and "1_O.png" in message


def test_every_truncation_of_a_png_is_refused(tmp_path):
    for length in range(len(CARD)):
        (tmp_path / "1_O.png").write_bytes(CARD[:length])
        refusal(tmp_path, "1_O.png")


@given(st.integers(0, len(CARD) - 1), st.integers(1, 255))
def test_a_flipped_byte_in_a_png_is_refused(tmp_path_factory, position, flip):
    folder = tmp_path_factory.mktemp("flipped")
    damaged = bytearray(CARD)
    damaged[position] ^= flip
    (folder / "1_O.png").write_bytes(damaged)
    refusal(folder, "1_O.png")


def test_bytes_after_a_png_are_refused(tmp_path):
    (tmp_path / "1_O.png").write_bytes(CARD + b"more")
    assert "end chunk" in refusal(tmp_path, "1_O.png")


def test_another_kind_of_image_is_refused(tmp_path):
    (tmp_path / "1_O.png").write_bytes(encoded(np.zeros((4, 5), np.uint8), "GIF"))
    assert "GIF" in refusal(tmp_path, "1_O.png")


@pytest.mark.parametrize("width, height", [(2**31 - 1, 2**31 - 1), (2**16, 2**16), (2**20 + 1, 1)])
def test_a_decompression_bomb_is_refused_by_its_header_alone(tmp_path, monkeypatch, width, height):
    monkeypatch.setattr(Image, "open", lambda *_, **__: pytest.fail("the image was opened"))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(bytes(2**20))), (b"IEND", b"")
    content = b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*named) for named in chunks)
    (tmp_path / "1_O.png").write_bytes(content)
    message = refusal(tmp_path, "1_O.png")
    assert f"{width} × {height}" in message and str(2**20) in message


def test_a_png_without_pixels_is_refused(tmp_path):
    header = struct.pack(">IIBBBBB", 8, 8, 8, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IEND", b"")
    (tmp_path / "1_O.png").write_bytes(content)
    refusal(tmp_path, "1_O.png")


def test_a_link_out_of_the_folder_is_refused(tmp_path):
    outside = tmp_path / "outside.png"
    outside.write_bytes(CARD)
    folder = tmp_path / "cards"
    folder.mkdir()
    (folder / "1_O.png").symlink_to("../outside.png")
    assert "link" in refusal(folder, "1_O.png")


def test_a_link_within_the_folder_and_a_link_to_the_folder_are_read(tmp_path):
    folder = tmp_path / "cards"
    folder.mkdir()
    (folder / "1_O.png").write_bytes(CARD)
    (folder / "2_P.png").symlink_to("1_O.png")
    (tmp_path / "link").symlink_to("cards")
    assert len(read_cards(tmp_path / "link")) == 2


def test_something_other_than_a_file_is_refused(tmp_path):
    (tmp_path / "1_O.png").mkdir()
    assert "regular file" in refusal(tmp_path, "1_O.png")
    (tmp_path / "1_O.png").rmdir()
    (tmp_path / "1_O.png").symlink_to("1_P")
    assert "regular file" in refusal(tmp_path, "1_O.png")


def test_a_folder_without_cards_is_refused_and_a_missing_one_is_an_os_error(tmp_path):
    with pytest.raises(DataFileError, match="got none"):
        read_cards(tmp_path)
    with pytest.raises(FileNotFoundError):
        read_cards(tmp_path / "missing")
