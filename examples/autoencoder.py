"""A convolutional auto-encoder: digits squeezed through two numbers and drawn again from them.

The encoder's convolutions halve the image twice, and a dense layer leaves two numbers; transposed
convolutions (the same operations backwards) double it twice again. Nobody tells the network what
the digits are.
"""

import numpy as np
from duration import say_how_long
from matplotlib import colormaps
from matplotlib.figure import Figure
from options import chosen_backends, parser
from results import keep

from minicnn import (
    Adam,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Flatten,
    MeanSquaredError,
    ReLU,
    Reshape,
    Sequential,
    Sigmoid,
    fit,
    plotting,
)
from minicnn.data import load_mnist
from minicnn.schedules import OneCycle


def encoder() -> Sequential:
    return Sequential(
        Conv2D(1, 16, 4, stride=2, padding=1), ReLU(),
        Conv2D(16, 32, 4, stride=2, padding=1), ReLU(),
        Flatten(), Dense(32 * 7 * 7, 128), ReLU(), Dense(128, 2),
    )  # fmt: skip


def decoder() -> Sequential:
    return Sequential(
        Dense(2, 128), ReLU(), Dense(128, 32 * 7 * 7), ReLU(), Reshape((32, 7, 7)),
        ConvTranspose2D(32, 16, 4, stride=2, padding=1), ReLU(),
        ConvTranspose2D(16, 1, 4, stride=2, padding=1), Sigmoid(),
    )  # fmt: skip


def main() -> None:
    options = parser(__doc__, backend="numba", epochs=15).parse_args()
    (backend,) = chosen_backends(options)
    digits, test = load_mnist(options.data)
    if options.quick:
        digits, test, options.epochs = digits[:6000], test[:2000], 4
    say_how_long(options, minutes=0.04 * options.epochs)
    encode, decode = encoder(), decoder()
    network = Sequential(encode, decode, seed=options.seed).to(backend)
    print(f"{encode.summary((1, 28, 28))}\n{decode.summary((2,))}", flush=True)
    pixels, unseen = (as_floats(d.images) for d in (digits, test))
    history = fit(
        network, MeanSquaredError(), Adam(2e-3), (pixels, pixels), (unseen, unseen),
        epochs=options.epochs, batch_size=64, seed=options.seed, schedule=OneCycle(options.epochs),
    )  # fmt: skip
    guess = np.mean((unseen - pixels.mean(0)) ** 2)
    found = {"backend": backend, "error_of_the_mean_digit": float(guess), **history.columns}
    print(error_sentence(found))
    codes, drawn = encode.predict(unseen), network.predict(unseen[:10])
    path = keep(options, "autoencoder", found, code_plane(codes, test.labels))
    pairs = plotting.image_grid(np.concatenate([unseen[:10], drawn]), columns=10)
    plotting.save(pairs, options.out / "autoencoder-drawn.png")
    plotting.save(map_of_codes(decode, codes), options.out / "autoencoder-map.png")
    print(f"{path}, its .png, and drawings beside it")


def error_sentence(found: dict) -> str:
    error, guess = found["validation_loss"][-1], found["error_of_the_mean_digit"]
    return (
        f"The mean squared error is {error:.4f} a pixel; drawing the mean of all digits every time "
        f"would give {guess:.4f}."
    )


def as_floats(images: np.ndarray) -> np.ndarray:
    return images.astype(np.float32) / 255


def code_plane(codes: np.ndarray, labels: np.ndarray) -> Figure:
    """Where the digits lie in the plane of the two numbers, each drawn as itself."""
    figure = Figure(figsize=(7, 6), layout="constrained")
    axes = figure.add_subplot()
    for digit in range(10):
        mine = codes[labels == digit][:100]
        axes.scatter(*mine.T, s=28, marker=f"${digit}$", color=colormaps["tab10"](digit), lw=0)
    axes.set_xscale("symlog")  # most codes are near 0, some far away
    axes.set_yscale("symlog")
    axes.set_xlabel("first number of the code")
    axes.set_ylabel("second number of the code")
    return figure


def map_of_codes(decode: Sequential, codes: np.ndarray, side: int = 15) -> Figure:
    """What the decoder draws for codes on a grid over the middle of the plane."""
    low, high = np.percentile(codes, [4, 96], axis=0)
    first, second = (np.linspace(a, b, side, dtype=np.float32) for a, b in zip(low, high))
    grid = np.stack(np.meshgrid(first, second[::-1]), -1).reshape(-1, 2)
    figure = Figure(figsize=(7, 7), layout="constrained")
    return plotting.image_grid(decode.predict(grid), columns=side, figure=figure)


if __name__ == "__main__":
    main()
