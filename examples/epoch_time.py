"""Does an epoch take longer than its steps? What loading, shuffling and counting add to training.

An epoch of the MNIST network, batches of 64, on 60,000 images (random ones: time does not depend on
what they show), beside the same number of steps on one batch that is already in place.
"""

from statistics import median
from time import perf_counter

import numpy as np
from duration import say_how_long
from networks import mnist_cnn
from options import chosen_backends, parser
from results import keep, table
from threadpoolctl import threadpool_limits

from minicnn import SGD, Sequential, SoftmaxCrossEntropy, fit
from minicnn.data import Dataset

BATCH = 64


def main() -> None:
    options = parser(__doc__, epochs=5)
    options.set_defaults(backend="all")
    options = options.parse_args()
    say_how_long(options, minutes=2.2)
    count = 6_000 if options.quick else 60_000
    options.epochs = min(options.epochs, 3) if options.quick else options.epochs
    rng = np.random.default_rng(options.seed)
    images = rng.integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)
    data = Dataset(images, rng.integers(0, 10, count), tuple("0123456789"))
    results = {}
    for backend in chosen_backends(options):
        with threadpool_limits(options.threads, user_api="blas"):
            network = mnist_cnn(options.seed).to(backend)
            epochs, steps = [], []
            for _ in range(options.epochs):  # by turns, so that both see the same machine
                epochs.append(epoch_seconds(network, data))
                steps.append(step_seconds(network, data[:BATCH], 20 if options.quick else 200))
        epoch, step, number = median(epochs), median(steps), -(-count // BATCH)
        results[backend] = {"epoch_s": epoch, "step_s": step, "steps": number}
    found = {"backends": results}
    print(f"{epochs_table(found)}\n\n{keep(options, 'epoch_time', found, None)}")


def epochs_table(found: dict) -> str:
    rows = []
    for name, times in found["backends"].items():
        epoch, steps, step = times["epoch_s"], times["steps"], times["step_s"]
        rows.append([name, f"{epoch:.3f}", str(steps), f"{1e3 * step:.3f}",
                     f"{epoch / (steps * step):.2f}"])  # fmt: skip
    return table(["backend", "epoch, s", "steps", "step, ms", "epoch / (steps × step)"], rows)


def epoch_seconds(network: Sequential, data: Dataset) -> float:
    history = fit(
        network, SoftmaxCrossEntropy(), SGD(1e-3), data, epochs=1, batch_size=BATCH, progress=False
    )
    return history["seconds"][0]


def step_seconds(network: Sequential, batch: Dataset, steps: int) -> float:
    """The mean step: forward, loss, backward and update of a batch that stays where it is."""
    loss, optimizer = SoftmaxCrossEntropy().to(network.backend), SGD(1e-3)
    ops, parameters = network.ops, network.parameters()
    targets = loss.targets(batch.labels, (BATCH, 10))
    x = ops.gather(ops.upload(batch.images), np.arange(BATCH), np.float32, ops.Buffers())
    for step in range(steps + 1):
        if step == 1:  # the first may compile, and takes memory
            start = perf_counter()
        prediction = network.forward_batch(x, training=True)
        ops.to_float(loss.compare(prediction, targets, np.arange(BATCH)))
        network.backward_batch(loss.backward_batch(), input_gradient=False)
        optimizer.step(parameters)
    return (perf_counter() - start) / steps


if __name__ == "__main__":
    main()
