"""A training step of minicnn as `fit` takes it, its batch packed beforehand as the others' tensors
are.
"""

from collections.abc import Callable

import numpy as np

import minicnn as m
from frameworks.workloads import RATE, Workload
from minicnn import backends
from minicnn.optimizers import Optimizer

EPOCH = 1000  # steps: all but the first or two are replayed

for name in ("numpy", "numba"):
    backends.get(name)  # so that its import is no memory of a step


def network(work: Workload) -> m.Sequential:
    layers, shape = [], work.shape
    for kind, *arguments in work.layers:
        if kind == "conv":
            filters, kernel, *valid = arguments
            layer = m.Conv2D(shape[0], filters, kernel, padding=0 if valid else "same")
        elif kind == "dense":
            layer = m.Dense(shape[0], *arguments)
        elif kind == "pool":
            layer = m.MaxPool2D(2, ceil_mode=True)
        else:
            layer = {"relu": m.ReLU, "sigmoid": m.Sigmoid, "flatten": m.Flatten}[kind]()
        layers.append(layer)
        shape = layer.output_shape(shape)
    return m.Sequential(*layers, seed=0)


def build(work: Workload, threads: int, x: np.ndarray, labels: np.ndarray, backend: str):
    if backend == "numba":
        m.set_threads(threads)
    net = network(work).to(backend)
    loss = m.SigmoidCrossEntropy() if work.outputs == 1 else m.SoftmaxCrossEntropy()
    loss.to(backend)
    optimizer = (m.Adam if work.optimizer == "adam" else m.SGD)(RATE)
    targets = loss.targets(labels, (len(x), work.outputs))
    rows = net.ops.pick(targets.rows, np.arange(len(x)), loss.buffers)
    target = net.ops.gather(targets.data, rows, x.dtype, loss.buffers)
    batch, parameters = net.ops.from_numpy(x), net.parameters()
    steps = net.ops.Steps(x.dtype)

    def compute(indices):
        prediction = net.forward_batch(batch, training=True)
        value = loss.forward_batch(prediction, target, len(x))
        net.backward_batch(loss.backward_batch(), input_gradient=False)
        return value, None

    def change(lr, step):
        optimizer.apply(parameters, lr, step)

    take = taking(steps, optimizer, len(x), compute, change)

    def step() -> float:
        take(1)
        return steps.read()[0][-1]

    return step


def taking(steps, optimizer: Optimizer, samples: int, compute, change) -> Callable[[int], None]:
    """A function that takes so many steps, all of one epoch after the other."""
    epoch, left = [np.arange(samples)] * EPOCH, 0

    def take(count: int) -> None:
        nonlocal left
        for _ in range(count):
            if left == 0:
                steps.start(epoch, [optimizer.lr] * EPOCH, optimizer.steps)
                left = EPOCH
            steps.take(compute, change)
            optimizer.steps += 1
            left -= 1

    return take


def training_flops(work: Workload) -> int:
    """Floating-point operations of a step's products: forward, weight gradient, input gradient.

    Of the first layer that learns nobody needs the input gradient, so it is not counted.
    """
    net = network(work)
    shapes = net.shapes(work.shape)
    products = [layer.multiply_adds(shape) for layer, shape in zip(net.layers, shapes)]
    first = next(count for count in products if count)
    return 2 * work.batch * (3 * sum(products) - first)
