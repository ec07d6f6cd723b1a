"""How kernels are compiled and run: vector lanes, compiler, threads.

Import this before numba: OpenMP and numba read their environment when they load.
"""

import os
import sys
import threading
from contextlib import suppress
from ctypes import CDLL, RTLD_GLOBAL
from functools import wraps

from ...common.cores import CORES

if "numba" not in sys.modules:  # room to study more threads than cores; numba fixes it on import
    os.environ.setdefault("NUMBA_NUM_THREADS", str(max(8, CORES)))
if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
    # A waiting thread spins this often before it sleeps. Unbounded spinning fights NumPy's BLAS
    # threads for the cores; sleeping at once makes every parallel call cost 40 µs instead of 1.5.
    os.environ["GOMP_SPINCOUNT"] = "10000"
if os.environ.get("NUMBA_THREADING_LAYER") == "tbb":
    # pip puts this library where no loader looks for it; once it is loaded, numba finds it.
    with suppress(OSError):
        CDLL(os.path.join(sys.prefix, "lib", "libtbb.so.12"), RTLD_GLOBAL)

import numba
import numpy as np
from llvmlite import binding as llvm
from numba.core import event

from ...common.arguments import whole_number
from . import kept
from .recording import done

# ── lanes ────────────────────────────────────────────────────────────────────────────────────


def lanes_of_this_cpu() -> int:
    """float32 numbers in one vector register; MINICNN_LANES forces another width."""
    forced = os.environ.get("MINICNN_LANES")
    if forced is not None:
        if forced not in ("4", "8", "16"):
            raise ValueError(f"MINICNN_LANES must be 4, 8 or 16, got {forced!r}")
        return int(forced)
    features = llvm.get_host_cpu_features()
    if features.get("avx512f"):
        return 16
    return 8 if features.get("avx2") else 4


LANES = lanes_of_this_cpu()

# ── compiling ────────────────────────────────────────────────────────────────────────────────


# Safe for NaN and Inf. "contract" lets a · b + c become one instruction; what would reorder sums
# ("reassoc") or assume that no NaN comes ("nnan", in fastmath=True) is not allowed. No kernel is
# called from C, and no helper from Python: so numba need not compile the ways in.
OPTIONS = {
    "nogil": True, "error_model": "numpy", "fastmath": {"contract", "nsz"},
    "no_cfunc_wrapper": True,
}  # fmt: skip


def device(function):
    """Compile a helper for use inside kernels; it becomes part of them."""
    return numba.njit(forceinline=True, no_cpython_wrapper=True, **OPTIONS)(function)


def inlined(function):
    """A helper whose lines stand in the kernel itself before it is compiled.

    For a few instructions with a loop or a branch around them: at every call of such a `device`
    helper numba counts references to its arrays, which takes longer than they do.
    """
    return numba.njit(inline="always")(function)


def kernel(function):
    """Compile a function whose `prange` loops are shared out to `get_threads()` threads.

    Calls from several Python threads take turns, because numba's fallback threading layer aborts
    the process otherwise. A process that was forked after a kernel ran has no worker threads and
    raises RuntimeError. `.compiled` is numba's own dispatcher. With NUMBA_DISABLE_JIT=1 a kernel is
    plain Python; like machine code, it is silent about NaN and Inf.
    """
    compiled = numba.njit(parallel=True, **OPTIONS)(function)
    if numba.config.DISABLE_JIT:
        compiled = np.errstate(all="ignore")(function)
    elif kept.FOLDER is not None:
        compiled._cache = kept.KeptKernel(function, LANES)

    @wraps(function)
    def call(*arguments):
        with team:
            return done(compiled, *arguments)

    call.compiled = compiled
    announcement.kernels.add(compiled)
    return call


class Announcement(event.Listener):
    """Says once that kernels are being compiled: it takes seconds, and only the first time."""

    def __init__(self):
        self.kernels, self.made = set(), False

    def on_start(self, event):
        if event.data["dispatcher"] in self.kernels:
            self.say()

    def say(self):
        if not self.made:
            self.made = True
            where = kept.FOLDER or "memory only: no folder for them is writable"
            print(
                f"minicnn: compiling kernels for this machine, once (kept in {where})",
                file=sys.stderr,
            )

    def on_end(self, event):
        pass


announcement = Announcement()
event.register("numba:compile", announcement)

# ── threads ──────────────────────────────────────────────────────────────────────────────────

ITEMS = 16  # pieces of work for a kernel's threads: at least so many, where there is enough of it


class Team:
    """The threads that kernels run on: how many, whether they started, whether a fork lost them.

    `with team:` runs kernels, alone.
    """

    def __init__(self):
        self.lock = threading.RLock()
        self.threads = min(CORES, numba.config.NUMBA_NUM_THREADS)
        self.started = self.lost = False

    def __enter__(self):
        if self.lost:
            raise RuntimeError(
                "this process was forked after a kernel ran, so its worker threads are gone: "
                "start workers with 'spawn' (multiprocessing.get_context('spawn'))"
            )
        self.lock.acquire()
        wanted = threads_here()
        if seen.threads != wanted:
            numba.set_num_threads(wanted)
            seen.threads = wanted
            self.started = True

    def __exit__(self, *exception):
        self.lock.release()

    def after_fork(self):
        self.lock = threading.RLock()
        self.lost = self.started


class Seen(threading.local):
    """In each Python thread: on how many its kernels run, and how many numba was last told."""

    wanted = threads = None


team, seen = Team(), Seen()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=team.after_fork)


def set_threads(number: int) -> None:
    """Run kernels on so many threads; results do not depend on it.

    More than `numba.config.NUMBA_NUM_THREADS` (at least 8 unless the environment says otherwise,
    or numba was imported before minicnn's numba backend) is taken as that many.
    Raises ValueError for fewer than one, TypeError for what is no whole number.
    """
    number = whole_number(number, "number", "set_threads")
    team.threads = min(number, numba.config.NUMBA_NUM_THREADS)
    take_up()


def get_threads() -> int:
    """The number of threads that kernels run on: the cores of this process unless set."""
    return team.threads


def take_up() -> int:
    """From now on kernels of this Python thread run on as many threads as are set.

    Only between two operations: one takes memory for each thread, and then starts a kernel on as
    many, while another Python thread may call `set_threads` at any moment.
    """
    seen.wanted = team.threads
    return seen.wanted


def threads_here() -> int:
    return seen.wanted or take_up()
