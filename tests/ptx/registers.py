"""The registers of all threads of a launch.

A register holds bits: an unsigned number, or True or False, for each thread. An instruction says as
which type it reads them. Where the value is the same in all threads, the array has one number.
"""

import re
from functools import cache

import numpy as np

from .operations import dtype_of
from .parse import Instruction, parts

ALL = slice(None)  # the lanes of a launch whose threads all do the same


class Registers:
    """declared: the type of each. grid, block: three numbers each."""

    def __init__(self, declared: dict[str, str], grid, block, lane, threads) -> None:
        self.declared, self.lanes, self.values = declared, lane.size, {}
        self.number("tid", "ntid", block, lane % threads)
        self.number("ctaid", "nctaid", grid, lane // threads)

    def number(self, own, of, sizes, position):
        """%tid.x … and %ntid.x …, or those of blocks."""
        for axis, size in zip("xyz", sizes):
            self.values[f"%{own}.{axis}"] = (position % size).astype(np.uint32)
            self.values[f"%{of}.{axis}"] = np.array([size], np.uint32)
            position = position // size

    def read(self, operand: str, dtype: np.dtype, lanes) -> np.ndarray:
        """An operand's values in those lanes, as numbers of that type."""
        bits = self.values.get(operand)
        if bits is None:
            return constant(operand, dtype)
        if lanes is not ALL and len(bits) > 1:
            bits = bits[lanes]
        if bits.itemsize > dtype.itemsize:
            bits = bits.astype(f"u{dtype.itemsize}")
        return bits.view(dtype)

    def write(self, register: str, value: np.ndarray, lanes) -> None:
        """Narrower numbers are filled up, signed ones with their sign."""
        dtype = dtype_of(self.declared[register])
        if value.itemsize < dtype.itemsize:
            value = value.astype(f"{value.dtype.kind}{dtype.itemsize}")
        bits = value.view(dtype)
        if lanes is not ALL:
            everywhere = np.empty(self.lanes, dtype)
            everywhere[:] = self.values.get(register, dtype.type(0))
            everywhere[lanes] = bits
            bits = everywhere
        self.values[register] = bits

    def regroup(self, form: Instruction, lanes) -> None:
        """`mov.b64 {%r1, %r2}, %rd1`: the lower half, then the upper one; or both to one."""
        to, since = map(parts, form.operands)
        whole = dtype_of(form.types[-1])
        half = np.dtype(f"u{whole.itemsize // max(len(to), len(since))}")
        before, after = (whole, half) if len(since) == 1 else (half, whole)
        values = np.broadcast_arrays(*(self.read(part, before, lanes) for part in since))
        bits = np.stack(values, axis=1).view(after)
        for register, value in zip(to, bits.T):
            self.write(register, np.ascontiguousarray(value), lanes)


def spread(value: np.ndarray, size: int) -> np.ndarray:
    """A number for each of so many threads, where one may stand for all."""
    return value if len(value) == size else np.full(size, value[0], value.dtype)


@cache
def constant(text: str, dtype: np.dtype) -> np.ndarray:
    """0f3F800000 and 0d3FF0000000000000 are the bits of floats, all others whole numbers."""
    if bits := re.fullmatch(r"0[fF]([0-9a-fA-F]{8})|0[dD]([0-9a-fA-F]{16})", text):
        number = int(bits[1] or bits[2], 16)
    elif re.fullmatch(r"-?\d+|0x[0-9a-fA-F]+", text):
        number = int(text, 0)
    else:
        raise NotImplementedError(f"the operand {text}, unknown or never written")
    if dtype.kind == "b":
        return np.array([bool(number)])
    return np.array([number % (1 << 8 * dtype.itemsize)], f"u{dtype.itemsize}").view(dtype)
