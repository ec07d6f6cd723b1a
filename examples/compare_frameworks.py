"""Whole training steps of minicnn, PyTorch, TensorFlow (Keras) and JAX on the same cores.

Eight networks: the same layers, batch, loss and optimiser for all, random data in memory; a step is
forward, loss, backward and update. Every framework runs in a process of its own, pinned to the same
cores; they take turns in rounds, and a figure is the median over the rounds. A framework that is
not installed is a gap in the table. --backend cuda compares on a GPU instead (frameworks/gpu.py).
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path
from statistics import geometric_mean, median

import numpy as np
from duration import say_how_long
from frameworks.gpu import compare_on_gpu
from frameworks.minicnn_step import training_flops
from frameworks.workloads import WORKLOADS, Workload
from matplotlib.figure import Figure
from options import at_least, chosen_backends, parser
from results import counted, keep, plain_ticks, table
from tqdm import tqdm

from minicnn.backends.numba.peak import multiply_add_rate

# column: (module that must be installed, its worker, backend or memory layout)
RUNNERS = {
    "numpy": ("numpy", "minicnn", "numpy"),
    "numba": ("numba", "minicnn", "numba"),
    "torch": ("torch", "torch", "nchw"),
    "torch nhwc": ("torch", "torch", "nhwc"),
    "tensorflow": ("tensorflow", "keras", "nhwc"),
    "jax": ("jax", "jax", "nhwc"),
    "jax nchw": ("jax", "jax", "nchw"),
}
OURS = ("numpy", "numba")
LENET_5 = "lenet-5 b64"
HOLLOW = {"color": "0.35", "fillstyle": "none"}
LOOKS = {  # minicnn's are filled and coloured
    "numpy": {"color": "#d55e00", "marker": "s"}, "numba": {"color": "#0072b2", "marker": "o"},
    "torch": HOLLOW | {"marker": "v"}, "torch nhwc": HOLLOW | {"marker": "^"},
    "tensorflow": HOLLOW | {"marker": "D"}, "jax": HOLLOW | {"marker": "x"},
    "jax nchw": HOLLOW | {"marker": "+"},
}  # fmt: skip


def main() -> None:
    options = parser(__doc__, "threads out quick")
    options.add_argument("--backend", choices=["cuda"], help="compare on a GPU instead")
    options.add_argument("--rounds", type=at_least(1), default=7)
    options.add_argument("--seconds", type=float, default=0.3, help="of each turn")
    names = [w.name for w in WORKLOADS]
    options.add_argument("--workloads", nargs="*", choices=names, default=names)
    options = options.parse_args()
    if options.quick:
        options.rounds, options.workloads = 3, ["mnist b64", "fashion mlp b32"]
    if options.backend == "cuda":
        chosen_backends(options)
        return compare_on_gpu(options, compare)
    runners = {name: r for name, r in RUNNERS.items() if find_spec(r[0])}
    missing = sorted({r[0] for r in RUNNERS.values()} - {r[0] for r in runners.values()})
    print("not installed: " + ", ".join(missing) if missing else "all frameworks are installed")
    works = [w for w in WORKLOADS if w.name in options.workloads]
    cores = len(os.sched_getaffinity(0))
    counts = [options.threads] if options.threads else sorted({1, cores})
    turns = len(works) * len(counts) * options.rounds * len(runners)
    starting = len(works) * len(counts) * len(runners) * 0.04  # where TensorFlow and JAX compile
    say_how_long(options, turns * (options.seconds + 0.1) / 60 + starting)
    results = []
    with tqdm(total=turns, disable=None) as bar:
        for work in works:  # compiled beforehand: a compiler's memory is not a step's
            bar.set_description(f"{work.name}, compiling")
            start(RUNNERS["numba"], work, cores).communicate()
        for threads in counts:
            for work in works:
                results += compare([work], threads, runners, options, bar)
    report = {"peak_gflops": {n: multiply_add_rate(n) / 1e9 for n in counts}, "runs": results}
    path = keep(options, "compare_frameworks", report, plot(report))
    tables = [steps_table(report), ratios_table(report)]
    if any(run["workload"] == LENET_5 for run in results):
        tables.append(epochs_table(report))
    print("\n" + "\n\n".join(tables), f"\n\n{path} and .png")


def compare(
    works: list[Workload], threads: int, runners: dict, options, bar: tqdm, variables=None
) -> list[dict]:
    """Median milliseconds and peak memory of every runner at every workload.

    All are started together and take turns in rounds. variables: more environment for some of the
    runners, by name.
    """
    more, jobs = variables or {}, [(work, name) for work in works for name in runners]
    workers = [start(runners[name], work, threads, **more.get(name, {})) for work, name in jobs]
    try:
        first = [first_answer(name, worker, work) for worker, (work, name) in zip(workers, jobs)]
        turns: list[list[dict]] = [[] for _ in jobs]
        for _ in range(options.rounds):
            for worker, (work, name), answers in zip(workers, jobs, turns):
                bar.set_description(f"{work.name}, {threads} threads, {name}")
                time.sleep(0.1)  # until the threads of the one before have gone to sleep
                print(options.seconds, file=worker.stdin, flush=True)
                answers.append(json.loads(worker.stdout.readline()))
                bar.update()
    finally:
        for worker in workers:
            worker.stdin.close()
            worker.wait()
            worker.errors.close()
    return [
        {
            "workload": work.name,
            "threads": threads,
            "flops": training_flops(work),
            "ms": {n: median(t["ms"] for t in ts) for (w, n), ts in zip(jobs, turns) if w is work},
            "peak_mb": {n: ts[-1]["peak_mb"] for (w, n), ts in zip(jobs, turns) if w is work},
            "first_steps_s": {n: f["first_steps"] for (w, n), f in zip(jobs, first) if w is work},
        }
        for work in works
    ]


def first_answer(name: str, worker: subprocess.Popen, work: Workload) -> dict:
    """What a worker says of its first steps; RuntimeError with its last words if it died."""
    line = worker.stdout.readline()
    if not line:
        worker.errors.seek(0)
        words = worker.errors.read()[-2000:]
        raise RuntimeError(f"{name} failed on {work.name}:\n{words}")
    return json.loads(line)


def start(
    runner: tuple[str, str, str], work: Workload, threads: int, cores: int = 0, **variables: str
) -> subprocess.Popen:
    """A worker process, on as many cores as threads if not told; variables: of its environment."""
    _, framework, variant = runner
    script = Path(__file__).parent / "frameworks" / "worker.py"
    environment = os.environ | {
        "OMP_NUM_THREADS": str(threads),
        "OPENBLAS_NUM_THREADS": str(threads),
        "TF_CPP_MIN_LOG_LEVEL": "3",
        "JAX_PLATFORMS": "cpu",
        **variables,
    }
    if not variant.startswith("cuda"):
        environment["CUDA_VISIBLE_DEVICES"] = ""
    errors = tempfile.TemporaryFile("w+")  # noqa: SIM115 - it lives as long as the worker
    worker = subprocess.Popen(
        [sys.executable, str(script), framework, variant, work.name, str(threads),
         str(cores or threads)],
        env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors, text=True,
    )  # fmt: skip
    worker.errors = errors
    return worker


def steps_table(found: dict) -> str:
    """Milliseconds a step; the best peer over numba; numba's share of the machine's peak."""
    names = [name for name in RUNNERS if any(name in run["ms"] for run in found["runs"])]
    tables = []
    for threads in sorted({run["threads"] for run in found["runs"]}):
        rate, rows = found["peak_gflops"][threads], []
        mine = [run for run in found["runs"] if run["threads"] == threads]
        for run in mine:
            ms, mb, ratio = run["ms"], run["peak_mb"], over_numba(run)
            rows.append([
                run["workload"], *(f"{ms[n]:.2f}" if n in ms else "–" for n in names),
                f"{ratio:.2f}" if ratio else "–", f"{run['flops'] / ms['numba'] / 1e6 / rate:.0%}",
                f"{mb['numba']:.0f}/{mb['torch']:.0f}" if "torch" in mb else "–",
            ])  # fmt: skip
        ratios = [ratio for run in mine if (ratio := over_numba(run))]
        if ratios:
            mean = f"{geometric_mean(ratios):.2f}"
            rows.append(["geometric mean", *[""] * len(names), mean, "", ""])
        head = [f"{counted(threads, 'thread')}, ms a step", *names, "best/numba", "of the peak",
                "MB numba/torch"]  # fmt: skip
        tables.append(f"{table(head, rows)}\n\nThe peak: {rate:.0f} GFLOP/s.")
    return "\n\n".join(tables)


def over_numba(run: dict) -> float | None:
    """How many times as long as numba the best of the other frameworks takes."""
    best = min((ms for name, ms in run["ms"].items() if name not in OURS), default=None)
    return best and best / run["ms"]["numba"]


def ratios_table(found: dict) -> str:
    """The best peer over numba at each number of threads; numba's most threads against fewest."""
    counts = sorted({run["threads"] for run in found["runs"]})
    runs = {(run["workload"], run["threads"]): run for run in found["runs"]}
    rows, columns = [], [[over_numba(r) for r in runs.values() if r["threads"] == n]
                         for n in counts]  # fmt: skip
    for name in dict.fromkeys(name for name, _ in runs):
        few, many = (runs[name, n]["ms"]["numba"] for n in (counts[0], counts[-1]))
        ratios = (over_numba(runs[name, n]) for n in counts)
        rows.append([name, *(f"{r:.2f}" if r else "–" for r in ratios), f"{few / many:.2f}"])
    means = (f"{geometric_mean(column):.2f}" if all(column) else "–" for column in columns)
    rows.append(["geometric mean", *means, ""])
    head = ["best/numba", *(counted(n, "thread") for n in counts),
            f"numba: {counts[-1]} against {counts[0]}"]  # fmt: skip
    return table(head, rows)


