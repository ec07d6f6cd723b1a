"""Pixels of PNG cards: whatever their mode, a card is grey, or refused."""

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra import numpy as arrays
from PIL import Image

from minicnn.data import read_cards
from tests.data.card_files import chunk, refusal


def read_back(tmp_path_factory, image, **how):
    """What read_cards makes of a single card, (H, W)."""
    folder = tmp_path_factory.mktemp("card")
    image.save(folder / "1_O.png", **how)
    return read_cards(folder).images[0, 0]


def pixels(*shape):
    return arrays.arrays(np.uint8, (4, 5, *shape))


@given(arrays.arrays(bool, (4, 5)))
def test_one_bit_cards_are_black_and_white(tmp_path_factory, white):
    image = Image.fromarray(white)
    assert image.mode == "1"
    assert np.array_equal(read_back(tmp_path_factory, image), np.where(white, 255, 0))


@given(pixels())
def test_grey_written_in_any_mode_is_read_as_it_is(tmp_path_factory, grey):
    for mode in ("L", "P", "LA", "RGB", "RGBA"):
        image = Image.fromarray(grey).convert(mode)
        assert image.mode == mode
        assert np.array_equal(read_back(tmp_path_factory, image), grey), mode


def shown(rgb, alpha=255):
    """Grey of colours over white paper, (H, W) of real numbers."""
    part = np.asarray(alpha)[..., None] / 255
    return (part * rgb + (1 - part) * 255) @ [0.299, 0.587, 0.114]


@given(pixels(4))
def test_colours_become_their_brightness_over_white_paper(tmp_path_factory, rgba):
    grey = rgba[..., 0], rgba[..., 3]
    cases = {
        "LA": (np.stack(grey, -1), shown(np.repeat(grey[0][..., None], 3, -1), grey[1])),
        "RGB": (rgba[..., :3], shown(rgba[..., :3])),
        "RGBA": (rgba, shown(rgba[..., :3], rgba[..., 3])),
    }
    for mode, (stored, wanted) in cases.items():
        image = Image.fromarray(np.ascontiguousarray(stored))
        assert image.mode == mode
        assert np.abs(read_back(tmp_path_factory, image) - wanted).max() <= 1.5, mode


@given(pixels(), arrays.arrays(np.uint8, (256, 4)))
def test_a_palette_is_read_through_its_colours(tmp_path_factory, numbers, palette):
    image = Image.fromarray(numbers)
    image.putpalette(palette[:, :3].tobytes())
    assert image.mode == "P"
    opaque = read_back(tmp_path_factory, image)
    assert np.abs(opaque - shown(palette[numbers, :3])).max() <= 1.5
    clear = read_back(tmp_path_factory, image, transparency=palette[:, 3].tobytes())
    assert np.abs(clear - shown(palette[numbers, :3], palette[numbers, 3])).max() <= 1.5


def test_a_grey_that_is_named_transparent_is_paper(tmp_path_factory):
    image = Image.fromarray(np.array([[0, 7], [7, 9]], np.uint8))
    found = read_back(tmp_path_factory, image, transparency=7)
    assert found.tolist() == [[0, 255], [255, 9]]


def png(depth, kind, row, *chunks):
    """A PNG of a single row of two pixels, written by hand."""
    header = struct.pack(">IIBBBBB", 2, 1, depth, kind, 0, 0, 0)
    image = (b"IDAT", zlib.compress(b"\0" + row))
    parts = [chunk(*named) for named in ((b"IHDR", header), *chunks, image, (b"IEND", b""))]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


@pytest.mark.parametrize(
    "content, words",
    [
        (png(16, 0, bytes(4)), "16 bits a channel, wanted at most 8"),
        (png(16, 6, bytes(16)), "16 bits a channel, wanted at most 8"),
        (png(2, 0, b"\x60", (b"tRNS", b"\0\1")), "a transparent grey of 2 bits"),
        (png(8, 3, b"\1\2", (b"PLTE", bytes(6))), "not in the palette"),
    ],
)
def test_pixels_that_would_be_read_wrong_are_refused(tmp_path, content, words):
    (tmp_path / "1_O.png").write_bytes(content)
    assert words in refusal(tmp_path, "1_O.png")


def test_greys_of_a_few_bits_span_black_to_white(tmp_path):
    (tmp_path / "1_O.png").write_bytes(png(2, 0, b"\x60"))
    assert read_cards(tmp_path).images.tolist() == [[[[85, 170]]]]
