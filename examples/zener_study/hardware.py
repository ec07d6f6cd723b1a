"""What the processor contributes: the width of its vector registers, its instructions, the batch.

Each training step is timed in a process of its own (see compare_frameworks.py), by turns.
"""

import os
import platform
import subprocess
import sys

from compare_frameworks import RUNNERS, compare
from frameworks.workloads import at_batch
from tqdm import tqdm

from minicnn import backends

NETWORKS = "zener4 b256", "zener7 b256"
WIDTHS = {f"{n} lanes": {"MINICNN_LANES": str(n)} for n in (4, 8, 16)}
# As if the processor knew no more than these, whatever it is. SSE2 is what every x86-64 has.
OLDER = {
    "4 lanes, SSE2": {"NUMBA_CPU_NAME": "x86-64", "NUMBA_CPU_FEATURES": "+sse2"},
    "4 lanes, SSE4.2": {"NUMBA_CPU_NAME": "nehalem", "NUMBA_CPU_FEATURES": "+sse4.2"},
    "8 lanes, AVX2": {"NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": "+avx2,+fma"},
}


def lanes(options) -> list[dict]:
    """Milliseconds of a step on one thread, with each width and with older instructions.

    peak_gflops: what multiply-adds reach with the same registers and instructions. It is all that
    --quick has: each width would have to compile a network of its own.
    """
    if options.quick:
        return [{"peak_gflops": {name: peak(variables) for name, variables in WIDTHS.items()}}]
    choices = dict(WIDTHS)
    if platform.machine() in ("x86_64", "AMD64"):
        for name, variables in OLDER.items():
            choices[name] = {"MINICNN_LANES": name[0]} | variables
    runners = dict.fromkeys(choices, RUNNERS["numba"])
    peaks = {name: peak(variables) for name, variables in choices.items()}
    rows = timed(NETWORKS, (256,), 1, runners, options, choices)
    return [row | {"peak_gflops": peaks} for row in rows]


def peak(variables: dict[str, str]) -> float:
    """GFLOP/s of one thread's registers, in a process with these variables."""
    code = "from minicnn.backends.numba.peak import multiply_add_rate as r; print(r(1) / 1e9)"
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ | variables, stdout=subprocess.PIPE, check=True)
    return float(done.stdout)


def batches(options) -> list[dict]:
    """Milliseconds of a step at several batch sizes, on every backend that can run here."""
    networks, sizes = NETWORKS, (8, 16, 32, 64, 128, 256, 512, 1024)
    if options.quick:
        networks, sizes = NETWORKS[:1], (32, 256)
    runners = {name: RUNNERS[name] for name in ("numpy", "numba")}
    if "cuda" in backends.available():
        runners["cuda"] = ("numba", "minicnn_cuda", "cuda")
    threads = options.threads or len(os.sched_getaffinity(0))
    return timed(networks, sizes, threads, runners, options, {})


def timed(names, sizes, threads: int, runners: dict, options, variables: dict) -> list[dict]:
    works = [at_batch(name, size) for name in names for size in sizes]
    with tqdm(total=len(works) * options.rounds * len(runners), disable=None) as bar:
        return [compare([w], threads, runners, options, bar, variables)[0] for w in works]
