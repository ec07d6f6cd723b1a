"""One training step on a GPU, kernel by kernel: what each must take at least, and what it takes.

A kernel reads and writes the arrays that it was given at least once, and a product makes its
multiply-adds: at the memory's and the arithmetic's full rate that takes so long, and a launch some
microseconds. Nsight Compute times the kernels; the network is the LeNet-like one at batch 256:

    ncu --clock-control none --csv --profile-from-start off --metrics gpu__time_duration.sum \\
        python examples/gpu_step.py > step.csv
    python examples/gpu_step.py --times step.csv
"""

import csv
from pathlib import Path

import numpy as np
from frameworks.gpu import gpu_name
from frameworks.minicnn_step import network
from frameworks.workloads import at_batch
from options import at_least, chosen_backends, parser
from results import save, table

import minicnn as m
from minicnn.training.samples import prepare
from minicnn.training.step import Rules, constant, forward_and_backward, update

# An H100 SXM: 132 multiprocessors at 1.98 GHz, whose tensor cores make 1,024 multiply-adds of short
# numbers a cycle, three of which are one of ours; its memory as a copy between two arrays uses it
# (`make bench-gpu`), not as it is sold; the shortest kernel that does anything.
PEAK_GFLOPS, COPY_GBS, SHORTEST_US = 2 * 132 * 1024 / 3 * 1.98, 2760, 2.3


def main() -> None:
    options = parser(__doc__, "out", backend="cuda", threads=None)
    options.add_argument("--workload", default="lenet b64")
    options.add_argument("--batch", type=at_least(1), default=256)
    options.add_argument("--times", type=Path, help="CSV of Nsight Compute")
    options = options.parse_args()
    chosen_backends(options)
    launches = one_step(at_batch(options.workload, options.batch))
    kernels = [counted(*launch) for launch in launches]
    if options.times is not None:
        times = microseconds(options.times.read_text(encoding="utf-8"))
        if len(times) != len(kernels):
            raise SystemExit(f"{options.times}: {len(times)} kernels, the step has {len(kernels)}")
        for kernel, us in zip(kernels, times):
            kernel["us"] = us
    found = {"gpu": gpu_name(), "kernels": kernels}
    path = options.out / "gpu_step.json"
    save(path, found)
    print(f"{launches_table(found)}\n\n{path.resolve()}")


def one_step(work) -> list[tuple]:
    """The launches of a step. It is taken twice before, and once more for the profiler to see."""
    from minicnn.backends.cuda.device import cuda
    from minicnn.backends.cuda.recording import written_down

    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (work.batch, *work.shape), dtype=np.uint8)
    labels = rng.integers(0, max(2, work.outputs), work.batch)
    net, optimizer = network(work).to("cuda"), m.Adam(1e-3)
    loss = (m.SigmoidCrossEntropy() if work.outputs == 1 else m.SoftmaxCrossEntropy()).on("cuda")
    samples, parameters = prepare(net, loss, (images, labels), "samples"), net.parameters()
    steps, rules = net.ops.Steps(np.float32), Rules(constant, None, None)
    steps.recordable = False  # every kernel by itself

    def take(count):
        steps.start([np.arange(work.batch)] * count, [1e-3] * count, optimizer.steps)
        for _ in range(count):
            steps.take(
                lambda chosen: forward_and_backward(net, loss, samples, chosen),
                lambda lr, step: update(parameters, optimizer, lr, step, rules),
            )

    take(2)
    cuda.profile_start()
    take(1)
    cuda.synchronize()
    cuda.profile_stop()
    return written_down(lambda: take(1))


def counted(kernel, blocks, threads, arguments) -> dict:
    """A launch: the least that it moves, a product's multiply-adds, and the time of both."""
    arrays = {id(a): a.size * np.dtype(a.dtype).itemsize for a in arguments if hasattr(a, "size")
              and not np.isscalar(a)}  # fmt: skip
    flops = 0
    if ", tile " in kernel.name:
        rows, columns, depth = arguments[4:7]
        flops = 2 * rows * columns * depth
    mb = sum(arrays.values()) / 1e6
    least = max(1e3 * mb / COPY_GBS, flops / PEAK_GFLOPS / 1e3) + SHORTEST_US
    return {
        "name": kernel.name,
        "blocks": blocks,
        "threads": threads,
        "mb": mb,
        "flops": flops,
        "least_us": least,
        "us": None,
    }


def microseconds(text: str) -> list[float]:
    """Of each kernel, from the profiler's table; what the program printed stands around it."""
    rows = csv.DictReader(line for line in text.splitlines() if line.startswith('"'))
    units = {"ns": 1e-3, "nsecond": 1e-3, "us": 1.0, "usecond": 1.0}
    return [
        float(row["Metric Value"].replace(",", "")) * units[row["Metric Unit"]]
        for row in rows
        if row["Metric Name"] == "gpu__time_duration.sum"
    ]


def launches_table(found: dict) -> str:
    """The launches in order, those of less than a fiftieth of the step's bound put together."""
    rows, rest = [], [0, 0.0, 0.0]
    whole = sum(kernel["least_us"] for kernel in found["kernels"])
    for kernel in found["kernels"]:
        if max(kernel["least_us"], kernel["us"] or 0) < whole / 50:
            rest = [rest[0] + 1, rest[1] + kernel["least_us"], rest[2] + (kernel["us"] or 0)]
        else:
            rows.append([
                kernel["name"], f"{kernel['mb']:.1f}", f"{kernel['flops'] / 1e9:.2f}",
                f"{kernel['least_us']:.0f}", *time_and_share(kernel["least_us"], kernel["us"]),
            ])  # fmt: skip
    taken = [kernel["us"] for kernel in found["kernels"]]
    us = sum(taken) if None not in taken else None
    rows.append([f"{rest[0]} short ones", "", "", f"{rest[1]:.0f}",
                 *time_and_share(rest[1], rest[2] or None)])  # fmt: skip
    rows.append(["the step", "", "", f"{whole:.0f}", *time_and_share(whole, us)])
    return table(["kernel", "MB", "GFLOP", "at least, µs", "taken, µs", "least/taken"], rows)


def time_and_share(least: float, us: float | None) -> list[str]:
    return ["–", "–"] if us is None else [f"{us:.0f}", f"{least / us:.0%}"]


if __name__ == "__main__":
    main()
