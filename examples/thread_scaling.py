"""Training steps on 1, 2, 4 and 8 threads: what more threads give, and what waiting threads take.

Dense and convolutional steps beside the report's (Caffe, TensorFlow and Torch on 4 cores), with
Amdahl's law fitted up to the number of cores. Beside them as many jobs of one thread as there are
cores: what these do not reach together, threads cannot reach. Then threads that spin or sleep while
they wait, or take over what others have not begun (TBB, where `pip install -e '.[tbb]'` brought
it), with the cores to themselves and with a second job on them; then each layer beside the
machine's limit. How to wait is read when a library loads, so every turn is a process of its own.
The cores must be idle. --quick: one round of the shortest step, and waiting threads only where they
are twice as many as the cores.
"""

import json
import os
from importlib.metadata import distributions
from statistics import median

import numpy as np
from compare_frameworks import RUNNERS, start
from duration import say_how_long
from frameworks.minicnn_step import network
from frameworks.workloads import WORKLOADS, Workload
from matplotlib.figure import Figure
from options import chosen_backends, parser
from results import keep, plain_ticks, table
from tqdm import tqdm

from minicnn import SGD, SoftmaxCrossEntropy
from minicnn.timing import profile

WORKS = {w.name: w for w in WORKLOADS if w.name in ("dense b64", "lenet b64", "mnist b64")}
SHORT = "mnist b64"  # its parallel loops last microseconds, so how threads wait matters most
CORES = len(os.sched_getaffinity(0))
WAITING = {
    "spin 10,000 times": {},  # the library's choice: see backends/numba/runtime.py
    "spin (active)": {"OMP_WAIT_POLICY": "ACTIVE"},
    "sleep (passive)": {"OMP_WAIT_POLICY": "PASSIVE"},
}
if [*distributions(name="tbb")]:
    WAITING["take over work (TBB)"] = {"NUMBA_THREADING_LAYER": "tbb"}
# Shi et al. 2016 as the report quotes them: seconds of a batch of 64 on an i7-3820 (4 cores).
REPORT = {
    "Caffe": {1: 1.324, 2: 0.790, 4: 0.578, 8: 15.444},
    "TensorFlow": {1: 7.062, 2: 4.789, 4: 2.648, 8: 1.938},
    "Torch": {1: 1.329, 2: 0.710, 4: 0.423},
}
APART = "a thread each"  # as many jobs as cores, at the same time
STYLES = [("-", "o"), ("--", "s"), (":", "^"), ("-.", "D"), ("-", "x"), ("--", "+")]


def main() -> None:
    options = parser(__doc__, "threads out quick")
    options.add_argument("--backend", choices=["numpy", "numba", "all"], default="all")
    options = options.parse_args()
    counts = sorted({1, 2, 4, 8, CORES} if not options.quick else {1, CORES, 2 * CORES})
    counts = [n for n in counts if n <= (options.threads or n)]
    works = [SHORT] if options.quick else [*WORKS]
    rounds, seconds = (1, 0.1) if options.quick else (5, 0.3)
    # BLAS takes no more threads than there are cores, so numpy stops there.
    names = [b for b in chosen_backends(options) if b in ("numpy", "numba")]
    asked = {
        (b, w, n): (b, WORKS[w], n, 1, {})
        for b in names for w in works for n in counts if b != "numpy" or n <= CORES
    }  # fmt: skip
    crowded = counts[-1:] if options.quick else counts
    waiting = [(how, jobs, n) for how in WAITING for jobs in (1, 2) for n in crowded]
    waiting = waiting if "numba" in names else []
    if "numba" in names and CORES > 1:
        asked |= {("numba", w, APART): ("numba", WORKS[w], 1, CORES, {}) for w in works}
    asked |= {key: ("numba", WORKS[SHORT], key[2], key[1], WAITING[key[0]]) for key in waiting}
    turns = rounds * len(asked)
    say_how_long(options, turns * (seconds + 1) / 60)
    times: dict[tuple, list[float]] = {key: [] for key in asked}
    with tqdm(total=turns, disable=None) as bar:
        for _ in range(rounds):
            for key, arguments in asked.items():
                bar.set_description(", ".join(map(str, key)))
                times[key].append(turn(*arguments, seconds))
                bar.update()
    ms = {key: median(values) for key, values in times.items()}
    report = {
        "rounds": rounds,
        "cores": CORES,
        "scaling": [
            {"backend": b, "work": w, "ms": row, "serial_fraction": amdahl(row),
             "ms_of_jobs_apart": ms.get((b, w, APART))}
            for b in names for w in works
            if (row := {n: ms[b, w, n] for n in counts if (b, w, n) in ms})
        ],
        "waiting": [{"how": h, "jobs": j, "threads": n, "ms": ms[h, j, n]} for h, j, n in waiting],
        "profiles": {f"{b} {w}": layer_times(b, WORKS[w]) for b in names
                     for w in works},
        "report_seconds": REPORT,
    }  # fmt: skip
    path = keep(options, "thread_scaling", report, plot(report))
    for make in (scaling_table, report_table, waiting_table, parts_table):
        print(f"\n{make(report)}")
    print(f"\n{path} and .png")


