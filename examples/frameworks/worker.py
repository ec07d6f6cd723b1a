"""One framework in a process of its own: builds the step, then times it whenever it is told to.

Arguments: framework, layout or backend, workload, threads, cores. Reads "seconds" lines, writes
JSON lines. It is pinned to its cores before any framework loads. A step that runs on a GPU brings
its own clock: step.milliseconds(count).
"""

import json
import os
import sys
from importlib import import_module
from pathlib import Path
from statistics import median
from time import perf_counter

sys.path.insert(0, str(Path(__file__).parent.parent))  # started as a script, by its path


def main() -> None:
    framework, variant, name = sys.argv[1:4]
    threads, cores = map(int, sys.argv[4:])
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:cores])
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
    timed = on_the_device if hasattr(step, "milliseconds") else on_the_host
    for line in sys.stdin:
        answer(**timed(step, float(line)), peak_mb=peak_megabytes() - before)


def on_the_host(step, seconds: float) -> dict[str, float]:
    times = []
    begin = perf_counter()
    while not times or perf_counter() < begin + seconds:
        start = perf_counter()
        step()
        times.append(perf_counter() - start)
    return {"ms": 1e3 * median(times), "mean_ms": 1e3 * (perf_counter() - begin) / len(times)}


def on_the_device(step, seconds: float) -> dict[str, float]:
    """By the device's own clock, with nobody waiting between steps."""
    count = max(10, round(1e3 * seconds / step.milliseconds(10)))
    ms = step.milliseconds(count)
    return {"ms": ms, "mean_ms": ms}


def peak_megabytes() -> float:
    """The most memory that this process has held. (ru_maxrss would begin at its parent's.)"""
    status = Path("/proc/self/status")
    if not status.exists():
        return float("nan")
    lines = status.read_text(encoding="utf-8").splitlines()
    line = next(line for line in lines if line.startswith("VmHWM"))
    return int(line.split()[1]) / 1024


def answer(**values) -> None:
    print(json.dumps(values), flush=True)


if __name__ == "__main__":
    main()
