"""The GPU: what it needs, how a kernel is compiled and launched, and memory that lives there.

A kernel is a Python function that many threads run at once; `launch` says how many. Threads come
in blocks that share a small fast memory and can wait for each other; blocks can do neither.

A kernel states what it takes, one letter for each argument, so that it can also be compiled on a
machine without a GPU (see `compiled.py`):

    F  array of the network's floats      I  array of int64
    B  array of uint8                     n  whole number          r  one of the network's floats

Every array is flat. Under Numba's simulator (NUMBA_ENABLE_CUDASIM=1) kernels run as plain Python,
a thread of the machine for each of theirs, so there the blocks are small.
"""

import threading
import warnings
from functools import cache
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from math import prod
from types import FunctionType

import numpy as np

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # numba-cuda's own, about NumPy
    from numba import config, cuda

from . import kept

SIMULATED = bool(config.ENABLE_CUDASIM)
config.CUDA_LOW_OCCUPANCY_WARNINGS = 0  # small networks do leave a GPU idle

# A GPU computes with 32 bits: 64 cost twice as much, and several times in a division. An index is
# never negative, so nobody need look whether it counts from the end. An address has 64 bits: where
# a number is added to it that the compiler knows, `far` makes it part of the load. (In the
# simulator numbers have no width.)
index, signed, far = (int, int, int) if SIMULATED else (np.uint32, np.int32, np.uint64)

MOST_NUMBERS = 2**31 - 1  # in an array, so that every index has room in 32 bits, also a signed one

THREADS = 8 if SIMULATED else 256  # in a block, where the kernel does not say
MOST_BLOCKS = 2 if SIMULATED else 4096  # more work than this is done in turns

# ── what is missing ──────────────────────────────────────────────────────────────────────────


def require() -> None:
    """Raise RuntimeError, saying what is missing, unless kernels can run here."""
    reason = missing()
    if reason is not None:
        raise RuntimeError(f"the backend 'cuda' cannot run here: {reason}")


def missing() -> str | None:
    """What keeps kernels from running, with its remedy."""
    try:
        version("numba-cuda")
    except PackageNotFoundError:
        return "numba-cuda is not installed: pip install -e '.[cuda]' in the clone of minicnn"
    if "numba_cuda" not in (cuda.__file__ or "") and not SIMULATED:
        return f"numba.cuda comes from {cuda.__file__}, not from numba-cuda: reinstall numba-cuda"
    if not hasattr(np, "row_stack"):
        return f"numba-cuda compiles nothing with NumPy {np.__version__}: pip install 'numpy<2.5'"
    if SIMULATED:
        return None
    for library in ("nvrtc", "nvvm", "nvJitLink"):
        try:
            import_module("cuda.pathfinder").load_nvidia_dynamic_lib(library)
        except (ImportError, RuntimeError):
            return f"NVIDIA's library {library} is not installed: it comes with the extra cuda"
    if not cuda.is_available():
        return "no NVIDIA driver, or no GPU that it can use (nvidia-smi shows both)"
    return None


# ── kernels ──────────────────────────────────────────────────────────────────────────────────

KERNELS = {}  # name → (kernel, what it takes): all that were made in this process


def kernel(takes, name=None, **options):
    """Compile a function for the GPU when it is first launched. takes: see above; options: of
    `cuda.jit`.
    """

    def compile_later(function):
        compiled = cuda.jit(**options)(function)
        if kept.FOLDER is not None and not SIMULATED:
            compiled._cache = kept.KeptKernel(function)
        module = function.__module__.rpartition(".")[2]
        compiled.name = name or f"{module}.{function.__name__}"
        KERNELS[compiled.name] = compiled, takes.split()
        return compiled

    return compile_later


def device(function):
    """Compile a helper, with the plain functions that it calls, for use inside kernels."""
    called = {name: function.__globals__.get(name) for name in function.__code__.co_names}
    helpers = {name: device(f) for name, f in called.items() if isinstance(f, FunctionType)}
    if helpers:
        function = FunctionType(
            function.__code__, function.__globals__ | helpers, function.__name__
        )
    return cuda.jit(device=True)(function)


