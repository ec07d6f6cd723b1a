"""One convolution, a rung at a time: from plain Python loops to the library's kernel.

    y[n,f,i,j] = Σ_{c,u,v} w[f,c,u,v] · x[n, c, i+u, j+v]

Every rung (ladder_rungs.py) computes the same numbers, is checked against the first, and is then
timed. Layouts are changed beforehand, as the library keeps batches in its own. docs/ladder.md
explains what each rung changes.
"""

import os
from math import nan
from statistics import median
from time import perf_counter

import numpy as np
from duration import say_how_long
from ladder_rungs import Rung, rungs
from matplotlib.figure import Figure
from options import parser
from results import counted, keep, table
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from minicnn import Conv2D, backends, set_threads
from minicnn.backends.numba.peak import multiply_add_rate

CHANNELS, FILTERS, TAPS, SIDE, IMAGES = 16, 32, 5, 20, 128


def convolved(rung: Rung, x, w, repeats: int = 0):
    """What a rung computes, and the median seconds of `repeats` further calls."""
    oh, ow = x.shape[2] - w.shape[2] + 1, x.shape[3] - w.shape[3] + 1
    y = np.full((len(x), len(w), oh, ow), nan, x.dtype)
    if getattr(rung.run, "prepares", False):
        compute, collect = rung.run(x, w, y)
    else:
        compute, collect = lambda: rung.run(x, w, y), lambda: None
    times = []
    with threadpool_limits(rung.threads, user_api="blas"):
        set_threads(rung.threads)
        for call in range(repeats + 1):
            start = perf_counter()
            compute()
            if call or not repeats:  # the first may compile
                times.append(perf_counter() - start)
    collect()
    return y, median(times)


def main() -> None:
    options = parser(__doc__, "threads seed out quick").parse_args()
    say_how_long(options, minutes=0.2)
    threads = options.threads or len(os.sched_getaffinity(0))
    rng = np.random.default_rng(options.seed)
    images = IMAGES // 4 if options.quick else IMAGES
    x = rng.standard_normal((images, CHANNELS, SIDE, SIDE), np.float32)
    w = rng.standard_normal((FILTERS, CHANNELS, TAPS, TAPS), np.float32)
    flops = 2 * w.size * (SIDE - TAPS + 1) ** 2  # of an image
    limits = {n: multiply_add_rate(n) / 1e9 for n in {1, threads}}
    wanted, rows = None, []
    for rung in tqdm(rungs(threads, images), disable=None):
        found, seconds = convolved(rung, x[: rung.images], w, rung.repeats)
        wanted = found if wanted is None else wanted
        # Sums of 400 products of float32, in other orders or ways: a few roundings.
        np.testing.assert_allclose(found[:1], wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())
        rate = flops * rung.images / seconds / 1e9
        rows.append({"rung": rung.name, "threads": rung.threads, "images": rung.images,
                     "ms": 1e3 * seconds, "gflops": rate})  # fmt: skip
    if "cuda" in backends.available():
        rows += gpu_rungs(x, w, flops * images)
    else:
        print("cuda: no GPU here, so its rungs are missing (docs/cuda-kernels.md has them)")
    report = {"peak_gflops": limits, "rungs": rows}
    path = keep(options, "ladder", report, plot(rows, limits))
    print(f"\n{rungs_table(report)}\n\n{path} and .png")
    if limits[threads] < limits[1]:
        print(f"{threads} threads reached less than one alone: other programs use these cores, and "
              "the rates say little")  # fmt: skip


def gpu_rungs(x, w, flops: int) -> list[dict]:
    from cuda_convolution import run, rungs

    layer = Conv2D(w.shape[1], len(w), w.shape[2:], bias=False)
    layer.weight.value = w
    window, rows = layer.window(x.shape[1:]), []
    for name, rung in rungs(layer, window).items():
        _, ms = run(name, rung, layer, window, x, 20)
        rows.append({"rung": f"cuda, {name}", "threads": 0, "images": len(x), "ms": ms,
                     "gflops": flops / ms / 1e6})  # fmt: skip
    return rows


def rungs_table(found: dict) -> str:
    """Rate of every rung, the gain over the one below, the share of what registers can do."""
    rows, below = [], None
    for number, rung in enumerate(found["rungs"], start=1):
        rate, limit = rung["gflops"], found["peak_gflops"].get(rung["threads"])
        rows.append([
            f"{number} {rung['rung']}", str(rung["threads"] or "GPU"), str(rung["images"]),
            f"{rung['ms']:.2f}", f"{rate:.3g}" if rate < 1000 else f"{rate:,.0f}",
            gain(rate / below) if below else "",
            f"{rate / limit:.2%}" if limit else "–",
        ])  # fmt: skip
        below = rate
    head = ["rung", "threads", "images", "ms", "GFLOP/s", "gain", "of the peak"]
    return table(head, rows)


def gain(ratio: float) -> str:
    return f"{ratio:.0f}×" if ratio >= 10 else f"{ratio:.1f}×" if ratio >= 1 else f"{ratio:.2f}×"


def plot(rows: list[dict], limits: dict) -> Figure:
    figure = Figure(figsize=(8, 3.8), layout="constrained")
    axes = figure.add_subplot()
    names = [f"{number} {row['rung']}" for number, row in enumerate(rows, start=1)]
    rates = [row["gflops"] for row in rows]
    axes.plot(rates, range(len(rows)), "ko:", linewidth=0.8)
    for place, rate in enumerate(rates):
        text = f"{rate:.2g}" if rate < 10 else f"{rate:.0f}"
        axes.annotate(text, (rate, place), (8, 0), textcoords="offset points", va="center",
                      bbox={"facecolor": "white", "edgecolor": "none", "pad": 1})  # fmt: skip
    for threads, rate in limits.items():
        axes.axvline(rate, color="black", linestyle="--" if threads == 1 else ":",
                     label=f"peak of {counted(threads, 'thread')}")  # fmt: skip
    axes.set_yticks(range(len(rows)), names)
    axes.invert_yaxis()
    axes.set(xscale="log", xlabel="rate (GFLOP/s)", title="one convolution, a rung at a time")
    axes.set_xlim(right=6 * max(rates))
    axes.grid(axis="y", color="0.9")
    axes.legend(fontsize=8, loc="lower left")
    return figure


if __name__ == "__main__":
    main()
