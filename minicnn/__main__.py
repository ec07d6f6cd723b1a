"""python -m minicnn: what this machine can run, and what each missing part needs."""

from __future__ import annotations

import os
import platform
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from . import backends
from .data.mnist import cache_folder, find

PACKAGES = ("numpy", "numba", "matplotlib", "numba-cuda", "torch", "tensorflow", "jax")


def main() -> None:
    print(f"minicnn {version('minicnn')}, Python {platform.python_version()} ({sys.executable})")
    print(f"cores   {len(os.sched_getaffinity(0))} of {os.cpu_count()} ({platform.machine()})")
    for package in PACKAGES:
        try:
            print(f"{package:12}{version(package)}")
        except PackageNotFoundError:
            print(f"{package:12}not installed")
    print("\nbackends")
    for name in backends.NAMES:
        try:
            backends.get(name)
            print(f"  {name:12}ready")
        except RuntimeError as error:
            print(f"  {name:12}{error}")
    print("\ndata")
    for name in ("mnist", "fashion-mnist"):
        folder = find(name)
        hint = f"not found: it will be downloaded to {cache_folder()}, or set MINICNN_DATA"
        print(f"  {name:15}{folder or hint}")


if __name__ == "__main__":
    main()
