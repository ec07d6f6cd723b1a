"""One training per backend, and the table that compares them: for mnist.py and fashion_mnist.py."""

import copy
from dataclasses import dataclass
from time import perf_counter

from results import table
from threadpoolctl import threadpool_info

from minicnn import Evaluation, History, Sequential, SoftmaxCrossEntropy, evaluate, fit
from minicnn.backends.numba.runtime import get_threads
from minicnn.data import Dataset


@dataclass(frozen=True)
class Run:
    """A training on one backend. start_up: seconds of the very first step, compiling included."""

    backend: str
    threads: int
    start_up: float
    images: int
    history: History
    found: Evaluation

    @property
    def epoch_seconds(self) -> float:
        """The median epoch, training and validation."""
        seconds = sorted(s for s in self.history["seconds"] if s is not None)
        return seconds[len(seconds) // 2]

    def figures(self) -> dict:
        """All of it as numbers and lists, for a file."""
        return {
            "backend": self.backend,
            "threads": self.threads,
            "first_step_s": self.start_up,
            "epoch_s": self.epoch_seconds,
            "images": self.images,
            "accuracy": self.found.accuracy,
            "loss": self.found.loss,
            "history": self.history.columns,
        }


def train(
    network: Sequential,
    backend: str,
    make_optimizer,
    data: Dataset,
    test: Dataset,
    **fit_arguments,
) -> Run:
    """Train a copy of the network on a backend; what it learned is judged on `test`."""
    network = copy.deepcopy(network).to(backend)
    loss = SoftmaxCrossEntropy()
    start = perf_counter()
    size = fit_arguments["batch_size"]
    fit(copy.deepcopy(network), loss, make_optimizer(), data[:size], batch_size=size,
        progress=False)  # fmt: skip
    start_up = perf_counter() - start
    history = fit(network, loss, make_optimizer(), data, **fit_arguments)
    found = evaluate(network, loss, test)
    return Run(backend, threads_of(backend), start_up, len(data), history, found)


def threads_of(backend: str) -> int:
    if backend == "numba":
        return get_threads()
    blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return max(blas, default=1)


def compared(runs: list[dict]) -> str:
    """Backend, threads, start-up, time of an epoch, images/s, speed-up over numpy, accuracy."""
    reference = next((run for run in runs if run["backend"] == "numpy"), None)
    rows = []
    for run in runs:
        seconds = run["epoch_s"]
        rows.append([
            run["backend"], f"{run['threads']}", f"{run['first_step_s']:.2f}", f"{seconds:.2f}",
            f"{run['images'] / seconds:,.0f}",
            f"{reference['epoch_s'] / seconds:.1f}" if reference else "–",
            f"{run['accuracy']:.2%}",
        ])  # fmt: skip
    head = ["backend", "threads", "first step, s", "epoch, s", "images/s", "times as fast", "right"]
    return table(head, rows)
