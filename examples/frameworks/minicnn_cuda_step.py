"""A training step of minicnn on a GPU, as `fit` takes it: gathered there, recorded, replayed."""

import numpy as np

import minicnn as m
from frameworks.minicnn_step import network, taking
from frameworks.workloads import RATE, Workload
from minicnn.backends.cuda.device import cuda, queue
from minicnn.training.samples import prepare
from minicnn.training.step import Rules, constant, forward_and_backward, update


def build(work: Workload, threads: int, x: np.ndarray, labels: np.ndarray, variant: str):
    net = network(work).to("cuda")
    loss = m.SigmoidCrossEntropy() if work.outputs == 1 else m.SoftmaxCrossEntropy()
    loss.to("cuda")
    optimizer = (m.Adam if work.optimizer == "adam" else m.SGD)(RATE)
    samples, parameters = prepare(net, loss, (x, labels), "samples"), net.parameters()
    steps, rules = net.ops.Steps(np.float32), Rules(constant, None, None)
    take = taking(
        steps, optimizer, len(x),
        lambda indices: forward_and_backward(net, loss, samples, indices),
        lambda lr, step: update(parameters, optimizer, lr, step, rules),
    )  # fmt: skip

    def step() -> float:
        take(1)
        return steps.read()[0][-1]

    def milliseconds(count: int) -> float:
        begin, end = cuda.event(), cuda.event()
        begin.record(queue())
        take(count)
        end.record(queue())
        end.synchronize()
        return begin.elapsed_time(end) / count

    step.milliseconds = milliseconds
    return step
