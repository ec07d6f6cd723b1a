"""Fashion-MNIST: the report's dense network, where its seconds go, and a CNN on the same data.

The report ("CPU against GPU") trained 784-128-10 with Adam at batch 32 for ten epochs in Keras:
87.38 % of the test images right, 82 s on a CPU, 48 s on a GPU. Here the same network trains on
every backend that can run, from three seeds. --quick: a tenth of the images, a
fifth of those to be tested on, two epochs, one seed.
"""

from statistics import mean, stdev

import numpy as np
from backends_table import compared, train
from duration import say_how_long
from matplotlib.figure import Figure
from networks import fashion_mlp, lenet
from options import chosen_backends, parser
from results import keep, table

from minicnn import Adam, SoftmaxCrossEntropy, backends, plotting
from minicnn.data import load_fashion_mnist
from minicnn.schedules import OneCycle
from minicnn.timing import profile

# The report's log: its first and last epoch, its test set, and its seconds for all ten epochs.
REPORT = {
    "train_loss": (0.4997, 0.2402), "train_accuracy": (0.8271, 0.9100),
    "test_loss": 0.3549, "test_accuracy": 0.8738, "cpu_s": 82.3, "gpu_s": 48.2,
}  # fmt: skip


def main() -> None:
    options = parser(__doc__, backend="all", epochs=10).parse_args()
    clothes, test = load_fashion_mnist(options.data)
    seeds = [options.seed + k for k in range(3)]
    if options.quick:
        clothes, test, options.epochs, seeds = clothes[:6000], test[:2000], 2, seeds[:1]
    names = chosen_backends(options)
    say_how_long(options, minutes=1)
    for name in (n for n in backends.NAMES if n not in names):
        print(f"no row for {name}: it was not asked for, or cannot run here (python -m minicnn)")

    runs = [
        train(fashion_mlp(seed), name, lambda: Adam(1e-3), clothes, test,
              epochs=options.epochs, batch_size=32, seed=seed).figures()
        for name in names for seed in seeds
    ]  # fmt: skip
    found: dict = {"runs": runs}
    print(f"\nthe report's network\n\n{seconds_table(found)}\n\n{beside_the_report(found)}")
    print(f"\nwhere a step's time goes on {names[-1]}\n")
    network = fashion_mlp(options.seed).to(names[-1])
    batch = clothes[:32]
    print(profile(network, SoftmaxCrossEntropy(), Adam(1e-3), batch.images, batch.labels))
    epochs = min(options.epochs, 6)
    cnn = train(lenet(options.seed), names[-1], lambda: Adam(3e-3), clothes, test,
                epochs=epochs, batch_size=64, seed=options.seed,
                schedule=OneCycle(epochs))  # fmt: skip
    found["cnn"] = cnn.figures()
    print(f"\na CNN on the same images, {epochs} epochs\n\n{cnn_table(found)}")

    path = keep(options, "fashion_mnist", found, curves(runs[-1]["history"]))
    confusion = plotting.confusion_matrix(cnn.found.confusion, test.classes)
    plotting.save(confusion, options.out / "fashion_mnist-confusion.png")
    captions = [test.classes[label] for label in test.labels[:25]]
    grid = plotting.image_grid(test.images[:25], captions, columns=5)
    plotting.save(grid, options.out / "fashion_mnist-images.png")
    print(f"\n{path}, its .png, and figures of images and confusions beside it")


def seconds_table(found: dict) -> str:
    """The report's seconds beside every backend's, of the seed with the middle time."""
    runs, rows = sorted(found["runs"], key=lambda run: run["epoch_s"]), []
    for name in dict.fromkeys(run["backend"] for run in found["runs"]):
        mine = [run for run in runs if run["backend"] == name]
        run = mine[len(mine) // 2]
        total, rate = sum(run["history"]["seconds"]), run["images"] / run["epoch_s"]
        rows.append([name, str(run["threads"]), f"{run['epoch_s']:.2f}", f"{total:.1f}",
                     f"{rate:,.0f}"])  # fmt: skip
    for where in ("CPU", "GPU"):
        rows.append([f"the report's {where}", "", "", f"{REPORT[f'{where.lower()}_s']}", ""])
    return table(["backend", "threads", "epoch, s", "all epochs, s", "images/s"], rows)


def cnn_table(found: dict) -> str:
    return compared([found["cnn"]])


def beside_the_report(found: dict) -> str:
    """First and last epoch and the test set, mean and standard deviation over the seeds."""
    runs = [run for run in found["runs"] if run["backend"] == found["runs"][-1]["backend"]]
    columns = {
        f"{name.replace('_', ' ')}, {when} epoch": ([r["history"][name][k] for r in runs], said[k])
        for name, said in list(REPORT.items())[:2]
        for k, when in ((0, "first"), (-1, "last"))
    }
    columns["test loss"] = [run["loss"] for run in runs], REPORT["test_loss"]
    columns["test accuracy"] = [run["accuracy"] for run in runs], REPORT["test_accuracy"]
    rows = []
    for label, (values, said) in columns.items():
        spread = f"{stdev(values):.4f}" if len(values) > 1 else "–"
        rows.append([label, f"{mean(values):.4f}", spread, f"{said:.4f}"])
    return table(["", f"here, mean of {len(runs)}", "± (seeds)", "the report"], rows)


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
