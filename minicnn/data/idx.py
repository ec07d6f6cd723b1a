"""The IDX format, in which MNIST and its relatives are published.

A file is a header and a payload, both big-endian: two zero bytes, a type code, the number of
dimensions (one byte), each dimension (uint32), then the numbers in C order.

Source: LeCun, Cortes and Burges, "The MNIST database of handwritten digits", the section on file
formats.
"""

from __future__ import annotations

import gzip
import math
import os
import zlib
from io import BufferedIOBase

import numpy as np

from ..common.errors import DataFileError
from ..common.paths import path_text, refuse_special

DTYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}
MAX_DIMENSIONS = 32  # what every supported NumPy can hold
MAX_PAYLOAD = 2**30  # bytes; the largest file of the family, EMNIST, has 5.5e8
CHUNK = 2**20


def read_idx(path: str | os.PathLike[str]) -> np.ndarray:
    """The array in an IDX file, plain or gzip-compressed (its first bytes tell, not its name).

    The result is writable and of native byte order: uint8, int8, int16, int32, float32 or float64,
    in the shape the header gives.

    DataFileError, naming the file, for anything but one whole array: a wrong header, fewer or more
    bytes than it announces, more than MAX_PAYLOAD bytes, broken gzip. OSError if the file cannot be
    opened or read or is no regular file, TypeError for a path that is no str or os.PathLike. Memory
    stays within the bytes that the header announces and the file really has, unpacked, and while
    they are read an eighth more.
    """
    name = path_text(path, "path", "read_idx")
    refuse_special(name)
    with open(name, "rb") as file:
        compressed = file.read(2) == b"\x1f\x8b"
        file.seek(0)
        if not compressed:
            return _read_array(file, name)
        try:
            with gzip.open(file) as unzipped:
                return _read_array(unzipped, name)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise DataFileError(
                f"{name}: got a broken gzip stream ({error}), wanted a whole one"
            ) from error


def _read_array(stream: BufferedIOBase, name: str) -> np.ndarray:
    dtype, shape = _read_header(stream, name)
    # An empty dimension counts as 1 here: NumPy refuses other dimensions that are too large even
    # when the array is empty.
    announced = math.prod(max(n, 1) for n in shape) * dtype.itemsize
    if announced > MAX_PAYLOAD:
        raise DataFileError(
            f"{name}: the header announces shape {shape}, {announced} bytes; "
            f"wanted at most {MAX_PAYLOAD} bytes"
        )
    wanted = math.prod(shape) * dtype.itemsize
    # One byte more than wanted shows trailing bytes, lets gzip check its checksum at the end of the
    # stream, and leaves the rest of a gzip bomb packed.
    payload = _read_up_to(stream, wanted + 1)
    if len(payload) < wanted:
        raise DataFileError(
            f"{name}: the payload has {len(payload)} bytes, wanted {wanted} for shape {shape}"
        )
    if len(payload) > wanted:
        raise DataFileError(
            f"{name}: the payload has at least {len(payload)} bytes, wanted {wanted} "
            f"for shape {shape}"
        )
    array = np.frombuffer(payload, dtype).reshape(shape)
    if not dtype.isnative:
        array.byteswap(inplace=True)  # a copy would take as much memory again
    return array.view(dtype.newbyteorder("="))


def _read_header(stream: BufferedIOBase, name: str) -> tuple[np.dtype, tuple[int, ...]]:
    start = stream.read(4)
    if len(start) < 4:
        raise DataFileError(f"{name}: got {len(start)} bytes, wanted a header of 4 or more")
    code, dimensions = start[2], start[3]
    if start[:2] != b"\0\0":
        raise DataFileError(f"{name}: begins with {start[:2]!r}, wanted two zero bytes")
    if code not in DTYPES:
        known = ", ".join(f"0x{known:02X}" for known in DTYPES)
        raise DataFileError(f"{name}: got type code 0x{code:02X}, wanted one of {known}")
    if not 1 <= dimensions <= MAX_DIMENSIONS:
        raise DataFileError(f"{name}: got {dimensions} dimensions, wanted 1 to {MAX_DIMENSIONS}")
    sizes = stream.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise DataFileError(
            f"{name}: the header has {4 + len(sizes)} bytes, wanted {4 + 4 * dimensions} "
            f"for {dimensions} dimensions"
        )
    return np.dtype(DTYPES[code]), tuple(np.frombuffer(sizes, ">u4").tolist())


def _read_up_to(stream: BufferedIOBase, limit: int) -> bytearray:
    """At most `limit` bytes, in pieces: a header that promises too much then costs no memory."""
    held = bytearray()
    while len(held) < limit:
        piece = stream.read(min(CHUNK, limit - len(held)))
        if not piece:
            break
        held += piece
    return held
