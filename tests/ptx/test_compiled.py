"""That kept PTX is found again, and never that of another kernel."""

import numpy as np
import pytest

from minicnn.backends.cuda import device, kept

from . import compiled
from .host import DeviceArray, to_device

FACTOR = 2


def kernel(offset, scaled, dtype=np.float32, **options):
    helper = device.cuda.jit(device=True)(scaled)

    def run(x, y):
        k = device.cuda.grid(1)
        y[k] = helper(x[k]) * FACTOR + dtype(offset)

    return device.cuda.jit(**options)(run)


def double(x):
    return x + x


def triple(x):
    return x + x + x


def test_a_kernel_is_told_from_each_that_differs_in_anything(monkeypatch):
    made = compiled.made_from
    assert made(kernel(1, double)) == made(kernel(1, double))
    others = [kernel(2, double), kernel(1, triple), kernel(1, double, np.float64)]
    others.append(kernel(1, double, fastmath=True))
    found = [made(k) for k in (kernel(1, double), *others)]
    monkeypatch.setitem(globals(), "FACTOR", 3)
    found.append(made(kernel(1, double)))
    assert all(found.count(one) == 1 for one in found)


def test_ptx_is_compiled_once_for_all_processes(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    x, y = to_device(np.arange(4, dtype="f")), DeviceArray(4, "f4")
    for _ in range(2):
        monkeypatch.setattr(compiled, "PROGRAMS", {})  # as in a process that has just begun
        kernel(0.125, triple)[1, 4](x, y)
        np.testing.assert_array_equal(y.copy_to_host(), 6 * np.arange(4) + 0.125)
        monkeypatch.setattr(compiled, "ptx_of", lambda *arguments: pytest.fail("compiled again"))
    assert len([*tmp_path.iterdir()]) == 1
