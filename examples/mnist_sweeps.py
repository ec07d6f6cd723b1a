"""A small CNN on MNIST: epochs, optimisers, learning rates, batch sizes, and loader workers.

One thing changes at a time, on every backend; the rest is Adam at 0.002, batches of 64 and two
epochs. Then 0 to 4 processes prepare augmented batches (shifts and rotations) in the background,
and a step is taken apart. The report showed such sweeps as charts without their numbers.
"""

import copy
from collections import deque
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from time import perf_counter

import numpy as np
from duration import say_how_long
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from networks import mnist_cnn
from options import chosen_backends, parser
from results import keep, plain_ticks, table
from tqdm import tqdm

from minicnn import (
    SGD,
    Adagrad,
    Adam,
    RMSprop,
    SoftmaxCrossEntropy,
    evaluate,
    fit,
)
from minicnn.backends.numba.runtime import CORES
from minicnn.data import Dataset, load_mnist
from minicnn.data.batches import in_batches, shuffled
from minicnn.timing import profile

RATE, BATCH, EPOCHS = 2e-3, 64, 2
OPTIMIZERS = {
    "SGD 0.05": SGD(0.05),
    "momentum 0.9": SGD(0.05, momentum=0.9),
    "Adagrad 0.01": Adagrad(0.01),
    "RMSprop 0.002": RMSprop(RATE),
    "Adam 0.002": Adam(RATE),
}
RATES = [1e-4, 1e-3, 1e-2, 1e-1]
BATCHES = [16, 64, 256, 1024]
WORKERS = [0, 1, 2, 4]


def main() -> None:
    # Core against core; workers have the others.
    options = parser(__doc__, backend="all", threads=1, epochs=8).parse_args()
    names, threads = chosen_backends(options), options.threads
    train, test = load_mnist(options.data)
    images, epochs, every = (1000, 2, 3) if options.quick else (12000, options.epochs, 1)
    train, test = train[:images], test[:1000] if options.quick else test
    sweeps = [("epochs", epochs, Adam(RATE), BATCH, epochs)]
    rules = [*OPTIMIZERS.items()][::every]
    sweeps += [("optimiser", name, rule, BATCH, EPOCHS) for name, rule in rules]
    sweeps += [("learning rate", rate, Adam(rate), BATCH, EPOCHS) for rate in RATES[::every]]
    sweeps += [("batch size", batch, Adam(RATE), batch, EPOCHS) for batch in BATCHES[::every]]
    workers = WORKERS[:2] if options.quick else WORKERS
    turns = len(names) * (len(sweeps) + len(workers))
    say_how_long(options, minutes=1.8)
    rows, loading, steps = [], [], {}
    with tqdm(total=turns, disable=None) as bar:
        for backend in names:
            for sweep, value, optimizer, batch, length in sweeps:
                bar.set_description(f"{backend}, {sweep} {value}")
                fresh = copy.deepcopy(optimizer)  # nothing remembered of another backend's run
                rows += learn(backend, train, test, sweep, value, fresh, batch, length,
                              options.seed)  # fmt: skip
                bar.update()
            for count in workers:
                bar.set_description(f"{backend}, {count} workers")
                loading.append(load_and_learn(backend, train, count, options.seed))
                bar.update()
            steps[backend] = time_of_a_step(backend, train)
    report = {"images": images, "threads": threads, "sweeps": rows, "loading": loading,
              "step_ms": steps}  # fmt: skip
    path = keep(options, "mnist_sweeps", report, plot(report))
    for make in (sweep_tables, loading_table, step_table):
        print(f"\n{make(report)}")
    print(f"\n{path} and .png")


def learn(backend, train, test, sweep, value, optimizer, batch, epochs, seed) -> list[dict]:
    """Accuracy and seconds of a training; for the sweep over epochs, those after every epoch."""
    network, loss = mnist_cnn(seed).to(backend), SoftmaxCrossEntropy()
    row = {"backend": backend, "sweep": sweep}
    if sweep == "epochs":
        history = fit(network, loss, optimizer, train, test, epochs=epochs, batch_size=batch,
                      seed=seed, progress=False)  # fmt: skip
        seconds, accuracy = np.cumsum(history["seconds"]), history["validation_accuracy"]
        return [row | {"value": k + 1, "accuracy": accuracy[k], "seconds": float(seconds[k])}
                for k in range(epochs)]  # fmt: skip
    start = perf_counter()
    fit(network, loss, optimizer, train, epochs=epochs, batch_size=batch, seed=seed,
        progress=False)  # fmt: skip
    seconds = perf_counter() - start
    return [row | {"value": value, "accuracy": evaluate(network, loss, test).accuracy,
                   "seconds": seconds}]  # fmt: skip


