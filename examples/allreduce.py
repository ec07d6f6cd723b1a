"""How long an Allreduce takes, and what that makes of a training step on many ranks.

    mpiexec -n 2 python examples/allreduce.py --backend numba --threads 1

Times Allreduce against bytes on the ranks it was started with, fits t = latency + bytes / rate,
and carries the fit over to other numbers of ranks with the cost of a ring (Patarasuk & Yuan 2009):

    t(p, n) = 2 (p - 1) · a + 2 (p - 1) / p · n / b

a: start-up of one message, b: bytes/s of one link. A step of the LeNet-like network (conv 32 and
64 5×5, dense 128, Adam, 64 images a rank) is timed here too; only its Allreduce grows with p.
"""

from statistics import median
from time import perf_counter

import numpy as np
from matplotlib.figure import Figure
from networks import lenet
from options import chosen_backends, parser
from results import keep, table

from minicnn import Adam, SoftmaxCrossEntropy, fit

RANKS = 8, 64, 512


def time_allreduce(comm, size: int, repeats: int) -> float:
    """Median seconds of an Allreduce of `size` bytes of float32, of the rank that took longest."""
    from mpi4py import MPI

    buffer, seconds = np.zeros(size // 4, np.float32), []
    for _ in range(repeats + 2):  # two to warm up
        comm.Barrier()
        start = perf_counter()
        comm.Allreduce(MPI.IN_PLACE, buffer)
        seconds.append(comm.allreduce(perf_counter() - start, MPI.MAX))
    return median(seconds[2:])


def fitted(sizes: list[int], seconds: list[float]) -> tuple[float, float]:
    """Latency and bytes/s with the least squared relative error; neither is negative."""
    t = np.array(seconds)
    columns = np.stack([np.ones(len(t)), np.array(sizes)], axis=1) / t[:, None]
    (latency, per_byte), *_ = np.linalg.lstsq(columns, np.ones(len(t)))
    return max(latency, 0.0), 1 / per_byte


def ring(ranks: int, size: int, start_up: float, rate: float) -> float:
    return 2 * (ranks - 1) * start_up + 2 * (ranks - 1) / ranks * size / rate


def time_step(backend: str, steps: int) -> float:
    """Seconds of one step of 64 images in one process, mean over the faster of two epochs."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (64 * steps, 1, 28, 28)).astype(np.uint8)
    labels = rng.integers(0, 10, len(images))
    network = lenet().to(backend)
    history = fit(
        network, SoftmaxCrossEntropy(), Adam(1e-4), (images, labels), epochs=3, batch_size=64,
        progress=False,
    )  # fmt: skip
    return min(s for s in history["seconds"][1:] if s is not None) / steps


def main() -> None:
    flags = parser(__doc__, "backend threads out quick")
    options = flags.parse_args()
    try:  # here, for the book's tables are also made where there is no MPI
        from minicnn.distributed import job
    except ImportError as error:
        flags.exit(2, f"{error}\n")
    from mpi4py import MPI

    if MPI.COMM_WORLD.size < 2:
        flags.exit(2, "one rank has nobody to reduce with: mpiexec -n 2 python "
                      "examples/allreduce.py\n")  # fmt: skip
    chosen_backends(options)
    with job() as comm:
        gradient_bytes = 4 * sum(p.value.size for p in lenet().parameters())
        sizes = sorted([*(4**k for k in range(1, 12)), gradient_bytes])
        repeats = 20 if options.quick else 100
        seconds = [time_allreduce(comm, size, repeats) for size in sizes]
        # All at once, as in training: ranks on one machine share its memory.
        step = comm.allreduce(time_step(options.backend, 20), MPI.MAX)
        if comm.rank == 0:
            report(options, comm.size, sizes, seconds, gradient_bytes, step)


def report(
    options, ranks: int, sizes: list[int], seconds: list[float], gradient_bytes: int, step: float
) -> None:
    latency, rate = fitted(sizes, seconds)
    start_up, link = latency / (2 * (ranks - 1)), rate * 2 * (ranks - 1) / ranks
    reduces = {p: ring(p, gradient_bytes, start_up, link) for p in RANKS}
    found = {
        "ranks": ranks, "bytes": sizes, "seconds": seconds, "latency": latency, "rate": rate,
        "start_up": start_up, "link": link, "gradient_bytes": gradient_bytes, "step_alone": step,
        "model": [{"ranks": p, "allreduce": t, "step": step + t} for p, t in reduces.items()],
    }  # fmt: skip
    drawn = figure(ranks, sizes, seconds, latency, rate)
    path = keep(options, f"allreduce-{ranks}", found, drawn)
    print(f"\n{times_table(found)}\n\n{fit_table(found)}\n\n{model_table(found)}")
    print(f"\n{path} and .png")


def times_table(found: dict) -> str:
    """Measured, and what the line through all of them says."""
    rows = []
    for size, seconds in zip(found["bytes"], found["seconds"]):
        line = found["latency"] + size / found["rate"]
        rows.append([f"{size:,}", f"{1e6 * seconds:.1f}", f"{1e6 * line:.1f}"])
    return table(["bytes", f"{found['ranks']} ranks, µs", "the line, µs"], rows)


def fit_table(found: dict) -> str:
    rows = [
        ["latency", f"{1e6 * found['latency']:.1f} µs"],
        ["rate", f"{found['rate'] / 1e9:.2f} GB/s"],
        ["in a ring: a", f"{1e6 * found['start_up']:.1f} µs"],
        ["in a ring: b", f"{found['link'] / 1e9:.2f} GB/s"],
        ["gradient of the network", f"{found['gradient_bytes']:,} bytes"],
        ["a rank's step without Allreduce", f"{1e3 * found['step_alone']:.1f} ms"],
    ]  # fmt: skip
    return table([f"measured with {found['ranks']} ranks", ""], rows)


def model_table(found: dict) -> str:
    rows = [
        [str(row["ranks"]), f"{64 * row['ranks']:,}", f"{1e3 * row['allreduce']:.2f}",
         f"{1e3 * row['step']:.1f}", f"{found['step_alone'] / row['step']:.0%}"]
        for row in found["model"]
    ]  # fmt: skip
    return table(["ranks, by the model", "images a step", "Allreduce, ms", "step, ms",
                  "efficiency"], rows)  # fmt: skip


def figure(ranks: int, sizes: list[int], seconds: list[float], latency, rate) -> Figure:
    figure = Figure(figsize=(5, 3.2), layout="constrained")
    axes = figure.add_subplot()
    line = np.geomspace(min(sizes), max(sizes))
    axes.loglog(sizes, np.array(seconds) * 1e6, "ko", label=f"measured, {ranks} ranks")
    axes.loglog(
        line, (latency + line / rate) * 1e6, "--", color="0.4",
        label=f"{latency * 1e6:.1f} µs + bytes / ({rate / 1e9:.2f} GB/s)",
    )  # fmt: skip
    axes.set(xlabel="bytes", ylabel="Allreduce (µs, median)")
    axes.legend()
    return figure


if __name__ == "__main__":
    main()
