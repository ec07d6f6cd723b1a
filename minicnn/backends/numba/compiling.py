"""The kernels of a first step, compiled side by side (`backends/ahead.py`)."""

from importlib import import_module
from io import BytesIO

from numba.core.extending import _Intrinsic
from numba.core.serialize import NumbaPickler

from .. import ahead, get
from .runtime import LANES, announcement, get_threads, kept


def compile_ahead(calls) -> None:
    """Compile what the calls need and neither this process nor the disk has."""
    jobs = ahead.missing(calls)
    if jobs:
        announcement.say()
    ahead.compile_side_by_side(jobs, get_threads(), __name__, dumps)


class Pickler(NumbaPickler):
    """Numba's, but for instructions of our own (`llvm/`): it forgets that they want literals."""

    def reducer_override(self, thing):
        if isinstance(thing, _Intrinsic):
            return getattr, (import_module(thing._defn.__module__), thing._name)
        return super().reducer_override(thing)


def dumps(job) -> bytes:
    with BytesIO() as file:
        Pickler(file).dump(job)
        return file.getvalue()


def compile_job(file, kernel, signature) -> None:
    kernel.compile(signature)
    kept.KeptKernel(kernel.py_func, LANES).keep(file, kernel.overloads[signature])


if __name__ == "__main__":
    get("numba")  # what its modules teach numba is not in a pickle
    ahead.work(compile_job)