def turn(
    backend: str, work: Workload, threads: int, jobs: int, variables: dict, seconds: float
) -> float:
    """Mean milliseconds of a step in fresh processes, `jobs` of them at once on all cores.

    Not the median: a step that lies within one slice of the scheduler's time shows nothing of what
    another job takes.
    """
    workers = [start(RUNNERS[backend], work, threads, CORES, **variables) for _ in range(jobs)]
    for worker in workers:
        worker.stdout.readline()
    for worker in workers:
        print(seconds, file=worker.stdin, flush=True)
    found = [json.loads(worker.stdout.readline())["mean_ms"] for worker in workers]
    for worker in workers:
        worker.communicate()
    return sum(found) / jobs


def amdahl(ms: dict[int, float]) -> float | None:
    """The serial fraction s of T(n) = T(1) (s + (1 - s) / n), least squares over n ≤ cores.

    None where the law has nothing to say: one count, or times that no s in 0..1 fits.
    """
    counts = [n for n in ms if n <= CORES]
    if len(counts) < 2:
        return None
    columns = np.array([[1, 1 / n] for n in counts])
    (serial, parallel), *_ = np.linalg.lstsq(columns, np.array([ms[n] for n in counts]))
    fraction = float(serial / (serial + parallel))
    return fraction if 0 <= fraction <= 1 else None


def layer_times(backend: str, work: Workload) -> list[dict]:
    """Every part of a step: milliseconds, and the share of the machine's limit that it reaches."""
    rng = np.random.default_rng(0)
    x = rng.random((work.batch, *work.shape), dtype=np.float32)
    labels = rng.integers(0, work.outputs, work.batch)
    net = network(work).to(backend)
    rows = profile(net, SoftmaxCrossEntropy(), SGD(1e-3), x, labels).rows
    return [
        {"part": f"{r.name} {r.direction}".strip(), "ms": r.ms, "of_limit": r.limit_ms / r.ms}
        for r in rows
    ]


def scaling_table(found: dict) -> str:
    """Milliseconds a step at each number of threads; how much faster as many threads as cores are
    than one, and how much more as many jobs of one thread do than one; Amdahl's serial part.
    """
    counts = sorted({n for row in found["scaling"] for n in row["ms"]})
    rows, cores = [], found["cores"]
    for row in found["scaling"]:
        serial, ms, apart = row["serial_fraction"], row["ms"], row["ms_of_jobs_apart"]
        rows.append([
            f"{row['backend']} {row['work']}", *cells(ms, counts, 2),
            f"{ms[1] / ms[cores]:.2f}×" if cores in ms else "–",
            "–" if apart is None else f"{cores * ms[1] / apart:.2f}×",
            "–" if serial is None else f"{serial:.0%}",
        ])  # fmt: skip
    head = ["milliseconds a step; threads:", *map(str, counts), f"{cores} threads",
            f"{cores} jobs", "serial part"]  # fmt: skip
    return table(head, rows)


def report_table(found: dict) -> str:
    counts = sorted({n for row in found["report_seconds"].values() for n in row})
    rows = [[name, *cells(row, counts, 3)] for name, row in found["report_seconds"].items()]
    return table(["the report, seconds a batch; threads:", *map(str, counts)], rows)


def waiting_table(found: dict) -> str:
    """Milliseconds of a step of `SHORT`, alone and beside a second training on the same cores."""
    ms: dict[tuple, dict] = {}
    for row in found["waiting"]:
        ms.setdefault((row["how"], row["jobs"]), {})[row["threads"]] = row["ms"]
    counts = sorted({row["threads"] for row in found["waiting"]})
    rows = [[f"{how}{', beside a second job' if jobs > 1 else ''}", *cells(row, counts, 2)]
            for (how, jobs), row in ms.items()]  # fmt: skip
    return table([f"{SHORT}, milliseconds a step; threads:", *map(str, counts)], rows)


