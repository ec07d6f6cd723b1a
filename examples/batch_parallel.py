"""Does accuracy rise with the number of threads? Batch size and thread count, one at a time.

The report trained a small CNN on MNIST with batches as large as its number of threads, all of which
added into one gradient without protection. Accuracy rose from 26 % to 92 % between 1 and 12
threads. Here: the same sweep; then batch size at one thread, with the learning rate fixed and in
proportion to the batch; threads at one batch size; and that race, with its lost updates counted.
"""

import os

os.environ.setdefault("NUMBA_NUM_THREADS", "12")  # as many threads as the report; read on import

from contextlib import suppress
from time import perf_counter
from zlib import crc32

import numpy as np
from duration import say_how_long
from matplotlib.figure import Figure
from networks import mnist_cnn
from numba import prange
from options import chosen_backends, parser
from results import keep, table
from tqdm import tqdm

from minicnn import SGD, Conv2D, SoftmaxCrossEntropy, evaluate, fit, set_threads
from minicnn.backends.numba.runtime import kernel
from minicnn.data import Dataset, load_mnist
from minicnn.data.batches import in_batches, shuffled

# threads = batch size: (accuracy in %, seconds) on 6 cores
REPORT = {
    1: (26.0, 69.4), 2: (68.4, 41.6), 3: (74.8, 35.8), 4: (77.8, 31.8), 5: (79.8, 28.3),
    6: (80.8, 26.3), 7: (83.4, 27.9), 8: (86.2, 27.4), 9: (87.8, 26.4), 10: (88.8, 24.3),
    11: (89.6, 24.3), 12: (91.8, 24.7),
}  # fmt: skip
RATE = 0.1  # too large for one image a step, right for twelve
BATCH = 12


def main() -> None:
    options = parser(
        __doc__, "backend epochs seed data out quick", backend="numba", threads=None, epochs=1
    ).parse_args()
    (backend,) = chosen_backends(options)
    sizes = [1, 4, 12] if options.quick else [1, 2, 3, 4, 6, 8, 10, 12]
    seeds = [options.seed + k for k in range(1 if options.quick else 3)]
    train, test = load_mnist(options.data)
    train, test = (train[:600], test[:600]) if options.quick else (train[:12000], test)
    say_how_long(options, minutes=3)
    runs = [("batch = threads", n, n, RATE, options.seed) for n in sizes]
    runs += [("fixed rate", n, 1, RATE, seed) for n in sizes for seed in seeds]
    runs += [("scaled rate", n, 1, RATE * n / BATCH, seed) for n in sizes for seed in seeds]
    runs += [("threads", BATCH, n, RATE, options.seed) for n in sizes]
    found = []
    for n in (1, BATCH):  # may compile: not timed
        learn(mnist_cnn().to(backend), train[:n], test[:n], 1, n, RATE, 0)
    for sweep, batch, threads, rate, seed in tqdm(runs, disable=None):
        network, start = mnist_cnn(seed).to(backend), perf_counter()
        set_threads(threads)
        learned = learn(network, train, test, options.epochs, batch, rate, seed)
        found.append({"sweep": sweep, "batch": batch, "threads": threads, "rate": rate,
                      "seed": seed, "accuracy": learned, "seconds": perf_counter() - start,
                      "bits": checksum(network)})  # fmt: skip
    races = [
        race(n, copies, train, test, options.epochs, options.seed)
        for n in tqdm(sizes, desc="race", disable=None)
        for copies in (1, BATCH)
    ]
    report = {"backend": backend, "images": len(train),
              "runs": found, "races": races, "report": REPORT}  # fmt: skip
    path = keep(options, "batch_parallel", report, plot(report))
    print(f"\n{sweeps_table(report)}\n\n{races_table(report)}\n\n{path} and .png")


def learn(network, train: Dataset, test: Dataset, epochs, batch, rate, seed) -> float:
    """The accuracy on the test images; that of the last good step where the loss overflowed."""
    loss = SoftmaxCrossEntropy()
    with suppress(FloatingPointError):
        fit(network, loss, SGD(rate), train, epochs=epochs, batch_size=batch, seed=seed,
            progress=False)  # fmt: skip
    return evaluate(network, loss, test).accuracy


def checksum(network) -> int:
    return crc32(b"".join(p.value.tobytes() for p in network.parameters()))


# ── the race ─────────────────────────────────────────────────────────────────────────────────

COUNT_BITS = 16  # a sum's lowest bits count what arrived; the rest is the gradient in fixed point
ONE = 2.0**36  # 1.0, above the counter


@kernel
def add_weight_gradient(x, dy, dw):
    """dw[copy, f, c] += Σ dy[i, f] · x[i, c] shifted: a 3×3 convolution with padding 1.

    x (N, C, H + 2, W + 2) padded, dy (N, F, H, W), dw int64 (copies, F, C, 3, 3). Image i adds to
    copy i mod copies. With one copy the threads race: two read the same sum, both add, and the one
    that writes last wipes out the other's update.
    """
    images, filters, height, width = dy.shape
    for i in prange(images):
        mine = dw[i % len(dw)]
        for row in range(height):
            for column in range(width):
                for f in range(filters):
                    slope = dy[i, f, row, column] * ONE
                    for c in range(x.shape[1]):
                        for ky in range(3):
                            for kx in range(3):
                                product = slope * x[i, c, row + ky, column + kx]
                                mine[f, c, ky, kx] += (int(product) >> COUNT_BITS << COUNT_BITS) + 1


