"""How long a study takes, in one line before it begins."""

import argparse
from time import perf_counter

import numpy as np
from frameworks.minicnn_step import build
from frameworks.workloads import at_batch
from threadpoolctl import threadpool_limits

PROBE = "mnist b64"
PROBE_MS = 13  # NumPy's step of it with one thread, on the machine of which the minutes are


def say_how_long(options: argparse.Namespace, minutes: float) -> None:
    """Prints about how long the study takes here, without compiling, or that --quick is not it.

    minutes: of the whole study on the machine of docs/results. They are scaled by how long a
    training step takes here and there.
    """
    if options.quick:
        print("--quick: less of all, in under a minute; a study is a run without it", flush=True)
        return
    here = minutes * milliseconds_here() / PROBE_MS
    print(f"{in_words(here)} here, with the usual flags", flush=True)


def in_words(minutes: float) -> str:
    if minutes < 0.75:
        return "less than a minute"
    if minutes < 1.5:
        return "about a minute"
    return f"about {minutes:.0f} minutes"


def milliseconds_here() -> float:
    """Of the probe, a step that needs no compiling: the fastest of half a second, which other
    programs disturb least.
    """
    work, rng = at_batch(PROBE, 64), np.random.default_rng(0)
    x = rng.random((work.batch, *work.shape), dtype=np.float32)
    labels = rng.integers(0, work.outputs, work.batch)
    step, times = build(work, 1, x, labels, "numpy"), []
    with threadpool_limits(1):
        for _ in range(20):
            start = perf_counter()
            step()
            times.append(1e3 * (perf_counter() - start))
    return min(times)
