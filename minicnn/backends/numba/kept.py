"""Compiled kernels, kept on disk: a file each, named by the hash of all that went into it.

So equal sources share their machine code, wherever a checkout lies and however many processes
compile at the same moment, and nothing stale is ever found. (Numba's own cache has an index for
each function, by the source's path: two processes that add to it at once can mix up its entries.)
"""

import hashlib
import os
import pickle
import shutil
import sys
from contextlib import suppress
from inspect import getsourcefile
from pathlib import Path
from time import time

import numba
import numpy as np
from numba.core.caching import NullCache
from numba.core.compiler import CompileResult
from numba.core.serialize import dumps

from ...common.paths import whole_file

HERE = Path(__file__).parent
DAYS = 30  # machine code of other sources is thrown away when it has not been used for so long


def digest(*things) -> str:
    return hashlib.sha256("\n".join(map(repr, things)).encode()).hexdigest()[:24]


# What goes into every kernel.
COMMON = digest(
    numba.__version__,
    np.__version__,
    sys.version_info[:2],
    *(p.read_bytes() for p in (*sorted(HERE.rglob("*.py")), *sorted(HERE.parent.glob("*.py")))),
)


def find_folder() -> Path | None:
    """NUMBA_CACHE_DIR, else in the user's cache, else beside the package; None if none is writable.

    Raises nothing: kernels that cannot be kept are compiled again in each process.
    """
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    users = [cache / "minicnn"] if cache.is_absolute() else []  # without a home ~ stays as it is
    for place in [Path(chosen)] if chosen else [*users, HERE / "__pycache__"]:
        folder = place / f"kernels-{COMMON}"
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True)
            os.utime(folder)
            if os.access(folder, os.W_OK):
                remove_unused(place)
                return folder
    return None


def remove_unused(place: Path) -> None:
    for folder in place.glob("kernels-*"):
        if folder.stat().st_mtime < time() - DAYS * 24 * 3600:
            shutil.rmtree(folder, ignore_errors=True)


FOLDER = find_folder()


class KeptKernel(NullCache):
    """What numba asks for machine code before it compiles a function, and gives it to after."""

    def __init__(self, function, lanes):
        self.name = function.__qualname__.replace("<locals>.", "")
        held = [cell.cell_contents for cell in function.__closure__ or ()]
        functions = [function, *(thing.py_func for thing in held if hasattr(thing, "py_func"))]
        self.made_from = digest(
            lanes,
            [(Path(getsourcefile(f)).read_bytes(), f.__qualname__) for f in functions],
            function.__code__.co_firstlineno,
            [thing for thing in held if not hasattr(thing, "py_func")],
        )

    def file(self, signature, context):
        processor = context.codegen().magic_tuple()
        return FOLDER / f"{self.name}-{digest(self.made_from, signature, processor)}"

    def load_overload(self, signature, context):
        """The compiled function, or None where there is none to be had."""
        context.refresh()
        with suppress(OSError, EOFError, pickle.UnpicklingError):
            kept = pickle.loads(self.file(signature, context).read_bytes())
            return CompileResult._rebuild(context, *kept)

    def save_overload(self, signature, result):
        if result.library.has_dynamic_globals:
            return  # addresses of this process
        with suppress(OSError), whole_file(self.file(signature, result.target_context)) as file:
            file.write_bytes(dumps(result._reduce()))
