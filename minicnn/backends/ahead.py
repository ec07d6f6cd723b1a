"""Kernels compiled side by side, before they are first called.

Numba compiles one kernel after the other, half a second to several seconds each, and a network has
dozens. So the calls of a first step are written down, and other processes compile what they need,
and leave the machine code where kernels are kept (see `kept.py`). This helps and no more: what they
could not compile is compiled when it is called, as ever, and there an error is seen.
"""

import os
import pickle
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from threading import Thread

from .kept import KeptKernel

EACH = 3  # kernels at least for a process: it takes a second or two to start


def missing(calls: list[tuple]) -> list[tuple]:
    """File, kernel and signature of what the calls need and neither process nor disk has.

    calls: functions and their arguments. One that is no kernel, or is not kept, needs nothing.
    """
    found = {}
    for kernel, arguments in calls:
        if isinstance(getattr(kernel, "_cache", None), KeptKernel):
            signature = tuple(map(kernel.typeof_pyval, arguments))
            if signature not in kernel.overloads:
                found[kernel._cache.file(signature, kernel.targetctx)] = kernel, signature
    return [(file, *wanted) for file, wanted in found.items() if not file.exists()]


def compile_side_by_side(jobs: list[tuple], processes: int, module: str, dumps: Callable) -> None:
    """Have processes of `python -m module` do the jobs, each its next when it is done with one.

    Their machine code is left in files. dumps: pickles a job.
    """
    processes = min(processes, len(jobs) // EACH)
    if processes < 2:
        return
    try:
        waiting = [dumps(job) for job in jobs]
    except (pickle.PicklingError, AttributeError, TypeError):
        return  # a kernel's closure holds what only this process has
    threads = [Thread(target=keep_busy, args=(module, waiting)) for _ in range(processes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def keep_busy(module: str, waiting: list[bytes]) -> None:
    """Give a process jobs until none is waiting, or it has ended."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    with (
        suppress(OSError, IndexError),
        subprocess.Popen(
            [sys.executable, "-m", module], env=environment, stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        ) as worker,
    ):  # fmt: skip
        asked, answers = worker.stdin, worker.stdout
        assert asked is not None
        assert answers is not None
        while True:
            asked.write(waiting.pop(0))
            asked.flush()
            if not answers.readline():
                return


def work(compile_job: Callable) -> None:
    """The process's side: do what is asked for, and say each time that it is done."""
    answers, sys.stdout = sys.stdout, sys.stderr
    with suppress(EOFError):
        while True:
            job = pickle.load(sys.stdin.buffer)
            with suppress(Exception):  # whoever calls the kernel sees it
                compile_job(*job)
            print(file=answers, flush=True)
