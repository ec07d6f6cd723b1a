"""The kernels of a first step, compiled side by side (`backends/ahead.py`), which needs no GPU."""

from types import SimpleNamespace
from unittest import mock

from ...common.cores import CORES
from .. import ahead
from .device import SIMULATED, kept


def compile_ahead(launches) -> None:
    """Compile what the launches need and neither this process nor the disk has."""
    if SIMULATED or kept.FOLDER is None:
        return
    from numba.cuda import get_current_device
    from numba.cuda.serialize import dumps

    generation = get_current_device().compute_capability
    calls = [(kernel, arguments) for kernel, _, _, arguments in launches]
    jobs = [(generation, *job) for job in ahead.missing(calls)]
    ahead.compile_side_by_side(jobs, CORES, __name__, dumps)


def compile_job(generation, file, kernel, signature) -> None:
    from numba.cuda.dispatcher import _Kernel

    device = SimpleNamespace(compute_capability=generation)
    context = SimpleNamespace(device=device)
    with (
        mock.patch("numba.cuda.dispatcher.get_current_device", lambda: device),
        mock.patch("numba.cuda.cudadrv.devices.get_context", lambda *number: context),
    ):
        made = _Kernel(kernel.py_func, signature, **kernel.targetoptions)
        made._codelibrary.get_cubin()  # for the bytes to hold it
        kept.KeptKernel(kernel.py_func).keep(file, made)


if __name__ == "__main__":
    ahead.work(compile_job)
