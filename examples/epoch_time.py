"""Does an epoch take longer than its steps? What loading, shuffling and counting add to training.

An epoch of the MNIST network, batches of 64, on 60,000 images (random ones: time does not depend on
what they show), beside the same number of steps on one batch that is already in place. A step goes
through the layers, or is taken as `fit` takes it: replayed, where the backend can.
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
FIRST = 2  # steps that may compile, that take memory, and are recorded


def main() -> None:
    options = parser(__doc__, epochs=5)
    options.set_defaults(backend="all")
    options = options.parse_args()
    say_how_long(options, minutes=1.6)
    count, repeats = (6_000, 20) if options.quick else (60_000, 200)
    options.epochs = min(options.epochs, 3) if options.quick else options.epochs
    rng = np.random.default_rng(options.seed)
    images = rng.integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)
    data = Dataset(images, rng.integers(0, 10, count), tuple("0123456789"))
    results = {}
    for backend in chosen_backends(options):
        with threadpool_limits(options.threads, user_api="blas"):
            network = mnist_cnn(options.seed).to(backend)
            epochs, layers, steps = [], [], []
            for _ in range(options.epochs):  # by turns, so that all see the same machine
                epochs.append(epoch_seconds(network, data))
                for found, replay in ((layers, False), (steps, True)):
                    found.append(step_seconds(network, data[:BATCH], repeats, replay))
        results[backend] = {
            "epoch_s": median(epochs), "layers_s": median(layers), "step_s": median(steps),
            "steps": -(-count // BATCH),
        }  # fmt: skip
    found = {"backends": results}
    print(f"{epochs_table(found)}\n\n{keep(options, 'epoch_time', found, None)}")


def epochs_table(found: dict) -> str:
    rows = []
    for name, times in found["backends"].items():
        epoch, steps, step = times["epoch_s"], times["steps"], times["step_s"]
        rows.append([name, f"{1e3 * times['layers_s']:.3f}", f"{1e3 * step:.3f}", str(steps),
                     f"{epoch:.3f}", f"{epoch / (steps * step):.2f}"])  # fmt: skip
    head = ["backend", "step through the layers, ms", "step as `fit` takes it, ms", "steps"]
    return table([*head, "epoch, s", "epoch / (steps × step)"], rows)


def epoch_seconds(network: Sequential, data: Dataset) -> float:
    history = fit(
        network, SoftmaxCrossEntropy(), SGD(1e-3), data, epochs=1, batch_size=BATCH, progress=False
    )
    return history["seconds"][0]


def step_seconds(network: Sequential, batch: Dataset, steps: int, replay: bool) -> float:
    """The mean step: forward, loss, backward and update of a batch that stays where it is."""
    loss, optimizer = SoftmaxCrossEntropy().to(network.backend), SGD(1e-3)
    ops, parameters, every = network.ops, network.parameters(), np.arange(BATCH)
    targets = loss.targets(batch.labels, (BATCH, 10))
    x = ops.gather(ops.upload(batch.images), every, np.float32, ops.Buffers())
    rows = ops.pick(targets.rows, every, loss.buffers)
    target = ops.gather(targets.data, rows, x.dtype, loss.buffers)

    def compute(indices):
        value = loss.forward_batch(network.forward_batch(x, training=True), target, BATCH)
        network.backward_batch(loss.backward_batch(), input_gradient=False)
        return value, None

    epoch = ops.Steps(np.float32, (), replay)
    epoch.start([every] * (FIRST + steps), [optimizer.lr] * (FIRST + steps), 0)
    for step in range(FIRST + steps):
        if step == FIRST:
            epoch.read()
            start = perf_counter()
        epoch.take(compute, lambda lr, step: optimizer.apply(parameters, lr, step))
    epoch.read()
    return (perf_counter() - start) / steps


if __name__ == "__main__":
    main()