@device
def quotient(a, b):
    """a // b of two that are not negative, in 32 bits."""
    return index(index(a) // index(b))


@device
def remainder(a, b):
    return index(index(a) % index(b))


@device
def reciprocal(b):
    """What `divided` must know of b, so that a loop divides by it without a division."""
    return index(index(2**32 - 1) // index(b))


@device
def divided(a, b, reciprocal_of_b):
    """a // b and a % b for a below 2³¹. The estimate a · ⌊(2³² − 1) / b⌋ / 2³² is 0 or 1 short."""
    estimate = index((far(a) * far(reciprocal_of_b)) >> far(32))
    rest = index(a - estimate * b)
    short = rest >= b
    return index(estimate + 1) if short else estimate, index(rest - b) if short else rest


@cache
def queue():
    """Where kernels wait for each other. A copy without a stream waits for it, others do not."""
    return cuda.stream()


class Tape(threading.local):
    """Where this thread's launches are written down instead of made; see `recording.py`."""

    launches = None


tape = Tape()


class NotRecordableError(RuntimeError):
    """A step looked at numbers of the host or brought some, so it cannot be replayed."""


def on_the_host(what):
    """Say that the host takes part now, which a replay would leave out."""
    if tape.launches is not None:
        raise NotRecordableError(f"{what} in the middle of a step")


def launch(kernel, blocks, *arguments, threads=THREADS):
    """Run a kernel; it is only put in a queue, and the host goes on."""
    if tape.launches is None:
        kernel[blocks, threads, queue()](*arguments)
    else:
        tape.launches.append((kernel, blocks, threads, arguments))


def for_each(kernel, items, *arguments):
    """Run a kernel whose threads share out `items` pieces of work: each takes every gridsize-th."""
    launch(kernel, min(MOST_BLOCKS, -(-items // THREADS)), *arguments)


# ── memory ───────────────────────────────────────────────────────────────────────────────────


def check_size(size: int, name: str) -> None:
    """ValueError for more numbers than kernels can count."""
    if size > MOST_NUMBERS:
        raise ValueError(
            f"cuda: {name!r} has {size} numbers, but kernels count to {MOST_NUMBERS}: take smaller "
            f"batches"
        )


class Memory:
    """A piece of device memory, which arrays share. A copy has memory of its own, as has one that
    comes back from a pickle, and the copies of those arrays share that.
    """

    def __init__(self, numbers) -> None:
        self.numbers = numbers

    def __reduce__(self):
        on_the_host("memory is copied")
        return brought_back, (uploaded, self.numbers.copy_to_host())


def uploaded(numbers: np.ndarray) -> Memory:
    return Memory(cuda.to_device(numbers))


def brought_back(make, numbers: np.ndarray):
    """make(numbers), for a copy or what was pickled; RuntimeError on a machine without a GPU."""
    require()
    return make(numbers)


class Array:
    """A parameter, a statistic or a slot: `flat` is its part of a piece of device memory."""

    def __init__(self, memory: Memory, start: int, shape: tuple[int, ...], flat=None) -> None:
        self.memory, self.start, self.shape = memory, start, shape
        self.flat = memory.numbers[start : start + self.size] if flat is None else flat

    def __reduce__(self):
        return Array, (self.memory, self.start, self.shape)

    @property
    def size(self) -> int:
        return prod(self.shape)

    @property
    def dtype(self) -> np.dtype:
        return np.dtype(self.flat.dtype)


class Buffers:
    """A layer's own device memory: the same name gives the same memory again.

    The array may be longer than what was asked for (the last batch of an epoch gets the front of
    it), so kernels are told how much of it counts.
    """

    def __init__(self) -> None:
        self._arrays: dict[tuple[str, np.dtype], object] = {}
        self._constants: dict[str, tuple[np.ndarray, object]] = {}

    def empty(self, name: str, size: int, dtype):
        """An uninitialised flat array of at least that size, valid until `name` is asked again."""
        check_size(size, name)
        key = name, np.dtype(dtype)
        array = self._arrays.get(key)
        if array is None or array.size < size:
            array = self._arrays[key] = cuda.device_array(max(1, size), dtype)
        return array

    def constant(self, name: str, values: np.ndarray):
        """A flat copy of a small host array, copied again only when it changes."""
        known = self._constants.get(name)
        if known is None or not np.array_equal(known[0], values):
            known = self._constants[name] = values.copy(), cuda.to_device(values.reshape(-1))
        return known[1]

    def __reduce__(self):
        """A copied or pickled layer starts with buffers of its own."""
        return Buffers, ()
