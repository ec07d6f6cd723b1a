"""How far in how little time? MNIST with everything that helps, on the clock.

A LeNet-like network with BatchNorm and dropout, trained with Adam on a one-cycle schedule; every
epoch sees the digits moved, turned and scaled anew. After each epoch the 10,000 test digits are
judged. Two runs: a long one for the best accuracy, a short one for the fastest way to 99 %.
"""

from time import perf_counter

import numpy as np
from duration import say_how_long
from matplotlib.figure import Figure
from options import chosen_backends, parser
from results import keep, plain_ticks, table

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


def network(first: int, second: int, seed: int) -> Sequential:
    return Sequential(
        Conv2D(1, first, 5, padding=2, bias=False), BatchNorm(first), ReLU(), MaxPool2D(2),
        Conv2D(first, second, 5, padding=2, bias=False), BatchNorm(second), ReLU(), MaxPool2D(2),
        Flatten(), Dropout(0.3), Dense(second * 49, 128, bias=False), BatchNorm(128), ReLU(),
        Dropout(0.3), Dense(128, 10), seed=seed,
    )  # fmt: skip


def main() -> None:
    options = parser(__doc__, epochs=14)
    options.set_defaults(backend="numba")
    options = options.parse_args()
    (backend,) = chosen_backends(options)
    digits, test = load_mnist(options.data)
    if options.quick:
        digits, test, options.epochs = digits[:1500], test[:1000], 2
    say_how_long(options, minutes=0.5 * options.epochs)
    # name: (filters, epochs, learning rate, augmentation)
    runs = {
        "best": ((32, 64), options.epochs, 4e-3, RandomAffine(shift=2, rotation=10, scale=0.1)),
        "fast": ((16, 32), min(3, options.epochs), 1e-2, None),
    }
    results = {}
    for name, (filters, epochs, lr, augment) in runs.items():
        start = perf_counter()
        history = fit(
            network(*filters, options.seed).to(backend), SoftmaxCrossEntropy(), Adam(lr), digits,
            test, epochs=epochs, batch_size=64, seed=options.seed, schedule=OneCycle(epochs),
            augment=augment,
        )  # fmt: skip
        results[name] = clocked(history, perf_counter() - start)
    found = {"backend": backend, "runs": results}
    path = keep(options, "best_mnist", found, plot(results))
    print(f"{levels_table(found)}\n\n{path} and .png")


def clocked(history: History, seconds: float) -> dict:
    """Accuracy against the clock, which runs from the start of training to each epoch's end."""
    elapsed = [float(total) for total in np.cumsum(history["seconds"])]
    return {"accuracy": history["validation_accuracy"], "elapsed_s": elapsed, "seconds": seconds}


def levels_table(found: dict) -> str:
    """The last accuracy, and when each of two levels was first reached."""
    rows = []
    for name, run in found["runs"].items():
        epochs = list(zip(run["accuracy"], run["elapsed_s"]))
        reached = [next((f"{s:.0f}" for a, s in epochs if a >= level), "–") for level in LEVELS]
        rows.append([f"{name}: {len(epochs)} epochs", f"{run['accuracy'][-1]:.2%}",
                     f"{run['seconds']:.0f}", *reached])  # fmt: skip
    return table(["run", "right", "s in all", *(f"{level:.1%} after, s" for level in LEVELS)], rows)


def plot(results: dict) -> Figure:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for (name, run), style in zip(results.items(), ("o-", "s--")):
        errors = [100 * (1 - a) for a in run["accuracy"]]
        axes.plot(run["elapsed_s"], errors, style, color="black", label=name)
    for level in LEVELS:
        axes.axhline(100 * (1 - level), color="0.6", linewidth=0.8)
        axes.annotate(
            f"{level:.1%} right", (0.99, 100 * (1 - level)), xycoords=("axes fraction", "data"),
            ha="right", va="bottom", fontsize=8,
        )  # fmt: skip
    axes.set_yscale("log")
    plain_ticks(axes.yaxis)
    axes.set_xlabel("time since training began (s)")
    axes.set_ylabel("test digits taken for others (%)")
    axes.legend()
    return figure


if __name__ == "__main__":
    main()
