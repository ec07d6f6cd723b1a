"""The eight training steps that frameworks are compared on: networks as plain data."""

from dataclasses import dataclass, replace

# Of every optimiser. A network that learns its one batch by heart has gradients that vanish, into
# numbers so small (below 1e-38) that many processors take far longer over each. JAX rounds those
# to 0, the others do not. With this rate nothing is learned, and nothing vanishes.
RATE = 1e-6


@dataclass(frozen=True)
class Workload:
    """A network, layer by layer, with its batch, its loss and its optimiser.

    layers: ("conv", filters, kernel) with stride 1 and "same" padding, or with "valid" as a fourth
    without any, ("pool",) 2×2 that keeps a ragged edge, ("relu",), ("sigmoid",), ("flatten",),
    ("dense", outputs).
    shape: of a sample, (C, H, W) or (features,). optimizer: "sgd" or "adam".
    One output means sigmoid cross-entropy, more mean softmax cross-entropy.
    """

    name: str
    batch: int
    shape: tuple[int, ...]
    layers: tuple[tuple, ...]
    optimizer: str = "sgd"

    @property
    def outputs(self) -> int:
        return self.layers[-1][1]


def zener(*filters: int) -> tuple[tuple, ...]:
    convolutions = [((("conv", count, 5)), ("pool",), ("relu",)) for count in filters]
    return (*sum(convolutions, ()), ("flatten",), ("dense", 120), ("sigmoid",), ("dense", 1))


def two_convolutions(first: int, second: int, kernel: int, *dense: tuple) -> tuple[tuple, ...]:
    return (
        ("conv", first, kernel), ("relu",), ("pool",),
        ("conv", second, kernel), ("relu",), ("pool",), ("flatten",), *dense,
    )  # fmt: skip


DIGIT = (1, 28, 28)
MNIST = two_convolutions(8, 16, 3, ("dense", 10))
LENET = two_convolutions(32, 64, 5, ("dense", 128), ("relu",), ("dense", 10))
# What SimpleChains.jl is measured on.
LENET_5 = (
    ("conv", 6, 5, "valid"), ("relu",), ("pool",),
    ("conv", 16, 5, "valid"), ("relu",), ("pool",), ("flatten",),
    ("dense", 120), ("relu",), ("dense", 84), ("relu",), ("dense", 10),
)  # fmt: skip
MLP = (("flatten",), ("dense", 128), ("relu",), ("dense", 10))
WIDE = (("dense", 4096), ("relu",), ("dense", 1024))

WORKLOADS = [
    Workload("zener4 b256", 256, (1, 25, 25), zener(16)),
    Workload("zener7 b256", 256, (1, 25, 25), zener(20, 40, 80, 100)),
    Workload("mnist b12", 12, DIGIT, MNIST),
    Workload("mnist b64", 64, DIGIT, MNIST),
    Workload("lenet b64", 64, DIGIT, LENET, "adam"),
    Workload("lenet-5 b64", 64, DIGIT, LENET_5, "adam"),
    Workload("fashion mlp b32", 32, DIGIT, MLP, "adam"),
    Workload("dense b64", 64, (2048,), WIDE),
]


def at_batch(name: str, batch: int) -> Workload:
    """A workload by its name without the batch, at another batch: ("lenet", 256)."""
    kind = name.rpartition(" b")[0] or name
    work = next(w for w in WORKLOADS if w.name.rpartition(" b")[0] == kind)
    return replace(work, name=f"{kind} b{batch}", batch=batch)