def parts_table(found: dict) -> str:
    """Parts of over 3 % of a LeNet-like step, and how near each is to the machine's limit. What
    multiplies nothing and stays in a cache has none.
    """
    name = profiled(found)
    step = sum(part["ms"] for part in found["profiles"][name])
    rows = [[part["part"], f"{part['ms']:.3f}",
             f"{part['of_limit']:.0%}" if part["of_limit"] else "–"]
            for part in found["profiles"][name] if part["ms"] >= 0.03 * step]  # fmt: skip
    return table([f"{name}, {step:.2f} ms", "ms", "of the limit"], rows)


def profiled(found: dict) -> str:
    names = [*found["profiles"]]
    return next((n for n in ("numba lenet b64", "numba mnist b64") if n in names), names[0])


def cells(ms: dict[int, float], counts: list[int], digits: int) -> list[str]:
    return [f"{ms[n]:.{digits}f}" if n in ms else "–" for n in counts]


def plot(report: dict) -> Figure:
    """Ours, the report's, how threads wait, and the share of the limit of each layer."""
    figure = Figure(figsize=(10, 9), layout="constrained")
    ours, theirs, waits, limits = figure.subplots(2, 2).flat
    for (line, marker), row in zip(STYLES, report["scaling"]):
        speed_up(ours, row["ms"], f"{row['backend']} {row['work']}", line, marker)
        if row["serial_fraction"] is not None:
            n, s = np.linspace(1, max(row["ms"])), row["serial_fraction"]
            ours.plot(n, 1 / (s + (1 - s) / n), color="0.75", linestyle=line, zorder=0)
    ours.axvline(CORES, color="0.6", linewidth=1)
    ours.set_title(f"here: speed-up ({CORES} cores); grey: Amdahl's law")
    for axes in (ours, theirs):
        axes.plot([1, 8], [1, 8], color="0.6", linewidth=3, alpha=0.5, label="ideal", zorder=0)
        axes.set_yscale("log")
        plain_ticks(axes.yaxis)
    for (line, marker), (name, seconds) in zip(STYLES, REPORT.items()):
        speed_up(theirs, seconds, name, line, marker)
    theirs.axvline(4, color="0.6", linewidth=1)
    theirs.set_title("the report: speed-up (4 cores)")
    for axes in (ours, theirs):
        axes.set(xlabel="threads (the vertical line: cores)", ylabel="speed-up over one thread")
    theirs.legend(fontsize=8)
    ours.legend(fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.15))
    for (_, marker), how in zip(STYLES, WAITING):
        for jobs, line in ((1, "-"), (2, "--")):
            rows = [r for r in report["waiting"] if (r["how"], r["jobs"]) == (how, jobs)]
            waits.plot([r["threads"] for r in rows], [r["ms"] for r in rows], color="black",
                       linestyle=line, marker=marker, fillstyle="full" if jobs == 1 else "none",
                       label=f"{how}, {'alone' if jobs == 1 else 'two jobs'}")  # fmt: skip
    waits.set(title=f"how threads wait: numba {SHORT}", xlabel="threads of each job",
              ylabel="time of a training step (ms)", xscale="log", yscale="log")  # fmt: skip
    waits.set_xticks(sorted({r["threads"] for r in report["waiting"]}) or [1])
    waits.xaxis.set_major_formatter("{x:.0f}")
    waits.yaxis.set_major_formatter("{x:g}")
    waits.minorticks_off()
    waits.legend(fontsize=8, ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.15))
    name = profiled(report)
    step = sum(p["ms"] for p in report["profiles"][name])
    shown = [p for p in report["profiles"][name] if p["ms"] >= 0.02 * step]
    limits.barh([p["part"] for p in shown], [100 * p["of_limit"] for p in shown], color="0.6",
                edgecolor="black")  # fmt: skip
    limits.axvline(100, color="black", linestyle="--", linewidth=1)
    limits.invert_yaxis()
    limits.tick_params(axis="y", labelsize=8)
    limits.set(title=f"{name}: parts of a step", xlabel="share of the machine's limit (%)")
    return figure


def speed_up(axes, times: dict, label: str, line: str, marker: str) -> None:
    counts = list(times)
    axes.plot(counts, [times[1] / times[n] for n in counts], color="black", linestyle=line,
              marker=marker, markerfacecolor="white", label=label)  # fmt: skip
    axes.set_xscale("log")
    axes.set_xticks([1, 2, 4, 8])
    axes.xaxis.set_major_formatter("{x:.0f}")
    axes.minorticks_off()


if __name__ == "__main__":
    main()