# ── loader workers ───────────────────────────────────────────────────────────────────────────


def augment(images: np.ndarray, seed: tuple[int, ...]) -> np.ndarray:
    """Each image turned by up to 15° and shifted by up to 2 pixels, by bilinear interpolation."""
    rng = np.random.default_rng(seed)
    n, _, height, width = images.shape
    angle = rng.uniform(-np.pi / 12, np.pi / 12, (n, 1, 1))
    shift = rng.uniform(-2, 2, (2, n, 1, 1))
    y, x = np.mgrid[:height, :width] - np.array([height - 1, width - 1]).reshape(2, 1, 1) / 2
    source_y = np.cos(angle) * y - np.sin(angle) * x + shift[0] + (height - 1) / 2
    source_x = np.sin(angle) * y + np.cos(angle) * x + shift[1] + (width - 1) / 2
    top, left = np.floor(source_y).astype(int), np.floor(source_x).astype(int)
    down, right = source_y - top, source_x - left
    pixels = np.pad(images[:, 0], ((0, 0), (1, 1), (1, 1))) / 255.0  # zeros around
    image = np.arange(n)[:, None, None]

    def at(row, column):
        return pixels[image, np.clip(row + 1, 0, height + 1), np.clip(column + 1, 0, width + 1)]

    upper = (1 - right) * at(top, left) + right * at(top, left + 1)
    lower = (1 - right) * at(top + 1, left) + right * at(top + 1, left + 1)
    return ((1 - down) * upper + down * lower).astype(np.float32)[:, None]


def augmented_batches(train: Dataset, order: np.ndarray, pool, ahead: int):
    """Batches (x, labels) in order; with a pool, `ahead` of them are under way in the background.

    A batch's seed is its own first index, so the images do not depend on who prepares them.
    """
    waiting = deque()
    for indices in in_batches(order, BATCH):
        job = (augment, train.images[indices], (int(indices[0]),))
        if pool is None:
            yield augment(*job[1:]), train.labels[indices]
            continue
        waiting.append((pool.submit(*job), train.labels[indices]))
        if len(waiting) > ahead:
            future, labels = waiting.popleft()
            yield future.result(), labels
    for future, labels in waiting:
        yield future.result(), labels


def load_and_learn(backend: str, train: Dataset, workers: int, seed: int) -> dict:
    """An epoch on augmented images: its seconds, and how many of them were spent on waiting."""
    network, loss, optimizer = mnist_cnn(seed).to(backend), SoftmaxCrossEntropy(), Adam(RATE)
    # spawn: a process forked after a kernel ran has lost its threads
    pool = ProcessPoolExecutor(workers, get_context("spawn")) if workers else None
    if pool:
        list(pool.map(augment, [train.images[:1]] * workers, [(0,)] * workers))  # all have started

    def step(x: np.ndarray, labels: np.ndarray) -> None:
        loss.forward(network.forward(x, training=True), labels)
        network.backward(loss.backward())
        optimizer.step(network.parameters())

    step(train.images[:BATCH] / np.float32(255), train.labels[:BATCH])  # may compile
    start, computing = perf_counter(), 0.0
    for x, labels in augmented_batches(train, shuffled(len(train), seed, 0), pool, 2 * workers):
        begin = perf_counter()
        step(x, labels)
        computing += perf_counter() - begin
    seconds = perf_counter() - start
    if pool:
        pool.shutdown()
    return {"backend": backend, "workers": workers, "seconds": seconds,
            "waiting": seconds - computing}  # fmt: skip


def time_of_a_step(backend: str, train: Dataset) -> dict[str, float]:
    """Milliseconds of a step's parts: gather, forward, loss, backward, update."""
    rows = profile(mnist_cnn().to(backend), SoftmaxCrossEntropy(), Adam(RATE),
                   train.images[:BATCH], train.labels[:BATCH]).rows  # fmt: skip
    parts = dict.fromkeys(("gather", "forward", "loss", "backward", "update"), 0.0)
    for row in rows:
        parts[row.name if row.name in parts else row.direction] += row.ms
    return parts


