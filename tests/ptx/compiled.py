"""PTX of kernels, as numba-cuda compiles them, kept between runs: for the interpreter, and for
tests/backends/test_cuda_compiled.py, so that nothing is compiled twice.

A file is named by the hash of all that goes into it: the byte code of the kernel and of the
functions that it calls, the numbers and tables that they refer to, the types, the compilers.
"""

from contextlib import suppress
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import FunctionType, ModuleType

import numba
import numpy as np
import pytest

pytest.importorskip("numba_cuda", reason="the cuda extra is not installed")

from numba.cuda.extending import _Intrinsic as Intrinsic

from minicnn.backends.cuda import kept
from minicnn.backends.cuda.compiled import GENERATIONS, ptx_of
from minicnn.backends.cuda.device import cuda
from minicnn.backends.kept import digest
from minicnn.common.paths import whole_file

from .parse import Program, parse

Kernel = cuda.dispatcher.CUDADispatcher

GENERATION = GENERATIONS[-1]  # what is interpreted

PROGRAMS: dict[str, Program] = {}  # by that hash


@cache
def program(kernel: Kernel, signature: tuple) -> Program:
    """A kernel for arguments of these types, with its name."""
    key = key_of(kernel, signature, GENERATION)
    if key not in PROGRAMS:
        PROGRAMS[key] = parse(read_or_compile(kernel, signature, GENERATION))
    return PROGRAMS[key]._replace(name=named(kernel))


def key_of(kernel, signature, generation):
    options = sorted(kernel.targetoptions.items())
    return digest(compilers(), generation, signature, options, made_from(kernel))


def named(kernel: Kernel) -> str:
    function = kernel.py_func
    module = function.__module__.rpartition(".")[2]
    return f"{module}.{function.__qualname__}".replace("<locals>.", "")


def read_or_compile(kernel: Kernel, signature: tuple, generation: tuple) -> str:
    key = key_of(kernel, signature, generation)
    file = kept.FOLDER and kept.FOLDER / f"{named(kernel)}-{key}.ptx"
    if file:
        with suppress(OSError):
            return file.read_text()
    source = ptx_of(kernel, signature, generation)
    if file:
        with suppress(OSError), whole_file(file) as unfinished:
            unfinished.write_text(source)
    return source


@cache
def compilers():
    from numba.cuda.cudadrv.nvvm import NVVM

    return version("numba-cuda"), numba.__version__, np.__version__, NVVM().get_version()


def made_from(thing):
    """All that a function's machine code depends on, or a value's own text."""
    if isinstance(thing, Kernel):
        return sorted(map(repr, thing.targetoptions.items())), made_from(thing.py_func)
    if isinstance(thing, Intrinsic):
        return made_from(thing._defn)
    if isinstance(thing, FunctionType):
        code = thing.__code__
        held = [cell.cell_contents for cell in thing.__closure__ or ()]
        used = [thing.__globals__.get(name) for name in code.co_names]
        constants = [c for c in code.co_consts if not isinstance(c, str)]  # but for docstrings
        return code.co_code, code.co_names, constants, [made_from(value) for value in held + used]
    if isinstance(thing, ModuleType):
        ours = thing.__name__.startswith("minicnn")
        return thing.__name__, Path(thing.__file__).read_bytes() if ours else b""
    if isinstance(thing, np.ndarray):
        return thing.dtype, thing.shape, thing.tobytes()
    return repr(thing)
