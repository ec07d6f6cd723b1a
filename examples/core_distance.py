"""How far apart are the cores? The way of a message, and what a second thread gives meanwhile.

Threads that share a step send each other messages: begin, done, and what they have written. Cores
that share a cache pass one on quickly, cores further apart need several times as long. In a
virtual machine the host decides which cores you have, and changes its mind while you measure. So by
turns, for minutes: how long a message takes there and back, and a training step of the MNIST
network on one thread and on --threads of them, or as many as there are cores. --quick: four turns.
"""

import os
import sys
from concurrent.futures import ThreadPoolExecutor
from time import perf_counter

import numpy as np
from duration import say_how_long
from epoch_time import step_seconds
from matplotlib.figure import Figure
from networks import mnist_cnn
from numba import njit, types
from numba.core import cgutils
from numba.extending import intrinsic
from options import parser
from results import keep, table

from minicnn import SGD, backends, set_threads
from minicnn.data import Dataset

CORES = sorted(os.sched_getaffinity(0))
MESSAGES = 20_000  # there and back
STEPS = 600


def main() -> None:
    options = parser(__doc__, "threads seed out quick").parse_args()
    backends.get("numba")
    if len(CORES) < 2:
        sys.exit("there is one core, and nobody to send a message to")
    turns, many = 4 if options.quick else 200, options.threads or len(CORES)
    say_how_long(options, minutes=2.2)
    rng, network = np.random.default_rng(options.seed), mnist_cnn(options.seed).to("numba")
    images = rng.integers(0, 256, (64, 1, 28, 28), dtype=np.uint8)
    batch = Dataset(images, rng.integers(0, 10, 64), tuple("0123456789"))
    found: dict = {"threads": many, "at_s": [], "round_trip_ns": [], "one_ms": [], "many_ms": []}
    start = perf_counter()
    for _ in range(turns):
        found["at_s"].append(perf_counter() - start)
        found["round_trip_ns"].append(farthest())
        for name, threads in (("one_ms", 1), ("many_ms", many)):
            set_threads(threads)
            seconds = step_seconds(network, SGD(1e-3), batch, STEPS, replay=True)
            found[name].append(1e3 * seconds)
    path = keep(options, "core_distance", found, plot(found))
    print(f"\n{distance_table(found)}\n\n{path} and .png")


def farthest() -> float:
    """Nanoseconds of a message from the first core to another and back, to the farthest of them."""
    return max(round_trip(CORES[0], other) for other in CORES[1:])


def round_trip(one: int, other: int) -> float:
    """The fastest of five exchanges, in nanoseconds for a message there and back."""
    with ThreadPoolExecutor(2) as threads:
        times = []
        for _ in range(5):
            box = np.zeros(1, np.int64)
            ends = [threads.submit(play, core, box, k) for k, core in enumerate((one, other))]
            times.append(max(end.result() for end in ends))
    return 1e9 * min(times) / MESSAGES


def play(core: int, box: np.ndarray, first: int) -> float:
    os.sched_setaffinity(0, {core})  # of this thread
    start = perf_counter()
    exchange(box, first, MESSAGES)
    return perf_counter() - start


def address(context, builder, signature, arguments):
    """Of the first number of the first argument, an array."""
    return cgutils.create_struct_proxy(signature.args[0])(context, builder, arguments[0]).data


@intrinsic
def read(typing, box):
    """box[0], from memory each time: a compiler would read it once, and wait forever."""

    def generate(context, builder, signature, arguments):
        place = address(context, builder, signature, arguments)
        return builder.load_atomic(place, "seq_cst", 8)

    return types.int64(box), generate


@intrinsic
def write(typing, box, message):
    def generate(context, builder, signature, arguments):
        place = address(context, builder, signature, arguments)
        builder.store_atomic(arguments[1], place, "seq_cst", 8)
        return context.get_dummy_value()

    return types.void(box, types.int64), generate


@njit("void(int64[::1], int64, int64)", nogil=True)
def exchange(box, first, messages):
    """One player answers 0, 2, 4, …, the other 1, 3, 5, …: each number by the next."""
    for message in range(first, 2 * messages, 2):
        while read(box) != message:
            pass
        write(box, message + 1)


def distance_table(found: dict) -> str:
    """The turns in quarters, from the shortest to the longest way: medians of each."""
    order = np.argsort(found["round_trip_ns"])
    rows = []
    for quarter in np.array_split(order, 4):
        ns, one, many = (
            np.median(np.array(found[name])[quarter])
            for name in ("round_trip_ns", "one_ms", "many_ms")
        )
        rows.append([f"{ns:.0f}", f"{one:.2f}", f"{many:.2f}", f"{one / many:.2f}×"])
    many = f"{found['threads']} threads"
    return table(["there and back, ns", "1 thread, ms", f"{many}, ms", f"{many} over 1"], rows)


def plot(found: dict) -> Figure:
    figure = Figure(figsize=(7, 4), layout="constrained")
    above, below = figure.subplots(2, 1, sharex=True)
    above.plot(found["at_s"], found["round_trip_ns"], color="#0072b2")
    above.set(ylim=(0, None), ylabel="a message there\nand back, ns")
    times = np.divide(found["one_ms"], found["many_ms"])
    below.plot(found["at_s"], times, color="#d55e00")
    below.set(ylim=(0, None), ylabel=f"{found['threads']} threads\nover 1", xlabel="seconds")
    return figure


if __name__ == "__main__":
    main()
