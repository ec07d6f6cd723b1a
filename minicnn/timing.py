"""Where a training step's time goes, layer by layer, beside what the machine could do.

The roofline (Williams, Waterman & Patterson 2009): a layer's work takes at least

    limit = max(flops / peak rate, bytes / copy rate)

flops are 2 per multiply-add; bytes are the arrays that must be read or written once: inputs,
outputs, weights and their gradients. Both rates are measured here: multiply-adds that never leave
the registers, on as many threads as the step has (`backends/numba/peak.py`), and a copy, by one
core, of an array that fits few caches. Where a part moves less than CACHED bytes, they may never
leave a cache, and only the flops count. A share of the limit near 1 leaves nothing to gain; a small
one is time spent on something else. It exceeds 1 where several cores move the bytes, and where taps
that would meet padding are left out.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from math import inf
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from threadpoolctl import threadpool_info

from .common.arguments import whole_number
from .common.paths import path_text, whole_file
from .layers.base import Layer
from .losses import Loss
from .network import Container, Sequential, restore, snapshot
from .optimizers import Optimizer
from .training.checks import check_parts
from .training.samples import prepare

if TYPE_CHECKING:
    from matplotlib.figure import Figure


CACHED = 32 << 20  # bytes that the last cache of a common processor holds


@dataclass(frozen=True)
class Row:
    """One part of a step. limit_ms: the roofline's least time for the multiply-adds of the formula
    (Winograd's convolutions take fewer, and may beat it), 0 where it knows none: without
    multiply-adds, with fewer bytes than a cache holds, on a GPU. share: of the step, 0..1.
    """

    name: str
    direction: str
    ms: float
    multiply_adds: int
    gflops: float
    share: float
    limit_ms: float


@dataclass(frozen=True)
class Profile:
    """The parts of a training step; printing it gives a table.

    step_ms: the sum of the parts. first_step_seconds: the very first step, which may compile.
    peak_gflops, copy_gb_s: the machine's measured limits; None for a GPU, which is not measured.
    """

    rows: list[Row]
    step_ms: float
    first_step_seconds: float
    peak_gflops: float | None
    copy_gb_s: float | None
    backend: str

    def __str__(self) -> str:
        width = max(len(row.name) for row in self.rows) + 2
        limits, peak, copied = "", self.peak_gflops, self.copy_gb_s
        if peak is not None:
            limits = f"; limits: peak {peak:.0f} GFLOP/s, copy {copied:.1f} GB/s"
        lines = [
            f"{self.backend}: {self.step_ms:.3f} ms a step (the first took "
            f"{self.first_step_seconds:.2f} s){limits}",
            f"{'':{width}}{'direction':>10}{'ms':>10}{'share':>8}{'MMAC':>10}{'GFLOP/s':>10}"
            f"{'of limit':>10}",
        ]
        for row in self.rows:
            of_limit = f"{row.limit_ms / row.ms:.0%}" if row.limit_ms and row.ms else "-"
            lines.append(
                f"{row.name:{width}}{row.direction:>10}{row.ms:10.3f}{row.share:8.1%}"
                f"{row.multiply_adds / 1e6:10.2f}{row.gflops:10.1f}{of_limit:>10}"
            )
        return "\n".join(lines)

    def save(self, path: str | Path) -> None:
        """Write everything as JSON."""
        with whole_file(path_text(path, "path", "save")) as unfinished:
            unfinished.write_text(json.dumps(asdict(self), indent=1) + "\n", encoding="utf-8")

    def plot(self) -> Figure:
        """Bars of the parts' times with the limit of each marked, as a matplotlib figure."""
        from .plotting import timing_bars  # matplotlib takes a second to import

        labels = [f"{row.name} {row.direction}" for row in self.rows]
        return timing_bars(labels, [r.ms for r in self.rows], [r.limit_ms for r in self.rows])


def profile(
    network: Sequential, loss: Loss, optimizer: Optimizer, x: Any, y: Any, repeats: int = 20
) -> Profile:
    """Time `repeats` training steps on the batch (x, y), part by part; a part's time is the median.

    The steps are those of `fit`: gather, forward, loss, backward without the gradient of x, update.
    Network and optimiser are left as they were. Raises ValueError or TypeError for parts and data
    that do not fit, as `fit` does, and for fewer than one repeat.
    """
    check_parts("profile", network, loss, optimizer)
    whole_number(repeats, "repeats", "profile")
    loss = loss.on(network.backend)
    samples = prepare(network, loss, (x, y), "x, y")
    before, optimizer = snapshot(network), copy.deepcopy(optimizer)
    on_host = network.backend != "cuda"  # its rates are no limits of a GPU
    peak, copied = (peak_rate(network.backend), copy_rate()) if on_host else (inf, inf)
    start = perf_counter()
    try:
        with np.errstate(over="ignore", invalid="ignore"):
            parts = list(timed_step(network, loss, optimizer, samples))
            first = perf_counter() - start
            runs = [list(timed_step(network, loss, optimizer, samples)) for _ in range(repeats)]
    finally:
        restore(network, before)
    seconds = [median(run[k][2] for run in runs) for k in range(len(parts))]
    step = sum(seconds)
    rows = []
    for (name, direction, _, macs, moved), time in zip(parts, seconds):
        limit = max(2 * macs / peak, moved / copied if moved > CACHED else 0.0)
        rate = 2e-9 * macs / time
        rows.append(Row(name, direction, 1e3 * time, macs, rate, time / step, 1e3 * limit))
    gflops, gb_s = (peak / 1e9, copied / 1e9) if on_host else (None, None)
    return Profile(rows, 1e3 * step, first, gflops, gb_s, network.backend)


def timed_step(network, loss, optimizer, samples) -> Iterator[tuple[str, str, float, int, int]]:
    """One step: for each part its name, direction, seconds, multiply-adds and least bytes moved."""
    ops, count = network.ops, samples.size
    timed = partial(clock, wait=ops.synchronize)
    everything = np.arange(count)

    seconds, value = timed(ops.gather, samples.data, everything, samples.dtype, network.buffers)
    yield "gather", "", seconds, 0, size(samples.data) + size(value)
    with Stopwatch(network, timed) as watch:
        value = network.forward_batch(value, True)
        yield from watch.taken()
        seconds, _ = timed(lambda: ops.to_float(loss.compare(value, samples.targets, everything)))
        yield "loss", "forward", seconds, 0, 2 * size(value)
        seconds, slope = timed(loss.backward_batch)
        yield "loss", "backward", seconds, 0, 2 * size(value)
        network.backward_batch(slope, input_gradient=False)
        yield from watch.taken()
    parameters = network.parameters()
    seconds, _ = timed(optimizer.step, parameters)
    slots = sum(p.value.nbytes for slot in optimizer.slots.values() for p in slot)
    moved = 3 * sum(p.value.nbytes for p in parameters) + 2 * slots  # values and slots: there, back
    yield "update", "", seconds, 0, moved


class Stopwatch:
    """While it is open, every batch that passes a layer is timed.

    The time of a container is what it adds to that of the layers in it; of a plain Sequential,
    which adds nothing, none is taken.
    """

    def __init__(self, network: Sequential, timed: Any) -> None:
        self.layers, self.timed = list(named_layers(network)), timed
        self.parts: list[tuple[str, str, float, int, int]] = []
        self.forwards: dict[str, tuple[str, int, int]] = {}  # of each layer: name, work, bytes
        self.inside = [0.0]  # seconds of what finished inside each layer that is at work

    def taken(self) -> list[tuple[str, str, float, int, int]]:
        """What `timed_step` yields of the layers that finished since it was asked last."""
        parts, self.parts = self.parts, []
        return parts

    def __enter__(self) -> Self:
        for name, layer in self.layers:
            for method in (layer.forward_batch, layer.backward_batch):
                setattr(layer, method.__name__, partial(self.call, name, layer, method))
        return self

    def __exit__(self, *exception: object) -> None:
        for _, layer in self.layers:  # the methods of its class show again
            del layer.forward_batch, layer.backward_batch

    def call(
        self, name: str, layer: Layer, method: Any, batch: Any, option: bool = True, **more: bool
    ) -> Any:
        self.inside.append(0.0)
        seconds, result = self.timed(partial(method, **more), batch, option)
        own = seconds - self.inside.pop()
        self.inside[-1] += seconds
        direction = method.__name__.removesuffix("_batch")
        if direction == "forward":
            self.forwards[name] = work(name, layer, batch, result, *more)
            products = 1
        else:
            products = bool(layer.parameters()) + option
        named, macs, moved = self.forwards[name]
        self.parts.append((named, direction, own, products * macs, products * moved))
        return result


def work(name: str, layer: Layer, x: Any, y: Any, *way: str) -> tuple[str, int, int]:
    """Of a forward pass: the name with its way, multiply-adds, and least bytes moved."""
    moved = size(x) + size(y)
    if isinstance(layer, Container):
        return name, 0, moved
    macs = layer.multiply_adds(x.shape[1:]) * x.shape[0]
    ways = filter(None, (name, layer.way(x.shape[1:]), *way))
    weights = sum(p.value.nbytes for p in layer.state().values() if not p.statistic)
    return ", ".join(ways), macs, moved + weights


def clock(function, *arguments, wait=lambda: None):
    """Seconds and result; wait() returns when a device has done what it was asked for."""
    start = perf_counter()
    result = function(*arguments)
    wait()
    return perf_counter() - start, result


def size(batch) -> int:
    return int(np.prod(batch.shape)) * np.dtype(batch.dtype).itemsize


def named_layers(container: Container, above: str = "") -> Iterator[tuple[str, Layer]]:
    """Every layer at any depth that is no plain Sequential, with its place in the name."""
    for name, layer in container.parts().items():
        if type(layer) is not Sequential:
            yield f"{above}{name} {type(layer).__name__}", layer
        if isinstance(layer, Container):
            yield from named_layers(layer, f"{above}{name}.")


def peak_rate(backend: str) -> float:
    """Floating-point operations a second of multiply-adds in registers, on a step's threads."""
    from .backends.numba.peak import multiply_add_rate
    from .backends.numba.runtime import get_threads

    if backend == "numba":
        return multiply_add_rate(get_threads())
    blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    return multiply_add_rate(max(blas, default=1))


def copy_rate() -> float:
    """Bytes a second, read and written, of copying an array that is larger than the caches."""
    a = np.ones(2**24, np.float32)  # 64 MB
    b = np.empty_like(a)
    np.copyto(b, a)  # the first touch of b's pages costs extra
    return 2 * a.nbytes / median(clock(np.copyto, b, a)[0] for _ in range(5))
