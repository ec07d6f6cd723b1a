"""Fashion-MNIST: the report's dense network, where its seconds go, and a CNN on the same data.

The report ("CPU against GPU") trained 784-128-10 with Adam at batch 32 for ten epochs in Keras:
87.38 % of the test images right, 82 s on a CPU, 48 s on a GPU. Here the same network trains on
every backend that can run, from three seeds. --quick: a tenth of the images, two epochs, one seed.
"""

import json
from statistics import mean, stdev

import numpy as np
from backends_table import table, train
from matplotlib.figure import Figure
from networks import fashion_mlp, lenet
from options import chosen_backends, parser

from minicnn import Adam, SoftmaxCrossEntropy, backends, plotting
from minicnn.data import load_fashion_mnist
from minicnn.files import whole_file
from minicnn.schedules import OneCycle
from minicnn.timing import profile

# The report's log: its first and last epoch, its test set, and its seconds for all ten epochs.
REPORT = {
    "train_loss": (0.4997, 0.2402), "train_accuracy": (0.8271, 0.9100),
    "test_loss": 0.3549, "test_accuracy": 0.8738, "cpu_s": 82.3, "gpu_s": 48.2,
}  # fmt: skip


def main() -> None:
    options = parser(__doc__, epochs=10)
    options.set_defaults(backend="all")
    options = options.parse_args()
    clothes, test = load_fashion_mnist(options.data)
    seeds = [options.seed + k for k in range(3)]
    if options.quick:
        clothes, options.epochs, seeds = clothes[:6000], 2, seeds[:1]
    names = chosen_backends(options)
    print(f"{len(seeds)} trainings on each of {', '.join(names)}, then a CNN: a few minutes")
    for name in (n for n in backends.NAMES if n not in names):
        print(f"no row for {name}: it was not asked for, or cannot run here (python -m minicnn)")

    runs = {
        name: [
            train(fashion_mlp(seed), name, lambda: Adam(1e-3), clothes, test, options.threads,
                  epochs=options.epochs, batch_size=32, seed=seed)
            for seed in seeds
        ]
        for name in names
    }  # fmt: skip
    print("\nthe report's network; a row is the seed with the middle time\n")
    middle = [sorted(r, key=lambda run: run.epoch_seconds)[len(r) // 2] for r in runs.values()]
    print(table(middle))
    print(f"the report's ten epochs: {REPORT['cpu_s']} s on a CPU, {REPORT['gpu_s']} s on a GPU")
    fastest = runs[names[-1]]
    print(beside_the_report([run.history.columns for run in fastest], fastest))

    print(f"\nwhere a step's time goes on {names[-1]}\n")
    network = fashion_mlp(options.seed).to(names[-1])
    batch = clothes[:32]
    found = profile(network, SoftmaxCrossEntropy(), Adam(1e-3), batch.images, batch.labels)
    print(found)

    epochs = min(options.epochs, 6)
    cnn = train(lenet(options.seed), names[-1], lambda: Adam(3e-3), clothes, test, options.threads,
                epochs=epochs, batch_size=64, seed=options.seed,
                schedule=OneCycle(epochs))  # fmt: skip
    print(f"\na CNN on the same images, {epochs} epochs on {names[-1]}\n{table([cnn])}")
    save(options.out, runs, cnn, test)


def beside_the_report(histories: list[dict], runs: list) -> str:
    """First and last epoch and the test set, mean and standard deviation over the seeds."""
    accuracies = [run.found.accuracy for run in runs]
    rows = [
        (f"{name.replace('_', ' ')}, {when} epoch", [h[name][k] for h in histories], said[k])
        for name, said in list(REPORT.items())[:2]
        for k, when in ((0, "first"), (-1, "last"))
    ]
    rows.append(("test loss", [run.found.loss for run in runs], REPORT["test_loss"]))
    rows.append(("test accuracy", accuracies, REPORT["test_accuracy"]))
    lines = [f"\n{'':30}{'here':>9}{'± (seeds)':>11}{'report':>9}"]
    for label, values, said in rows:
        spread = f"{stdev(values):.4f}" if len(values) > 1 else "–"
        lines.append(f"{label:30}{mean(values):9.4f}{spread:>11}{said:9.4f}")
    return "\n".join(lines)


def save(folder, runs: dict, cnn, test) -> None:
    report = {
        name: [run.history.columns | {"test_accuracy": run.found.accuracy} for run in of_backend]
        for name, of_backend in runs.items()
    }
    report["cnn"] = cnn.history.columns | {"test_accuracy": cnn.found.accuracy}
    path = folder / "fashion_mnist.json"
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps(report, indent=1) + "\n")
    last = list(runs.values())[-1][0]
    plotting.save(curves(last.history.columns), path.with_suffix(".png"))
    confusion = plotting.confusion_matrix(cnn.found.confusion, test.classes)
    plotting.save(confusion, folder / "fashion_mnist-confusion.png")
    captions = [test.classes[label] for label in test.labels[:25]]
    grid = plotting.image_grid(test.images[:25], captions, columns=5)
    plotting.save(grid, folder / "fashion_mnist-images.png")
    print(f"\n{path.resolve()}, its .png, and figures of images and confusions beside it")


def curves(history: dict) -> Figure:
    """Training loss and accuracy of every epoch; the report's first and last as crosses."""
    figure = Figure(figsize=(8, 3.4), layout="constrained")
    epochs = np.arange(1, len(history["train_loss"]) + 1)
    for position, name in enumerate(("train_loss", "train_accuracy"), start=1):
        axes = figure.add_subplot(1, 2, position)
        axes.plot(epochs, history[name], "o-", color="black", markersize=3, label="minicnn")
        axes.plot([1, 10], REPORT[name], "x", color="0.4", markersize=9, label="report")
        axes.set_xlabel("epoch")
        axes.set_ylabel(name.replace("train_", "training "))
        axes.legend()
    return figure


if __name__ == "__main__":
    main()
