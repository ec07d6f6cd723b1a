"""How far in how little time? MNIST with everything that helps, on the clock.

A LeNet-like network with BatchNorm and dropout, trained with Adam on a one-cycle schedule; every
epoch sees the digits moved, turned and scaled anew. After each epoch the 10,000 test digits are
judged. Two runs: a long one for the best accuracy, a short one for the fastest way to 99 %.
"""

from time import perf_counter

from matplotlib.figure import Figure
from options import chosen_backends, parser
from results import save

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
    plotting,
)  # fmt: skip
from minicnn.data import RandomAffine, load_mnist
from minicnn.schedules import OneCycle


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
        digits, options.epochs = digits[:6000], 3
    print(f"about {options.epochs // 3 + 1} minutes with numba on two cores", flush=True)
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
        results[name] = report(name, history, perf_counter() - start)
    path = options.out / "best_mnist.json"
    save(path, {"backend": backend, "runs": results})
    plotting.save(plot(results), path.with_suffix(".png"))
    print(f"{path.resolve()} and .png")


def report(name: str, history: History, seconds: float) -> dict:
    """Accuracy against the clock, which runs from the start of training to each epoch's end."""
    accuracy, elapsed, total = history["validation_accuracy"], [], 0.0
    for epoch_seconds in history["seconds"]:
        total += epoch_seconds
        elapsed.append(total)
    print(f"{name}: {accuracy[-1]:.2%} of the test digits after {seconds:.0f} s")
    for level in (0.99, 0.994):
        reached = next((s for s, a in zip(elapsed, accuracy) if a >= level), None)
        if reached is not None:
            print(f"    {level:.1%} after {reached:.0f} s")
    return {"accuracy": accuracy, "elapsed_s": elapsed, "seconds": seconds}


def plot(results: dict) -> Figure:
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.add_subplot()
    for (name, run), style in zip(results.items(), ("o-", "s--")):
        errors = [100 * (1 - a) for a in run["accuracy"]]
        axes.plot(run["elapsed_s"], errors, style, color="black", label=name)
    for level in (1.0, 0.6):
        axes.axhline(level, color="0.6", linewidth=0.8)
        axes.annotate(
            f"{100 - level:.1f} % right", (0.99, level), xycoords=("axes fraction", "data"),
            ha="right", va="bottom", fontsize=8,
        )  # fmt: skip
    axes.set_yscale("log")
    axes.set_xlabel("time since training began (s)")
    axes.set_ylabel("test digits taken for others (%)")
    axes.legend()
    return figure


if __name__ == "__main__":
    main()
