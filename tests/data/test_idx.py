"""IDX files of every dtype are read back; anything damaged is refused by name and byte count."""

import gzip
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from minicnn.common.errors import DataFileError
from minicnn.data import idx
from minicnn.data.idx import read_idx
from tests.data.conftest import idx_bytes
from tests.memory import peak_memory

DTYPES = ["u1", "i1", "<i2", ">i2", "<i4", ">i4", "<f4", ">f4", "<f8", ">f8"]
shapes = arrays.array_shapes(max_dims=4, min_side=0, max_side=4)
some_arrays = arrays.arrays(st.sampled_from(DTYPES), shapes)
GOOD = idx_bytes(np.arange(6, dtype="i2").reshape(2, 3))


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """Where one file after another is written; the name says nothing of its being packed."""
    return tmp_path_factory.mktemp("idx") / "numbers"


def packed(content):
    return gzip.compress(content, mtime=0)


def read(file, content):
    file.write_bytes(content)
    return read_idx(file)


def refusal(file, content):
    """The message with which the content is refused; it always names the file."""
    with pytest.raises(DataFileError) as caught:
        read(file, content)
    assert str(file) in str(caught.value)
    return str(caught.value)


@given(some_arrays, st.sampled_from([bytes, packed]))
def test_a_written_array_is_read_back_in_native_byte_order(file, array, wrap):
    result = read(file, wrap(idx_bytes(array)))
    assert result.dtype == array.dtype.newbyteorder("=")
    assert result.dtype.isnative and result.flags.writeable
    assert np.array_equal(result, array, equal_nan=array.dtype.kind == "f")
    assert result.shape == array.shape


@given(some_arrays)
def test_every_truncation_of_a_plain_file_is_refused(file, array):
    content = idx_bytes(array)
    for length in range(len(content)):
        refusal(file, content[:length])


@given(some_arrays)
def test_every_truncation_of_a_packed_file_is_refused(file, array):
    content = packed(idx_bytes(array))
    for length in range(len(content)):
        refusal(file, content[:length])


@given(some_arrays, st.data())
def test_a_flipped_header_byte_is_refused_unless_the_file_still_adds_up(file, array, data):
    content = bytearray(idx_bytes(array))
    position = data.draw(st.integers(0, 3 + 4 * array.ndim))
    content[position] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    try:
        result = read_idx(file)
    except DataFileError:
        return
    assert 4 + 4 * result.ndim + result.nbytes == len(content)


@given(some_arrays, st.data())
def test_a_flipped_byte_in_a_packed_file_is_refused_or_changes_nothing(file, array, data):
    content = bytearray(packed(idx_bytes(array)))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    file.write_bytes(content)
    try:
        result = read_idx(file)
    except DataFileError:
        return
    # Some bytes do not matter: the time in gzip's header, the bits that fill its last byte.
    assert idx_bytes(result) == idx_bytes(array)


@given(some_arrays, st.binary(min_size=1, max_size=9))
def test_bytes_after_the_numbers_are_refused(file, array, more):
    refusal(file, idx_bytes(array) + more)
    refusal(file, packed(idx_bytes(array) + more))
    refusal(file, packed(idx_bytes(array)) + packed(more))


@given(some_arrays, st.binary(max_size=9))
def test_junk_after_the_gzip_stream_is_refused(file, array, more):
    refusal(file, packed(idx_bytes(array)) + more + b"junk")


@pytest.mark.parametrize(
    "content, words",
    [
        (b"", ["0 bytes", "header of 4"]),
        (b"\0\0\x0b", ["3 bytes", "header of 4"]),
        (b"<html>", [r"b'<h'", "two zero bytes"]),
        (b"\x01" + GOOD[1:], ["two zero bytes"]),
        (b"\0\0\x0a" + GOOD[3:], ["0x0A", "0x08, 0x09, 0x0B, 0x0C, 0x0D, 0x0E"]),
        (b"\0\0\x0b\0", ["0 dimensions", "1 to 32"]),
        (b"\0\0\x0b\x21" + bytes(33 * 4), ["33 dimensions", "1 to 32"]),
        (GOOD[:7], ["7 bytes", "wanted 12", "2 dimensions"]),
        (GOOD[:-1], ["11 bytes", "wanted 12", "(2, 3)"]),
        (GOOD + b"!", ["13 bytes", "wanted 12", "(2, 3)"]),
        (packed(GOOD[:-1]), ["11 bytes", "wanted 12", "(2, 3)"]),
        (packed(GOOD + b"!"), ["13 bytes", "wanted 12", "(2, 3)"]),
        (packed(GOOD)[:-9], ["broken gzip stream"]),
        (packed(GOOD)[:-8] + bytes(4) + packed(GOOD)[-4:], ["broken gzip stream", "CRC"]),
    ],
)
def test_a_refusal_says_what_was_got_and_what_was_wanted(file, content, words):
    message = refusal(file, content)
    for word in words:
        assert word in message


@pytest.mark.parametrize("shape", [(2**32 - 1,), (2**16, 2**15), (0, 2**32 - 1, 2**32 - 1)])
def test_huge_dimensions_are_refused_by_the_header_alone(file, shape, monkeypatch):
    monkeypatch.setattr(idx, "_read_up_to", lambda *_: pytest.fail("the payload was read"))
    content = bytes([0, 0, 0x08, len(shape)]) + struct.pack(f">{len(shape)}I", *shape)
    message = refusal(file, content)
    assert str(shape) in message and str(idx.MAX_PAYLOAD) in message


def test_a_header_that_promises_more_than_there_is_costs_no_memory(file):
    content = bytes([0, 0, 0x08, 1]) + struct.pack(">I", idx.MAX_PAYLOAD)
    assert peak_memory(lambda: refusal(file, content + bytes(100)))[1] < 8 * idx.CHUNK


def test_a_gzip_bomb_is_refused_before_it_unpacks(file, monkeypatch):
    # Many streams in one file unpack to all of them joined, here to a GiB.
    bomb = packed(idx_bytes(np.zeros(1000, "u1"))) + packed(bytes(2**20)) * 2**10
    unpacked, read = [], gzip.GzipFile.read

    def counted(self, size=-1):
        unpacked.append(len(piece := read(self, size)))
        return piece

    monkeypatch.setattr(gzip.GzipFile, "read", counted)
    assert peak_memory(lambda: refusal(file, bomb))[1] < 8 * idx.CHUNK
    assert sum(unpacked) == len(idx_bytes(np.zeros(1000, "u1"))) + 1


@pytest.mark.parametrize("dtype", ["u1", ">f8"])
def test_a_small_file_unpacks_to_what_its_header_says_and_an_eighth(file, dtype):
    numbers = np.zeros(2**24 // np.dtype(dtype).itemsize, dtype)
    file.write_bytes(packed(idx_bytes(numbers)))
    del numbers
    assert peak_memory(lambda: read_idx(file))[1] < 1.125 * 2**24 + 4 * idx.CHUNK


def test_what_cannot_be_opened_stays_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        read_idx(tmp_path / "missing")
    with pytest.raises(OSError):
        read_idx(tmp_path)
