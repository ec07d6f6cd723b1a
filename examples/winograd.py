"""Winograd's convolutions beside the formula's own: how fast, and how exact.

Both ways take the same layer in turn, forward and both gradients, on the numba backend, on one
thread unless --threads says otherwise.
docs/fewer-multiplications.md derives the algorithm.
"""

from statistics import median
from time import perf_counter

import numpy as np
from duration import say_how_long
from options import chosen_backends, parser
from results import keep, table
from tqdm import tqdm

from minicnn import backends
from minicnn.backends.numba import convolution, direct_weights, winograd, winograd_weights
from minicnn.backends.numba.runtime import get_threads
from minicnn.backends.numpy import convolution as reference
from minicnn.backends.window import Window

# batch, channels, filters, kernel size, side of the image
LAYERS = [
    (64, 16, 16, 3, 14),
    (64, 32, 32, 3, 28),
    (64, 64, 64, 3, 14),
    (64, 128, 128, 3, 7),
    (64, 16, 32, 5, 14),
    (64, 32, 64, 5, 14),
    (64, 40, 80, 5, 7),
]
NAMES = "forward", "input gradient", "weight gradient"


def both_ways(batch: int, channels: int, filters: int, k: int, side: int, seed: int):
    """For each of NAMES: (direct, by Winograd, in float64), functions that return an array."""
    ops, rng = backends.get("numba"), np.random.default_rng(seed)
    window = Window((k, k), (1, 1), (k // 2, k // 2), (side, side), (side, side))
    x, dy = (rng.standard_normal((batch, n, side, side), "f") for n in (channels, filters))
    w = rng.standard_normal((filters, channels, k, k), "f")
    lanes, ways = [ops.from_numpy(a) for a in (x, dy)], []
    for forward, input_gradient, weight_gradient in (
        (
            convolution.direct_forward,
            convolution.direct_input_gradient,
            direct_weights.conv2d_weight_gradient,
        ),
        (
            winograd.conv2d_forward,
            winograd.conv2d_input_gradient,
            winograd_weights.conv2d_weight_gradient,
        ),
    ):
        buffers, dw = ops.Buffers(), np.empty_like(w)
        ways.append((
            lambda f=forward, b=buffers: f(lanes[0], w, None, window, b),
            lambda f=input_gradient, b=buffers: f(lanes[1], w, window, b),
            lambda f=weight_gradient, b=buffers, dw=dw: f(lanes[1], lanes[0], window, dw, b) or dw,
        ))  # fmt: skip
    return zip(NAMES, *ways, exact(x, dy, w, window))


def exact(x, dy, w, window: Window) -> list[np.ndarray]:
    """The same by the reference, in float64."""
    ops = backends.get("numpy")
    x, dy, w = (a.astype(float) for a in (x, dy, w))
    dw = np.empty_like(w)
    reference.conv2d_weight_gradient(dy, x, window, 1, dw, ops.Buffers())
    return [
        reference.conv2d_forward(x, w, None, window, 1, ops.Buffers()),
        reference.conv2d_input_gradient(dy, w, window, 1, ops.Buffers()),
        dw,
    ]


def measured(layer: tuple, rounds: int, seed: int) -> dict:
    """Medians of milliseconds, and largest errors over the largest value."""
    ops, found = backends.get("numba"), {"layer": layer}
    for name, *ways, wanted in both_ways(*layer, seed):
        results = [y if isinstance(y, np.ndarray) else ops.to_numpy(y) for y in (f() for f in ways)]
        errors = [float(np.abs(y - wanted).max() / np.abs(wanted).max()) for y in results]
        times = [[], []]
        for _ in range(rounds):
            for function, taken in zip(ways, times):
                start = perf_counter()
                function()
                taken.append(1e3 * (perf_counter() - start))
        found[name] = {"ms": [median(t) for t in times], "errors": errors}
    return found


def described(layer: list) -> str:
    batch, channels, filters, k, side = layer
    return f"{channels} → {filters}, {k} × {k}, {side}², {batch} images"


def speed_table(found: dict) -> str:
    """Milliseconds of the direct way, and how many times faster Winograd's is."""
    rows = []
    for row in found["layers"]:
        times = [row[name]["ms"] for name in NAMES]
        rows.append([
            described(row["layer"]),
            *(cell for direct, few in times for cell in (f"{direct:.2f}", f"{direct / few:.2f}×")),
        ])  # fmt: skip
    head = ["layer"]
    for name in NAMES:
        head += [f"{name} (ms)", "gain"]
    return table(head, rows)


def error_table(found: dict) -> str:
    """Largest error over largest value: Winograd's, and the direct way's in brackets."""
    rows = [
        [
            described(row["layer"]),
            *(
                f"{few:.1e} ({direct:.1e})"
                for direct, few in (row[name]["errors"] for name in NAMES)
            ),
        ]
        for row in found["layers"]
    ]
    return table(["layer", *NAMES], rows)


def main() -> None:
    options = parser(__doc__, "threads seed out quick", backend="numba", threads=1).parse_args()
    chosen_backends(options)
    say_how_long(options, minutes=0.3)
    layers, rounds = (LAYERS[1:2], 5) if options.quick else (LAYERS, 15)
    rows = [measured(layer, rounds, options.seed) for layer in tqdm(layers, disable=None)]
    report = {"threads": get_threads(), "layers": rows}
    path = keep(options, "winograd", report, None)
    print(f"\n{speed_table(report)}\n\n{error_table(report)}\n\n{path}")


if __name__ == "__main__":
    main()
