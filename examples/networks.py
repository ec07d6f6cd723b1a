"""The networks of the examples, each with fresh parameters from a seed."""

from minicnn import Conv2D, Dense, Flatten, MaxPool2D, ReLU, Sequential, Sigmoid


def zener(filters: list[int], outputs: int = 5, size: int = 25, seed: int = 0) -> Sequential:
    """Same-padded 5×5 convolutions, each pooled 2×2 with its ragged edge kept, then dense layers.

    filters [16] is the "4-layer" network of the Zener study, [20, 40, 80, 100] the "7-layer" one.
    """
    layers, channels = [], 1
    for count in filters:
        layers += [
            Conv2D(channels, count, 5, padding="same"),
            MaxPool2D(2, ceil_mode=True),
            ReLU(),
        ]
        channels, size = count, -(-size // 2)
    return Sequential(
        *layers,
        Flatten(),
        Dense(channels * size * size, 120),
        Sigmoid(),
        Dense(120, outputs),
        seed=seed,
    )


def zener4(outputs: int = 5, seed: int = 0) -> Sequential:
    return zener([16], outputs, seed=seed)


def zener7(outputs: int = 5, seed: int = 0) -> Sequential:
    return zener([20, 40, 80, 100], outputs, seed=seed)


def mnist_cnn(seed: int = 0) -> Sequential:
    """Two 3×3 convolutions (8 and 16 filters), each pooled, and one dense layer: 28×28 → 10."""
    return Sequential(
        Conv2D(1, 8, 3, padding=1),
        ReLU(),
        MaxPool2D(2),
        Conv2D(8, 16, 3, padding=1),
        ReLU(),
        MaxPool2D(2),
        Flatten(),
        Dense(16 * 7 * 7, 10),
        seed=seed,
    )


def lenet(seed: int = 0) -> Sequential:
    """LeNet-like: 5×5 convolutions of 32 and 64 filters, each pooled, a dense layer of 128."""
    return Sequential(
        Conv2D(1, 32, 5, padding="same"),
        ReLU(),
        MaxPool2D(2),
        Conv2D(32, 64, 5, padding="same"),
        ReLU(),
        MaxPool2D(2),
        Flatten(),
        Dense(64 * 7 * 7, 128),
        ReLU(),
        Dense(128, 10),
        seed=seed,
    )
