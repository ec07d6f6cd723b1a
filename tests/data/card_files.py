"""What the tests of card files share."""

import struct
import zlib

import pytest

from minicnn.common.errors import DataFileError
from minicnn.data import read_cards


def refusal(folder, name):
    """The message with which the folder is refused; it always names the file."""
    with pytest.raises(DataFileError) as caught:
        read_cards(folder)
    assert str(folder / name) in str(caught.value)
    return str(caught.value)


def chunk(kind, content):
    checksum = struct.pack(">I", zlib.crc32(kind + content))
    return struct.pack(">I", len(content)) + kind + content + checksum