# ── what comes out ───────────────────────────────────────────────────────────────────────────


def sweep_tables(found: dict) -> str:
    """Accuracy on unseen images and seconds of each training, a table for each sweep."""
    names, tables = list(found["step_ms"]), []
    head = [title for name in names for title in (f"{name}, %", "s")]
    for sweep in dict.fromkeys(row["sweep"] for row in found["sweeps"]):
        cells: dict[str, list[str]] = {}
        for row in (row for row in found["sweeps"] if row["sweep"] == sweep):
            figures = [f"{100 * row['accuracy']:.2f}", f"{row['seconds']:.2f}"]
            cells.setdefault(str(row["value"]), []).extend(figures)
        tables.append(table([sweep, *head], [[value, *row] for value, row in cells.items()]))
    return "\n\n".join(tables)


def loading_table(found: dict) -> str:
    """Seconds of an epoch on augmented images, and how many of them were spent on waiting."""
    head = [title for name in found["step_ms"] for title in (f"{name}: epoch, s", "waiting, s")]
    cells: dict[str, list[str]] = {}
    for row in found["loading"]:
        figures = [f"{row['seconds']:.2f}", f"{row['waiting']:.2f}"]
        cells.setdefault(str(row["workers"]), []).extend(figures)
    return table(["loader workers", *head], [[name, *row] for name, row in cells.items()])


def step_table(found: dict) -> str:
    steps = found["step_ms"].values()
    rows = [[part, *(f"{ms[part]:.3f}" for ms in steps)] for part in next(iter(steps))]
    return table(["part of a step", *(f"{name}, ms" for name in found["step_ms"])], rows)


def plot(report: dict) -> Figure:
    """Accuracy in each sweep, the seconds per batch size, and the epoch per number of workers."""
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    panels = figure.subplots(2, 3).flat
    names = list(report["step_ms"])
    looks = dict(zip(names, ("-o", "--s", ":^")))
    black = {"color": "black", "fillstyle": "none"}
    for sweep in ("epochs", "optimiser", "learning rate", "batch size"):
        axes = next(panels)
        for name in names:
            rows = [r for r in report["sweeps"] if (r["backend"], r["sweep"]) == (name, sweep)]
            look = looks[name][-1] if sweep == "optimiser" else looks[name]  # no line between names
            axes.plot([r["value"] for r in rows], [100 * r["accuracy"] for r in rows],
                      look, label=name, markersize=9 - 4 * names.index(name) / len(names),
                      **black)  # fmt: skip
        axes.set(xlabel=sweep, ylabel="accuracy on unseen images (%)")
        if sweep in ("learning rate", "batch size"):
            axes.set_xscale("log")
            axes.set_xticks(values := [r["value"] for r in rows], [f"{v:g}" for v in values])
            axes.minorticks_off()
        if sweep == "epochs":
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        if sweep == "optimiser":
            rules = [r["value"].replace(" ", "\n") for r in rows]
            axes.set_xticks(range(len(rules)), rules, fontsize=7)
        axes.legend(fontsize=8)
    axes = next(panels)
    for name in names:
        rows = [r for r in report["sweeps"]
                if (r["backend"], r["sweep"]) == (name, "batch size")]  # fmt: skip
        axes.plot([r["value"] for r in rows], [r["seconds"] / EPOCHS for r in rows], looks[name],
                  label=name, **black)  # fmt: skip
    axes.set(xlabel="batch size", ylabel="time of an epoch (s)", xscale="log", yscale="log")
    axes.set_xticks(BATCHES, BATCHES)
    axes.minorticks_off()
    plain_ticks(axes.yaxis)
    axes.legend(fontsize=8)
    axes = next(panels)
    for name in names:
        rows = [r for r in report["loading"] if r["backend"] == name]
        axes.plot([r["workers"] for r in rows], [r["seconds"] for r in rows], looks[name],
                  label=name, **black)  # fmt: skip
    axes.set(xlabel=f"loader workers ({CORES} cores)", ylabel="time of an augmented epoch (s)",
             ylim=0)  # fmt: skip
    axes.legend(fontsize=8)
    return figure


if __name__ == "__main__":
    main()
