"""Does an epoch take longer than its steps? What loading, shuffling and counting add to training.

An epoch of the MNIST network and one of the dense network of the Fashion-MNIST study, on 60,000
images (random ones: time does not depend on what they show), beside the same number of steps on one
batch that is already in place. A step goes through the layers, or is taken as `fit` takes it:
replayed, where the backend can.
"""

from statistics import median
from time import perf_counter

import numpy as np
from duration import say_how_long
from networks import fashion_mlp, mnist_cnn
from options import chosen_backends, parser
from results import keep, table

from minicnn import SGD, Adam, Sequential, SoftmaxCrossEntropy, fit
from minicnn.data import Dataset
from minicnn.optimizers import Optimizer

NETWORKS = {"MNIST, CNN": (mnist_cnn, 64, SGD), "Fashion-MNIST, dense": (fashion_mlp, 32, Adam)}
RATE = 1e-3
FIRST = 2  # steps that may compile, that take memory, and are recorded


def main() -> None:
    options = parser(
        __doc__, "backend threads epochs seed out quick", backend="all", epochs=5
    ).parse_args()
    names = chosen_backends(options)
    say_how_long(options, minutes=2.2)
    count = 6_000 if options.quick else 60_000
    options.epochs = min(options.epochs, 3) if options.quick else options.epochs
    rng = np.random.default_rng(options.seed)
    images = rng.integers(0, 256, (count, 1, 28, 28), dtype=np.uint8)
    data = Dataset(images, rng.integers(0, 10, count), tuple("0123456789"))
    runs = []
    for name, (build, size, rule) in NETWORKS.items():
        for backend in names:
            network = build(options.seed).to(backend)
            epochs, layers, steps, batch = [], [], [], data[:size]
            for _ in range(options.epochs):  # by turns, so that all see the same machine
                epochs.append(epoch_seconds(network, rule(RATE), data, size))
                for found, replay in ((layers, False), (steps, True)):
                    found.append(
                        step_seconds(network, rule(RATE), batch, count // size // 2, replay)
                    )
            runs.append({
                "network": name, "backend": backend, "steps": -(-count // size),
                "epoch_s": median(epochs), "layers_s": median(layers), "step_s": median(steps),
            })  # fmt: skip
    report = {"runs": runs}
    print(f"{epochs_table(report)}\n\n{keep(options, 'epoch_time', report, None)}")


def epochs_table(found: dict) -> str:
    rows = []
    for run in found["runs"]:
        epoch, steps, step = run["epoch_s"], run["steps"], run["step_s"]
        rows.append([
            run["network"], run["backend"], f"{1e3 * run['layers_s']:.3f}", f"{1e3 * step:.3f}",
            str(steps), f"{epoch:.3f}", f"{epoch / (steps * step):.2f}",
        ])  # fmt: skip
    head = ["network", "backend", "step through the layers, ms", "step as `fit` takes it, ms"]
    return table([*head, "steps", "epoch, s", "epoch / (steps × step)"], rows)


def epoch_seconds(network: Sequential, optimizer: Optimizer, data: Dataset, size: int) -> float:
    history = fit(
        network, SoftmaxCrossEntropy(), optimizer, data, epochs=1, batch_size=size, progress=False
    )
    return history["seconds"][0]


def step_seconds(
    network: Sequential, optimizer: Optimizer, batch: Dataset, steps: int, replay: bool
) -> float:
    """The mean step: forward, loss, backward and update of a batch that stays where it is."""
    loss, count = SoftmaxCrossEntropy().to(network.backend), len(batch.labels)
    ops, parameters, every = network.ops, network.parameters(), np.arange(count)
    targets = loss.targets(batch.labels, (count, 10))
    x = ops.gather(ops.upload(batch.images), every, np.float32, ops.Buffers())
    rows = ops.pick(targets.rows, every, loss.buffers)
    target = ops.gather(targets.data, rows, x.dtype, loss.buffers)

    def compute(indices):
        value = loss.forward_batch(network.forward_batch(x, training=True), target, count)
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
