"""The model file: a zip archive of a JSON header and arrays, of which no byte is trusted.

    header.json    what the arrays are for and, under "arrays", the shape and dtype of each
    NAME.npy       one array: the .npy header of that shape and dtype, then the numbers

`numpy.load` can read the arrays too. Members are stored, never compressed, so a file cannot unpack
to more than its own size. The .npy header is not parsed: it must be, byte for byte, the one that
header.json asks for, which leaves no room for pickles, object arrays or shapes of terabytes. The
archive's checksums (CRC-32) find damage to the rest.
"""

from __future__ import annotations

import json
import os
import struct
from heapq import nsmallest
from io import BytesIO
from math import prod
from reprlib import repr as shortened
from typing import Any
from zipfile import ZIP_STORED, BadZipFile, ZipFile, ZipInfo

import numpy as np

from ..common.errors import ModelFileError
from ..common.paths import refuse_special, whole_file

HEADER = "header.json"
DTYPES = {"float32": "<f4", "float64": "<f8", "int64": "<i8"}
MAX_FILE = 2**32  # bytes
MAX_HEADER = 2**24  # bytes; the history of 100,000 epochs takes less
MAX_PARTS = 2**18  # lists and objects in the header; MAX_LAYERS layers with all their arrays fit
LEAST_MEMBER = 128  # bytes that the smallest array's member takes, with its names and headers


def write_model_file(
    path: str | os.PathLike[str], header: dict[str, Any], arrays: dict[str, np.ndarray]
) -> None:
    """Write header and arrays; equal contents give equal bytes. The file is whole or not there.

    Raises ValueError for more than a reader would take, OSError, naming the file, if it cannot be
    written: what was there before is then intact.
    """
    shapes = {n: {"shape": a.shape, "dtype": a.dtype.name} for n, a in arrays.items()}
    text = json.dumps(header | {"arrays": shapes}, default=plain_number, indent=1).encode()
    try:
        with whole_file(path) as unfinished, open(unfinished, "wb") as file:
            with ZipFile(file, "w", ZIP_STORED) as archive:
                archive.writestr(ZipInfo(HEADER), text)
                for name, array in arrays.items():
                    start = npy_header(array.dtype.name, array.shape)
                    numbers = array.astype(DTYPES[array.dtype.name], copy=False).tobytes()
                    archive.writestr(ZipInfo(f"{name}.npy"), start + numbers)
            if len(text) > MAX_HEADER or file.tell() > MAX_FILE:
                raise ValueError(
                    f"{path}: would have a header of {len(text)} bytes and {file.tell()} in all; "
                    f"a model file has at most {MAX_HEADER} and {MAX_FILE}"
                )
            # On the disk before it takes the name: no power cut leaves a name without contents.
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise OSError(
            error.errno, f"{error.strerror}; not saved, an older file is intact", os.fspath(path)
        ) from error


def read_model_file(path: str | os.PathLike[str]) -> tuple[dict[str, Any], dict[str, np.ndarray]]:
    """The header and the arrays (read-only) of a model file.

    ModelFileError (without the file's name) for anything but a whole one, OSError if it cannot be
    read. Memory stays within 4 times the file's real size, at most MAX_FILE, and 64 MB; to that the
    header, at most MAX_HEADER, adds up to 16 times its own.
    """
    refuse_special(path)
    with open(path, "rb") as file:
        size = os.fstat(file.fileno()).st_size
        if size > MAX_FILE:
            raise ModelFileError(f"has {size} bytes, wanted at most {MAX_FILE}")
        data = file.read(size)
    if data[:4] != b"PK\x03\x04":
        raise ModelFileError(f"begins with {data[:8]!r}, wanted a zip archive")
    # zipfile makes an object of each member, which takes more than a listed name.
    if ((entries := data.count(b"PK\x01\x02")) - 8) * LEAST_MEMBER > size:
        raise ModelFileError(f"lists {entries} members in {size} bytes, wanted larger ones")
    try:
        with ZipFile(BytesIO(data)) as archive:
            members = checked_members(archive, size)
            header = read_header(archive, members.pop(HEADER))
            return header, read_arrays(archive, members, header)
    except ModelFileError:
        raise
    # What zipfile raises for broken archives; the file is in memory, so none is about reading it.
    except (
        BadZipFile, NotImplementedError, RuntimeError, ValueError, EOFError, OverflowError,
        struct.error,
    ) as error:  # fmt: skip
        raise ModelFileError(f"got a broken zip archive ({error}), wanted a whole one") from error