def epochs_table(found: dict) -> str:
    """The network that SimpleChains.jl publishes figures of: 60,000 images, and rate a core."""
    runs = [run for run in found["runs"] if run["workload"] == LENET_5]
    rows = []
    for run in runs:
        for name, ms in run["ms"].items():
            steps = 60_000 / int(LENET_5.rpartition("b")[2])
            rate = run["flops"] / ms / 1e6 / run["threads"]
            rows.append([name, str(run["threads"]), f"{steps * ms / 1e3:.2f}", f"{rate:.1f}"])
    return table(["LeNet-5", "threads", "60,000 images, s", "GFLOP/s a core"], rows)


def plot(report: dict) -> Figure:
    """A dot per framework on a line per workload, a panel per number of threads; log scale."""
    runs = report["runs"]
    counts = sorted({run["threads"] for run in runs})
    figure = Figure(figsize=(5 * len(counts), 4.5), layout="constrained")
    panels = figure.subplots(1, len(counts), sharey=True, squeeze=False)[0]
    for axes, threads in zip(panels, counts):
        mine = [run for run in runs if run["threads"] == threads]
        for name, look in LOOKS.items():
            ms = [run["ms"].get(name, np.nan) for run in mine]
            if not np.isnan(ms).all():
                axes.plot(ms, range(len(mine)), linestyle="", label=name, **look)
        axes.set_yticks(range(len(mine)), [run["workload"] for run in mine])
        axes.set_title(counted(threads, "thread"))
        axes.set(xscale="log", xlabel="time of a training step (ms)")
        plain_ticks(axes.xaxis)
        axes.tick_params(axis="x", labelsize=8)
        axes.grid(color="0.9")
    panels[0].invert_yaxis()
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=7)
    return figure


if __name__ == "__main__":
    main()
