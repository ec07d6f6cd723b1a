"""What the tests of the interpreter share."""

import numpy as np

from .host import DeviceArray, to_device

THREADS = 32


def on_every_number(kernel, a, b, dtypes):
    """Launch kernel(a, [b,] *results), a number a thread, and give the results."""
    given = [to_device(np.ascontiguousarray(x)) for x in (a, a if b is None else b)]
    made = [DeviceArray(a.size, dtype) for dtype in dtypes]
    names = kernel.py_func.__code__.co_argcount
    kernel[-(-a.size // THREADS), THREADS](*given[: names - len(made)], *made)
    return [y.copy_to_host() for y in made]
