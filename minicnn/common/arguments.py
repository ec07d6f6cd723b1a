"""Checks of what users pass: numbers, pairs and arrays, and arguments that stay as they are."""

from __future__ import annotations

import os
from contextlib import suppress
from numbers import Real
from operator import index
from reprlib import repr as shortened
from typing import Any

import numpy as np

MAX_SIDE = 2**31 - 1  # pixels; the kernels' numbers have 64 bits, and no image has more


class Described:
    """The base of layers and losses: `arguments` are what the constructor got.

    They are the layer's name, and files keep them, so they stay as they are.
    """

    arguments: dict[str, Any]

    def __setattr__(self, name: str, value: Any) -> None:
        """AttributeError for a second value of an argument: repr and files would show the first."""
        known = self.__dict__  # asked in every step: vars() would take longer
        if name in known and name in known.get("arguments", ()):
            raise AttributeError(
                f"{type(self).__name__}: {name} is fixed when it is made; make another one"
            )
        super().__setattr__(name, value)


def switch(name: str) -> bool:
    """An environment variable that is 1 (so by default) or 0; ValueError for anything else."""
    chosen = os.environ.get(name, "1")
    if chosen not in ("0", "1"):
        raise ValueError(f"{name} must be 0 or 1, got {chosen!r}")
    return chosen == "1"


def as_array(value: Any, what: str) -> np.ndarray:
    """value as NumPy has it; TypeError for a masked array, of which only the numbers would stay."""
    if isinstance(value, np.ma.MaskedArray):
        raise TypeError(f"{what} is a masked array, and the mask would be lost: use its .filled(…)")
    try:
        return np.asarray(value)
    except ValueError as error:  # rows of different lengths
        raise ValueError(f"{what}: {error}") from None


def as_floats(array: Any, what: str) -> np.ndarray:
    """A C-contiguous float32 or float64 array in native byte order; TypeError for other dtypes."""
    array = as_array(array, what)
    if array.dtype.kind in "bui":
        raise TypeError(
            f"{what} holds {array.dtype} but must be float32 or float64: convert it, and scale "
            "pixels, with x.astype('float32') / 255"
        )
    if array.dtype.kind != "f" or array.dtype.itemsize not in (4, 8):
        raise TypeError(f"{what} holds {array.dtype} but must be float32 or float64")
    return np.ascontiguousarray(array, dtype=array.dtype.newbyteorder("="))


def float_dtype(value: Any, what: str) -> np.dtype:
    """float32 or float64; TypeError that says what was got for anything else."""
    with suppress(TypeError, ValueError):  # from NumPy, which takes None for float64
        if value is not None and np.dtype(value) in (np.float32, np.float64):
            return np.dtype(value)
    raise TypeError(f"{what} must be float32 or float64, got {value!r}")


def instance(value: Any, kind: type, name: str, owner: str, example: str) -> None:
    """TypeError that names owner and argument when value is no instance of the kind."""
    refuse_class(value, name, owner)
    if not isinstance(value, kind):
        raise TypeError(f"{owner}: {name} must be {example}, got {value!r}")


def function(value: Any, name: str, owner: str, example: str) -> None:
    """TypeError that names owner and argument when value cannot be called."""
    refuse_class(value, name, owner)
    if not callable(value):
        raise TypeError(f"{owner}: {name} must be {example}, got {value!r}")


def refuse_class(value: Any, name: str, owner: str) -> None:
    if isinstance(value, type):
        made = value.__name__
        raise TypeError(f"{owner}: {name} is the class {made}; write {made}(…), which makes one")


def number(value: Any, name: str, owner: str) -> float:
    """value as a float; TypeError or ValueError that names owner and argument for what is none."""
    if isinstance(value, bool) or not isinstance(value, Real):
        raise TypeError(f"{owner}: {name} must be a number, got {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{owner}: {name} must be a float, got {shortened(value)}") from None


def whole_number(
    value: Any, name: str, owner: str, at_least: int = 1, at_most: int | None = None
) -> int:
    """value as an int; TypeError or ValueError that names owner and argument."""
    try:
        whole = index(value)
    except TypeError:
        raise TypeError(f"{owner}: {name} must be a whole number, got {value!r}") from None
    if isinstance(value, bool) or whole < at_least:
        raise ValueError(f"{owner}: {name} must be at least {at_least}, got {value!r}")
    if at_most is not None and whole > at_most:
        raise ValueError(f"{owner}: {name} must be at most {at_most}, got {shortened(value)}")
    return whole


def pair(value: Any, name: str, owner: str, at_least: int = 1) -> tuple[int, int]:
    """An int, or a (height, width) pair of them, as a pair."""
    if isinstance(value, (tuple, list)):
        if len(value) != 2:
            raise ValueError(f"{owner}: {name} must be one number or two, got {value!r}")
        return (
            whole_number(value[0], name, owner, at_least, MAX_SIDE),
            whole_number(value[1], name, owner, at_least, MAX_SIDE),
        )
    whole = whole_number(value, name, owner, at_least, MAX_SIDE)
    return whole, whole
