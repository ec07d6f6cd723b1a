"""Networks described in a few lines of text.

    5 20        a convolution: 5×5 kernel, 20 filters
    5 40        another
    120         a dense layer of 120 units, in the last line

Each convolution has stride 1, same padding, and is followed by 2×2 max pooling that keeps a ragged
edge and by ReLU; the dense layer by a sigmoid and by the output layer. LeNet-5 (LeCun et al. 1998)
is `5 6`, `5 16`, `5 120`, `84`, up to its pooling and activations. Empty lines are skipped.
"""

from __future__ import annotations

import os

from ..common.errors import DataFileError
from ..common.paths import path_text, refuse_special
from ..layers import Conv2D, Dense, Flatten, Layer, MaxPool2D, ReLU, Sigmoid
from ..network import Sequential

MAX_BYTES = 10_000
MAX_KERNEL = 99
MAX_UNITS = 100_000  # filters of a convolution, or units of the dense layer
MAX_WEIGHTS = 2 * 10**7  # of the whole network: 80 MB in float32


def read_network(
    path: str | os.PathLike[str], input_shape: tuple[int, int, int], outputs: int, seed: int = 0
) -> Sequential:
    """The network in a text file, for images of input_shape (C, H, W), with weights from the seed.

    DataFileError, naming file and line, for anything else than the lines above, and for a network
    of more than MAX_WEIGHTS weights, before any memory is taken for it. OSError if the file cannot
    be read. What `save` wrote is for `load`.
    """
    name = path_text(path, "path", "read_network")
    convolutions, units = read_lines(name)
    if len(input_shape) != 3:
        raise ValueError(f"read_network: input_shape must be (C, H, W), got {input_shape!r}")
    channels, height, width = input_shape
    weights, sizes = 0, [channels]
    for kernel, filters in convolutions:
        weights = checked(name, weights + sizes[-1] * filters * kernel**2)
        sizes.append(filters)
        height, width = -(-height // 2), -(-width // 2)
    features = sizes[-1] * height * width
    checked(name, weights + (features + outputs) * units)
    layers: list[Layer] = []
    for before, (kernel, filters) in zip(sizes, convolutions):
        layers += [
            Conv2D(before, filters, kernel, padding="same"),
            MaxPool2D(2, ceil_mode=True),
            ReLU(),
        ]
    layers += [Flatten(), Dense(features, units), Sigmoid(), Dense(units, outputs)]
    return Sequential(*layers, seed=seed)


def read_lines(name: str) -> tuple[list[tuple[int, int]], int]:
    """(kernel, filters) of each convolution, and the units of the dense layer."""
    refuse_special(name)
    with open(name, "rb") as file:
        content = file.read(MAX_BYTES + 1)
    if content.startswith(b"PK"):
        raise DataFileError(f"{name}: got a saved network, wanted lines of text: use load(path)")
    if len(content) > MAX_BYTES:
        raise DataFileError(f"{name}: got more than {MAX_BYTES} bytes, wanted a few lines of text")
    lines = content.decode("ascii", errors="replace").splitlines()
    numbered = [(k, line.split()) for k, line in enumerate(lines, start=1) if line.strip()]
    convolutions = []
    for k, words in numbered[:-1]:
        wanted = f"a convolution's kernel size (1..{MAX_KERNEL}) and filters (1..{MAX_UNITS})"
        kernel, filters = numbers(words, (MAX_KERNEL, MAX_UNITS), f"{name}, line {k}", wanted)
        convolutions.append((kernel, filters))
    if not numbered:
        raise DataFileError(f"{name}: got no lines, wanted at least the units of a dense layer")
    k, words = numbered[-1]
    wanted = f"the last line to be the units of a dense layer (1..{MAX_UNITS})"
    (units,) = numbers(words, (MAX_UNITS,), f"{name}, line {k}", wanted)
    return convolutions, units


def numbers(words: list[str], limits: tuple[int, ...], where: str, wanted: str) -> list[int]:
    """As many whole numbers as there are limits, each from 1 to its own."""
    right = len(words) == len(limits) and all(w.isdecimal() and len(w) < 10 for w in words)
    if not right or not all(1 <= int(w) <= limit for w, limit in zip(words, limits)):
        raise DataFileError(f"{where}: got {' '.join(words)[:60]!r}, wanted {wanted}")
    return [int(word) for word in words]


def checked(name: str, weights: int) -> int:
    if weights > MAX_WEIGHTS:
        raise DataFileError(f"{name}: got {weights} weights, wanted at most {MAX_WEIGHTS}")
    return weights
