"""python -m minicnn: what this machine can run, and what each missing part needs."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version

from threadpoolctl import threadpool_info

from . import __version__, backends
from .data.cifar import CIFAR10
from .data.mnist import FASHION_MNIST, MNIST
from .data.published import folder_on_disk

PACKAGES = (
    "numpy", "numba", "numba-cuda", "matplotlib", "threadpoolctl", "torch", "tensorflow", "jax",
)  # fmt: skip


def main() -> None:
    print(f"minicnn {__version__}, Python {platform.python_version()} ({sys.executable})")
    print("\npackages")
    for package in PACKAGES:
        print(f"  {package:16}{installed(package) or 'not installed'}")
    print(f"  {'NumPy uses':16}{blas()}")
    print("\nbackends")
    ready = [name for name in backends.NAMES if readiness(name)]
    if "numba" in ready:
        print("\nnumba")
        for name, value in numba_facts().items():
            print(f"  {name:16}{value}")
    print("\ndata")
    for source in (MNIST, FASHION_MNIST, CIFAR10):
        folder = folder_on_disk(source)
        print(f"  {source.title:16}{folder or MISSING}")


MISSING = "not found: it is downloaded when first loaded, or set MINICNN_DATA to its folder"


def readiness(backend: str) -> bool:
    """Prints what keeps a backend from running, whatever it is: a broken one hides no other."""
    try:
        backends.get(backend)
    except Exception as error:
        print(f"  {backend:16}{error}")
        return False
    print(f"  {backend:16}ready")
    return True


def installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def blas() -> str:
    """The matrix products behind the numpy backend, and their threads."""
    pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
    return ", ".join(f"{p['internal_api']}, {p['num_threads']} threads" for p in pools) or "no BLAS"


def numba_facts() -> dict[str, str]:
    from .backends.numba import kept, runtime

    waiting = [f"{name}={os.environ[name]}" for name in WAITING if name in os.environ]
    return {
        "cores": f"{runtime.CORES} of {os.cpu_count()}, {runtime.llvm.get_host_cpu_name()}",
        "threads": f"{runtime.get_threads()} ({', '.join(waiting)})",
        "lanes": f"{runtime.LANES} float32 in a register (MINICNN_LANES forces 4, 8 or 16)",
        "kernels kept in": str(kept.FOLDER or "memory only: no folder for them is writable"),
    }


WAITING = ("NUMBA_THREADING_LAYER", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT")

if __name__ == "__main__":
    # Not every terminal can show the é of a path.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    main()