def race(threads: int, copies: int, train: Dataset, test: Dataset, epochs: int, seed: int) -> dict:
    """Train with both convolutions' weight gradients added by threads; count what got lost."""
    set_threads(threads)
    network, loss, optimizer = mnist_cnn(seed).to("numba"), SoftmaxCrossEntropy(), SGD(RATE)
    lost = due = 0
    for epoch in range(epochs):
        for indices in in_batches(shuffled(len(train), seed, epoch), BATCH):
            inputs = [train.images[indices] / np.float32(255)]
            for layer in network.layers:
                inputs.append(layer.forward(inputs[-1], training=True))
            loss.forward(inputs.pop(), train.labels[indices])
            dy = loss.backward()
            for layer, x in zip(reversed(network.layers), reversed(inputs)):
                dx = layer.backward(dy)
                if isinstance(layer, Conv2D):
                    dw = np.zeros((copies, *layer.weight.shape), np.int64)
                    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)))
                    add_weight_gradient(padded, np.ascontiguousarray(dy), dw)
                    total = dw.sum(axis=0)
                    arrived = total & (2**COUNT_BITS - 1)
                    due += dy[:, 0].size * total.size
                    lost += dy[:, 0].size * total.size - int(arrived.sum())
                    layer.weight.grad[...] = (total - arrived) / ONE
                dy = dx
            optimizer.step(network.parameters())
    found = evaluate(network, loss, test).accuracy
    return {"threads": threads, "copies": copies, "lost": lost / due, "accuracy": found}


# ── what comes out ───────────────────────────────────────────────────────────────────────────


def accuracies(report: dict, sweep: str, size: int, axis: str = "batch") -> list[float]:
    return [100 * r["accuracy"] for r in report["runs"]
            if r["sweep"] == sweep and r[axis] == size]  # fmt: skip


def sizes_of(found: dict) -> list[int]:
    return sorted({race["threads"] for race in found["races"]})


def sweeps_table(found: dict) -> str:
    """Accuracy in %; ± is the standard deviation over seeds."""
    rows = []
    for n in sizes_of(found):
        (ours,) = (r for r in found["runs"] if r["sweep"] == "batch = threads" and r["batch"] == n)
        accuracy, seconds = found["report"][n]
        rows.append([
            f"{n}", f"{accuracy:.1f}", f"{seconds:.1f}",
            f"{100 * ours['accuracy']:.1f}", f"{ours['seconds']:.1f}",
            spread(accuracies(found, "fixed rate", n)), spread(accuracies(found, "scaled rate", n)),
        ])  # fmt: skip
    return table(
        ["batch", "report: batch = threads, %", "s", "here: batch = threads, %", "s",
         f"1 thread, rate {RATE}, %", f"1 thread, rate {RATE} · batch/{BATCH}, %"], rows,
    )  # fmt: skip


def races_table(found: dict) -> str:
    rows = []
    for n in sizes_of(found):
        (library,) = accuracies(found, "threads", n, "threads")
        racy, reduced = (r for r in found["races"] if r["threads"] == n)
        rows.append([f"{n}", f"{library:.2f}", f"{racy['lost']:.3%}",
                     f"{100 * racy['accuracy']:.2f}", f"{100 * reduced['accuracy']:.2f}"])
    bits = {r["bits"] for r in found["runs"] if r["sweep"] == "threads"}
    head = [f"threads, batch {BATCH}", "the library, %", "race: updates lost", "racy, %",
            "reduced, %"]  # fmt: skip
    weights = "the same weights" if len(bits) == 1 else f"{len(bits)} different weights"
    return f"{table(head, rows)}\n\nThe library: {weights} on any number of threads, bit by bit."


def spread(values: list[float]) -> str:
    return f"{np.mean(values):.1f}" + (f" ± {np.std(values, ddof=1):.1f}" if values[1:] else "")


def plot(report: dict) -> Figure:
    """Accuracy against batch size; lost updates, and what they cost, against threads."""
    sizes = sizes_of(report)
    figure = Figure(figsize=(10, 4), layout="constrained")
    by_batch, by_threads = figure.subplots(1, 2)
    black = {"color": "black", "markerfacecolor": "white"}
    by_batch.plot(list(REPORT), [a for a, _ in REPORT.values()], "k:x",
                  label="the report: batch = threads")  # fmt: skip
    for sweep, line, label in (
        ("fixed rate", "-o", f"rate {RATE}"),
        ("scaled rate", "--s", f"rate {RATE} · batch / {BATCH}"),
    ):
        by_batch.plot(sizes, [np.mean(accuracies(report, sweep, n)) for n in sizes], line,
                      label=f"one thread, {label}", **black)  # fmt: skip
    by_batch.set(xlabel="batch size (images)", title="more images a batch, one thread")
    by_batch.set(ylabel="accuracy on unseen images (%)", ylim=(0, 102))
    by_batch.legend(loc="lower right")
    for copies, line, label in ((1, ":x", "one sum for all threads"), (BATCH, "--s", "a sum each")):
        races = [r for r in report["races"] if r["copies"] == copies]
        right = [100 * r["accuracy"] for r in races]
        by_threads.plot([r["threads"] for r in races], [100 * r["lost"] for r in races], line,
                        label=f"{label}: {between(right)} % right", **black)  # fmt: skip
    library = [accuracies(report, "threads", n, "threads")[0] for n in sizes]
    by_threads.plot([], [], " ", label=f"the library: {between(library)} % right")
    by_threads.set(xlabel="threads", ylabel="updates of the gradient that got lost (%)",
                   title=f"more threads, batches of {BATCH}")  # fmt: skip
    by_threads.legend(loc="upper left")
    by_threads.set_ylim(top=1.4 * max(by_threads.get_ylim()[1], 0.001))  # room for the legend
    return figure


def between(values: list[float]) -> str:
    low, high = f"{min(values):.1f}", f"{max(values):.1f}"
    return low if low == high else f"{low} to {high}"


if __name__ == "__main__":
    main()
