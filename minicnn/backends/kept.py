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
from pathlib import Path
from time import time
from types import FunctionType

import numba
import numpy as np
from numba.core.caching import NullCache

from ..common.paths import whole_file

HERE = Path(__file__).parent
DAYS = 30  # machine code of other sources is thrown away when it has not been used for so long


def digest(*things) -> str:
    return hashlib.sha256("\n".join(map(repr, things)).encode()).hexdigest()[:24]


def find_folder(backend: str, *versions: str) -> Path | None:
    """NUMBA_CACHE_DIR, else in the user's cache, else beside the package; None if none is writable.

    Named by what goes into every kernel of the backend: its sources, and the versions of what
    compiles them. Raises nothing: kernels that cannot be kept are compiled again in each process.
    """
    sources = *sorted((HERE / backend).rglob("*.py")), *sorted(HERE.glob("*.py"))
    into_all = digest(
        numba.__version__,
        np.__version__,
        sys.version_info[:2],
        *versions,
        *(path.read_bytes() for path in sources),
    )
    chosen = os.environ.get("NUMBA_CACHE_DIR")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"))
    users = [cache / "minicnn"] if cache.is_absolute() else []  # without a home ~ stays as it is
    for place in [Path(chosen)] if chosen else [*users, HERE / backend / "__pycache__"]:
        folder = place / f"kernels-{into_all}"
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


def made_of(thing):
    """What a function's code depends on: its file, its place there, what its closure holds, and
    the functions and numbers that it takes from outside this folder (which is in every hash).
    """
    function = getattr(thing, "py_func", thing)
    if not isinstance(function, FunctionType):
        return thing
    held = [cell.cell_contents for cell in function.__closure__ or ()]
    if not (function.__module__ or "").startswith(__package__):
        named = map(function.__globals__.get, function.__code__.co_names)
        held += [g for g in named if g is not function and is_code_or_number(g)]
    code = function.__code__
    try:
        source = digest(Path(code.co_filename).read_bytes())
    except OSError:  # typed in, or in a notebook
        source = digest(code.co_code, code.co_names, code.co_consts)
    return source, function.__qualname__, code.co_firstlineno, [made_of(h) for h in held]


def is_code_or_number(thing) -> bool:
    module = getattr(getattr(thing, "py_func", thing), "__module__", None) or ""
    library = module.partition(".")[0] in ("numba", "numpy", "math")
    functions = isinstance(thing, FunctionType) or hasattr(thing, "py_func")
    return isinstance(thing, (int, float, np.generic)) or (functions and not library)


class KeptKernel(NullCache):
    """What numba asks for machine code before it compiles a function, and gives it to after.

    A backend says what it is compiled for, and how machine code becomes bytes and comes back.
    """

    def __init__(self, folder: Path, function):
        self.name = function.__qualname__.replace("<locals>.", "")
        self.folder, self.made_of = folder, digest(made_of(function))

    def compiled_for(self, context):
        raise NotImplementedError(f"{type(self).__name__} does not state its compiled_for")

    def to_bytes(self, result) -> bytes | None:
        """None for what only this process can use."""
        raise NotImplementedError(f"{type(self).__name__} does not state its to_bytes")

    def from_bytes(self, code: bytes, context):
        raise NotImplementedError(f"{type(self).__name__} does not state its from_bytes")

    def file(self, signature, context) -> Path:
        made_for = digest(self.made_of, signature, self.compiled_for(context))
        return self.folder / f"{self.name}-{made_for}"

    def load_overload(self, signature, context):
        """The compiled function, or None where there is none to be had."""
        with suppress(OSError, EOFError, pickle.UnpicklingError):
            seal, _, kept = self.file(signature, context).read_bytes().partition(b"\n")
            if seal == seal_of(kept):  # damaged machine code may do anything
                return self.from_bytes(kept, context)
        return None

    def save_overload(self, signature, result):
        with suppress(OSError):
            self.keep(self.file(signature, result.target_context), result)

    def keep(self, file: Path, result) -> None:
        kept = self.to_bytes(result)
        if kept is not None:
            with whole_file(file) as unfinished:
                unfinished.write_bytes(seal_of(kept) + b"\n" + kept)


def seal_of(kept: bytes) -> bytes:
    return hashlib.sha256(kept).hexdigest().encode()
