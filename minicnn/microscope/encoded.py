"""Arrays as text: what JavaScript's typed arrays read back, bit by bit."""

from __future__ import annotations

from base64 import b64encode
from typing import Any

import numpy as np


def encoded(array: Any) -> dict[str, Any]:
    """{shape, dtype, data}: little-endian numbers, row-major, in base64."""
    array = np.ascontiguousarray(array)
    little = array.astype(array.dtype.newbyteorder("<"), copy=False)
    kind = f"{little.dtype.kind}{little.dtype.itemsize}"
    return {"shape": list(array.shape), "dtype": kind, "data": b64encode(little).decode("ascii")}
