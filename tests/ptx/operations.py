"""Which Python function computes which PTX instruction, and what types its operands have."""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import numpy as np

OWN = None  # in `takes` and `gives`: the instruction's own (last) type


class Operation(NamedTuple):
    """takes: types of the first operands, gives: of the result; each a name or a function of the
    instruction, and its own type where nothing is said. modifiers: those that `compute` knows."""

    compute: Callable
    takes: tuple
    gives: object
    modifiers: frozenset[str]


OPERATIONS: dict[str, Operation] = {}


def operation(names, modifiers="", takes=(), gives=OWN):
    def add(compute):
        for name in names.split():
            OPERATIONS[name] = Operation(compute, takes, gives, frozenset(modifiers.split()))
        return compute

    return add


@cache
def dtype_of(kind: str) -> np.dtype:
    """f32 → float32, s64 → int64, u16 and b16 → uint16, pred → bool."""
    if kind == "pred":
        return np.dtype(bool)
    return np.dtype(f"{ {'f': 'f', 's': 'i'}.get(kind[0], 'u') }{int(kind[1:]) // 8}")
