"""How far in how little time? MNIST with everything that helps, on the clock.

A network with residual blocks, BatchNorm and dropout, trained with Adam on a one-cycle schedule;
every epoch sees the digits moved, turned and scaled anew, and labels are smoothed. After each epoch
the 10,000 test digits are judged. Two recipes: a long one for the best accuracy, from three seeds,
and a short one for the fastest way to 99 %. --quick: a few digits, two epochs, one seed.
"""

from collections.abc import Sequence
from statistics import median
from time import perf_counter

import numpy as np
from duration import say_how_long
from matplotlib.figure import Figure
from networks import deepest
from options import chosen_backends, parser
from overview import over_seeds
from results import counted, keep, plain_ticks, table

from minicnn import (
    Adam,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    History,
    MaxPool2D,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    fit,
)  # fmt: skip
from minicnn.data import RandomAffine, load_mnist
from minicnn.schedules import OneCycle

LEVELS = 0.99, 0.994


def normalised_lenet(seed: int) -> Sequential:
    return Sequential(
        Conv2D(1, 16, 5, padding=2, bias=False), BatchNorm(16), ReLU(), MaxPool2D(2),
        Conv2D(16, 32, 5, padding=2, bias=False), BatchNorm(32), ReLU(), MaxPool2D(2),
        Flatten(), Dropout(0.3), Dense(32 * 49, 128, bias=False), BatchNorm(128), ReLU(),
        Dropout(0.3), Dense(128, 10), seed=seed,
    )  # fmt: skip


def main() -> None:
    options = parser(__doc__, backend="numba", epochs=20).parse_args()
    (backend,) = chosen_backends(options)
    digits, test = load_mnist(options.data)
    seeds = [options.seed + k for k in range(3)]
    if options.quick:
        digits, test, options.epochs, seeds = digits[:1000], test[:1000], 2, seeds[:1]
    say_how_long(options, minutes=0.75 * options.epochs)
    moved = RandomAffine(shift=3, rotation=15, scale=0.15)
    found: dict = {"backend": backend, "runs": {"best": [], "fast": []}}
    for seed in seeds:
        network = deepest(16, seed).to(backend)
        found["runs"]["best"].append(train(
            network, Adam(4e-3), digits, test, epochs=options.epochs, seed=seed, augment=moved,
            loss=SoftmaxCrossEntropy(label_smoothing=0.1),
        ))  # fmt: skip
    found["runs"]["fast"].append(train(
        normalised_lenet(options.seed).to(backend), Adam(1e-2), digits, test,
        epochs=min(3, options.epochs), seed=options.seed,
    ))  # fmt: skip
    path = keep(options, "best_mnist", found, plot_errors(found, LEVELS))
    print(f"{levels_table(found)}\n\n{path} and .png")


def train(network, optimizer, train, test, epochs, seed, augment=None, loss=None) -> dict:
    """One cycle, judged after each epoch; batches of 64."""
    start = perf_counter()
    history = fit(
        network, loss or SoftmaxCrossEntropy(), optimizer, train, test, epochs=epochs,
        batch_size=64, seed=seed, schedule=OneCycle(epochs), augment=augment,
    )  # fmt: skip
    return clocked(history, perf_counter() - start)


def clocked(history: History, seconds: float) -> dict:
    """Accuracy against the clock, which runs from the start of training to each epoch's end."""
    elapsed = [float(total) for total in np.cumsum(history["seconds"])]
    return {"accuracy": history["validation_accuracy"], "elapsed_s": elapsed, "seconds": seconds}


def levels_table(found: dict) -> str:
    """The last accuracy, and when each of two levels was first reached (medians over the seeds)."""
    rows = []
    for name, runs in found["runs"].items():
        reached = [seconds_to(level, runs) for level in LEVELS]
        right = f"{over_seeds([{'accuracy': run['accuracy'][-1]} for run in runs])} %"
        epochs, seeds = counted(len(runs[0]["accuracy"]), "epoch"), counted(len(runs), "seed")
        seconds = median(run["seconds"] for run in runs)
        rows.append([f"{name}: {epochs}, {seeds}", right, f"{seconds:.0f}", *reached])
    return table(["run", "right", "s in all", *(f"{level:.1%} after, s" for level in LEVELS)], rows)


def seconds_to(level: float, runs: list[dict]) -> str:
    """– where a run never got there."""
    times = [
        next((s for a, s in zip(run["accuracy"], run["elapsed_s"]) if a >= level), None)
        for run in runs
    ]
    return "–" if None in times else f"{median(times):.0f}"


def plot_errors(found: dict, levels: Sequence[float]) -> Figure:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for (name, runs), style in zip(found["runs"].items(), ("o-", "s--")):
        for run in runs:
            errors = [100 * (1 - a) for a in run["accuracy"]]
            axes.plot(run["elapsed_s"], errors, style, color="black", linewidth=0.8, markersize=4,
                      label=name if run is runs[0] else None)  # fmt: skip
    for level in levels:
        axes.axhline(100 * (1 - level), color="0.6", linewidth=0.8)
        axes.annotate(
            f"{level:.1%} right", (1.01, 100 * (1 - level)), xycoords=("axes fraction", "data"),
            va="center", fontsize=8,
        )  # fmt: skip
    axes.set_yscale("log")
    plain_ticks(axes.yaxis)
    axes.set_xlabel("time since training began (s)")
    axes.set_ylabel("test error (%)")
    axes.legend()
    return figure


if __name__ == "__main__":
    main()