def checked_members(archive: ZipFile, size: int) -> dict[str, ZipInfo]:
    """Members by name; none compressed, none twice, and together no larger than the file."""
    members: dict[str, ZipInfo] = {}
    for member in archive.infolist():
        if member.filename in members:
            raise ModelFileError(f"has two members {member.filename!r}, wanted one")
        if member.compress_type != ZIP_STORED or member.file_size != member.compress_size:
            raise ModelFileError(
                f"{member.filename!r} is compressed from {member.file_size} bytes to "
                f"{member.compress_size}, wanted it stored as it is"
            )
        members[member.filename] = member
    total = sum(member.file_size for member in members.values())
    if total > size:
        raise ModelFileError(f"announces members of {total} bytes, but has {size} in all")
    if HEADER not in members:
        raise ModelFileError(f"has no member {HEADER!r}; its members are {shown(members)}")
    return members


def read_header(archive: ZipFile, member: ZipInfo) -> dict[str, Any]:
    if member.file_size > MAX_HEADER:
        raise ModelFileError(f"{HEADER} has {member.file_size} bytes, wanted up to {MAX_HEADER}")
    text = archive.read(member)
    if (parts := text.count(b"[") + text.count(b"{")) > MAX_PARTS:
        raise ModelFileError(f"{HEADER} has {parts} lists and objects, wanted up to {MAX_PARTS}")
    try:
        header = json.loads(text.decode("ascii"))
    except (ValueError, RecursionError) as error:
        raise ModelFileError(f"{HEADER} begins with {text[:20]!r}, wanted JSON ({error})") from None
    if not isinstance(header, dict):
        raise ModelFileError(f"{HEADER} is {type(header).__name__}, wanted an object")
    return header


def read_arrays(
    archive: ZipFile, members: dict[str, ZipInfo], header: dict[str, Any]
) -> dict[str, np.ndarray]:
    announced = field(header, "arrays", dict)
    missing = [name for name in announced if f"{name}.npy" not in members]
    unknown = members.keys() - map("{}.npy".format, announced)
    if missing or unknown:
        raise ModelFileError(
            f"members and header differ: missing {shown(f'{name}.npy' for name in missing)}, "
            f"unknown {shown(unknown)}"
        )
    arrays = {}
    for name, details in announced.items():
        shape, dtype = tuple(field(details, "shape", list)), field(details, "dtype", str)
        if dtype not in DTYPES:
            raise ModelFileError(
                f"{name} is announced as {shortened(dtype)}, wanted one of {[*DTYPES]}"
            )
        # A parameter has one to four axes, none of them empty.
        if not 1 <= len(shape) <= 4 or any(type(n) is not int or n < 1 for n in shape):
            raise ModelFileError(
                f"{name} is announced with shape {shortened(shape)}, wanted 1 to 4 sizes"
            )
        start = npy_header(dtype, shape)
        size = len(start) + prod(shape) * np.dtype(dtype).itemsize
        member = members[f"{name}.npy"]
        if member.file_size != size:
            raise ModelFileError(
                f"{name}.npy has {member.file_size} bytes, wanted {size} for {dtype} {shape}"
            )
        data = archive.read(member)
        if not data.startswith(start):
            raise ModelFileError(
                f"{name}.npy begins with {data[: len(start)]!r}, wanted the header of {dtype} "
                f"{shape}"
            )
        array = np.frombuffer(data, DTYPES[dtype], offset=len(start)).reshape(shape)
        arrays[name] = array.astype(dtype, copy=False)
    return arrays


def npy_header(dtype: str, shape: tuple[int, ...]) -> bytes:
    """How a .npy file of version 1.0 begins; the numbers follow at a multiple of 64 bytes."""
    text = f"{{'descr': '{DTYPES[dtype]}', 'fortran_order': False, 'shape': {shape}, }}"
    length = -(-(10 + len(text) + 1) // 64) * 64 - 10
    return b"\x93NUMPY\x01\x00" + length.to_bytes(2, "little") + f"{text:<{length - 1}}\n".encode()


def field(values: Any, name: str, *kinds: type) -> Any:
    """values[name], of exactly one of the kinds: ModelFileError otherwise."""
    if not isinstance(values, dict) or name not in values:
        raise ModelFileError(f"{HEADER} has no {name!r} in {shortened(values)}")
    if type(values[name]) not in kinds:
        wanted = " or ".join(kind.__name__ for kind in kinds)
        raise ModelFileError(
            f"{HEADER} has {shortened(name)}: {shortened(values[name])}, wanted {wanted}"
        )
    return values[name]


def shown(names: Any) -> str:
    """A few of the names."""
    first = nsmallest(6, names)
    return ", ".join(map(shortened, first[:5])) + (", …" if first[5:] else "") or "none"


def plain_number(value: Any) -> Any:
    """NumPy's scalars as Python's, for JSON."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"a model file cannot hold {value!r}")
