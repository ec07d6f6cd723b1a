"""One framework in a process of its own: builds the step, then times it whenever it is told to.

Arguments: framework, layout or backend, workload, threads. Reads "seconds" lines, writes JSON
lines. It is pinned to as many cores as it has threads before any framework loads.
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parent.parent))  # started as a script, by its path


def main() -> None:
    framework, variant, name, threads = *sys.argv[1:4], int(sys.argv[4])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    import numpy as np

    from frameworks.workloads import at_batch

    work = at_batch(name, int(name.rpartition(" b")[2]))
    rng = np.random.default_rng(0)
    build = import_module(f"frameworks.{framework}_step").build
    before = peak_megabytes()
    x = rng.random((work.batch, *work.shape), dtype=np.float32)
    step = build(work, threads, x, rng.integers(0, max(2, work.outputs), work.batch), variant)
    start = perf_counter()
    losses = [step() for _ in range(3)]
    if not all(np.isfinite(losses)):
        raise SystemExit(f"{framework}: losses {losses}")
    answer(first_steps=perf_counter() - start, losses=losses)
    for line in sys.stdin:
        times = []
        begin = perf_counter()
        end = begin + float(line)
        while not times or perf_counter() < end:
            start = perf_counter()
            step()
            times.append(perf_counter() - start)
        mean = 1e3 * (perf_counter() - begin) / len(times)
        answer(
            ms=1e3 * float(np.median(times)), mean_ms=mean, peak_mb=peak_megabytes() - before
        )


def peak_megabytes() -> float:
    """The most memory that this process has held. (ru_maxrss would begin at its parent's.)"""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    line = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def answer(**values) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main()
