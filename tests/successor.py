"""Which cuda kernels compile under numba-cuda-mlir, the successor of numba-cuda.

Run it in an environment of its own, for the two don't share a process: Python 3.13 or newer, and
pip install -e . numba-cuda-mlir 'cuda-toolkit[nvvm,nvrtc,nvjitlink]==13.0.*'. No GPU: kernels are
compiled to PTX for a Hopper, and a stand-in answers when the compiler asks which GPU there is.
"""

import importlib.metadata
import sys
from time import perf_counter
from types import SimpleNamespace

import numba
import numba_cuda_mlir.tools
from numba_cuda_mlir import cuda, types

HOPPER = (9, 0)
numba_cuda_mlir.tools.get_gpu_compute_capability = lambda as_type=tuple: (
    HOPPER if as_type is tuple else "sm_90"
)
numba.cuda = sys.modules["numba.cuda"] = cuda  # what the backend imports
sys.modules["numba.cuda.libdevice"] = cuda.libdevice
# It has intrinsics of another kind, so a kernel with one of ours is refused.
sys.modules["numba.cuda.extending"] = SimpleNamespace(intrinsic=lambda function: function)


def stated(package, real=importlib.metadata.version):
    """The backend asks for numba-cuda, in whose place it finds its successor."""
    return real("numba-cuda-mlir" if package == "numba-cuda" else package)


importlib.metadata.version = stated

from minicnn.backends.cuda import compiled  # noqa: E402

TAKEN = {
    "F": types.float32[::1],
    "I": types.int64[::1],
    "B": types.uint8[::1],
    "n": types.int64,
    "r": types.float32,
}


def main() -> None:
    start, refused = perf_counter(), {}
    kernels = compiled.all_kernels()
    for name, (kernel, takes) in kernels.items():
        signature = tuple(TAKEN[letter] for letter in takes)
        try:
            cuda.compile(
                kernel.py_func, signature, cc=HOPPER, device=False, abi="numba", output="ptx"
            )
        except Exception as error:
            refused[name] = f"{type(error).__name__}: {error}"
    seconds = perf_counter() - start
    for name, words in refused.items():
        print(f"\n{name}\n{words[:600]}")
    print(f"\n{len(kernels) - len(refused)} of {len(kernels)} kernels compile, {seconds:.0f} s")


if __name__ == "__main__":
    main()
