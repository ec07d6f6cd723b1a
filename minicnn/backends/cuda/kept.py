"""Where machine code for this GPU is kept, and how it becomes bytes (see `backends/kept.py`)."""

import pickle
from copy import copy
from importlib.metadata import PackageNotFoundError, version

from .. import kept


def versions() -> list[str]:
    """Of what compiles kernels."""
    found = []
    for package in ("numba-cuda", "cuda-bindings", "cuda-core", "nvidia-nvvm", "nvidia-nvjitlink"):
        try:
            found.append(f"{package} {version(package)}")
        except PackageNotFoundError:  # it comes with the machine
            found.append(package)
    return found


FOLDER = kept.find_folder("cuda", *versions())


class KeptKernel(kept.KeptKernel):
    def __init__(self, function):
        super().__init__(FOLDER, function)

    def compiled_for(self, context):
        from numba.cuda import get_current_device, runtime

        return get_current_device().compute_capability, runtime.get_version()

    def from_bytes(self, code, context):
        from numba.cuda.dispatcher import _Kernel

        return _Kernel._rebuild(**pickle.loads(code))

    def to_bytes(self, result):
        from numba.cuda.serialize import dumps

        library = copy(result._codelibrary)
        library._llvm_strs, library._ptx_cache = [], {}  # a megabyte, of which nothing is run
        return dumps(result._reduce_states() | {"codelibrary": library})
