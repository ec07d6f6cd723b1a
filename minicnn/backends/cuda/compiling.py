"""The kernels of a first step, compiled side by side.

Numba compiles one kernel after the other, half a second or more each, and a network has dozens. So
before the first step its launches are written down, and other processes, which need no GPU, compile
a share each and leave the machine code where kernels are kept (see `kept.py`). This helps and no
more: what they could not compile is compiled at its launch, as ever, and there an error is seen.
"""

import os
import pickle
import subprocess
import sys
from contextlib import suppress
from types import SimpleNamespace
from unittest import mock

from ...common.cores import CORES
from ...common.paths import whole_file
from .device import SIMULATED, kept

EACH = 3  # kernels at least for a process: it takes a second or two to start


def compile_ahead(launches) -> None:
    """Compile what the launches need and this process or the disk does not have."""
    if SIMULATED or kept.FOLDER is None:
        return
    from numba.cuda import get_current_device
    from numba.cuda.serialize import dumps

    missing = {}
    for kernel, _, _, arguments in launches:
        signature = tuple(map(kernel.typeof_pyval, arguments))
        if isinstance(kernel._cache, kept.KeptKernel) and signature not in kernel.overloads:
            missing[kernel._cache.file(signature, kernel.targetctx)] = kernel, signature
    missing = {file: job for file, job in missing.items() if not file.exists()}
    processes = min(CORES, len(missing) // EACH)
    if processes < 2:
        return
    generation, jobs = get_current_device().compute_capability, [*missing.items()]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    try:
        shares = [dumps((generation, jobs[first::processes])) for first in range(processes)]
    except (pickle.PicklingError, TypeError):  # a kernel's closure holds what only this process has
        return
    workers = [
        subprocess.Popen(
            [sys.executable, "-m", __name__], env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )
        for _ in shares
    ]  # fmt: skip
    for worker, share in zip(workers, shares):
        with suppress(BrokenPipeError), worker.stdin as pipe:
            pipe.write(share)
    for worker in workers:
        worker.wait()


def compile_jobs(generation: tuple, jobs: list) -> None:
    """Write each kernel's machine code to its file, without a GPU."""
    from numba.cuda.dispatcher import _Kernel

    device = SimpleNamespace(compute_capability=generation)
    context = SimpleNamespace(device=device)
    with (
        mock.patch("numba.cuda.dispatcher.get_current_device", lambda: device),
        mock.patch("numba.cuda.cudadrv.devices.get_context", lambda *number: context),
    ):
        for file, (kernel, signature) in jobs:
            made = _Kernel(kernel.py_func, signature, **kernel.targetoptions)
            made._codelibrary.get_cubin()  # for the bytes to hold it
            with whole_file(file) as unfinished:
                unfinished.write_bytes(kept.KeptKernel(kernel.py_func).to_bytes(made))


if __name__ == "__main__":
    compile_jobs(*pickle.load(sys.stdin.buffer))
