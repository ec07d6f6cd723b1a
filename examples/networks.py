"""The networks of the examples, each with fresh parameters from a seed."""

from minicnn import (
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    GlobalAvgPool2D,
    Layer,
    MaxPool2D,
    Parallel,
    ReLU,
    Residual,
    Sequential,
    Sigmoid,
)  # fmt: skip
from minicnn.initializers import he_normal


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
    """Two 5×5 convolutions (32 and 64 filters), each pooled, and two dense layers: 28×28 → 10."""
    return Sequential(
        Conv2D(1, 32, 5, padding=2),
        ReLU(),
        MaxPool2D(2),
        Conv2D(32, 64, 5, padding=2),
        ReLU(),
        MaxPool2D(2),
        Flatten(),
        Dense(64 * 7 * 7, 128),
        ReLU(),
        Dense(128, 10),
        seed=seed,
    )


def fashion_mlp(seed: int = 0) -> Sequential:
    """One hidden layer of 128: 28×28 → 10, the network of the Fashion-MNIST report."""
    return Sequential(Flatten(), Dense(28 * 28, 128), ReLU(), Dense(128, 10), seed=seed)


# ── architectures: the same 28×28 → 10, laid out in the ways that have names ─────────────────


def plain(width: int, seed: int = 0) -> Sequential:
    """What the reports trained: two 5×5 convolutions, each pooled, and two dense layers."""
    return Sequential(
        Conv2D(1, width, 5, padding=2), ReLU(), MaxPool2D(2),
        Conv2D(width, 2 * width, 5, padding=2), ReLU(), MaxPool2D(2),
        Flatten(), Dense(2 * width * 49, 128), ReLU(), Dense(128, 10), seed=seed,
    )  # fmt: skip


def vgg(width: int, seed: int = 0) -> Sequential:
    """Only 3×3 convolutions, two before each pooling (Simonyan & Zisserman 2015), normalised."""
    return classifier(
        *unit(1, width), *unit(width, width), MaxPool2D(2),
        *unit(width, 2 * width), *unit(2 * width, 2 * width), MaxPool2D(2),
        *unit(2 * width, 4 * width), *unit(4 * width, 4 * width), features=4 * width, seed=seed,
    )  # fmt: skip


def inception(width: int, seed: int = 0) -> Sequential:
    """Windows of several sizes beside each other (Szegedy et al. 2015)."""
    return classifier(
        *unit(1, width), MaxPool2D(2), mixed(width, width), mixed(4 * width, 2 * width),
        MaxPool2D(2), mixed(8 * width, 2 * width), features=8 * width, seed=seed,
    )  # fmt: skip


def mixed(channels: int, width: int) -> Parallel:
    """1×1, 3×3 and 5×5, the larger ones behind a 1×1 with fewer channels, and a pooling."""
    few = width // 2
    return Parallel(
        Sequential(*unit(channels, width, 1)),
        Sequential(*unit(channels, few, 1), *unit(few, width)),
        Sequential(*unit(channels, few, 1), *unit(few, width, 5)),
        Sequential(MaxPool2D(3, 1, 1), *unit(channels, width, 1)),
    )


def resnet(width: int, seed: int = 0) -> Sequential:
    """Pairs of 3×3 convolutions, each with a way around it (He et al. 2016)."""
    return classifier(
        *unit(1, width), *block(width, width), *block(width, 2 * width),
        *block(2 * width, 4 * width), features=4 * width, seed=seed,
    )  # fmt: skip


def block(channels: int, filters: int) -> list[Layer]:
    """Two convolutions and a way around; where there are to be more filters, half the image."""
    if channels == filters:
        shortcut, stride = None, 1
    else:
        shortcut, stride = Sequential(*normalised(channels, filters, 1, 2)), 2
    layers = [*unit(channels, filters, stride=stride), *normalised(filters, filters)]
    return [Residual(*layers, shortcut=shortcut), ReLU()]


def mobilenet(width: int, seed: int = 0) -> Sequential:
    """Each convolution in two: a window for every channel alone, then 1×1 (Howard et al. 2017)."""
    return classifier(
        *unit(1, width), *separable(width, 2 * width), *separable(2 * width, 4 * width, 2),
        *separable(4 * width, 4 * width), *separable(4 * width, 8 * width, 2),
        *separable(8 * width, 8 * width), features=8 * width, seed=seed,
    )  # fmt: skip


def separable(channels: int, filters: int, stride: int = 1) -> list[Layer]:
    window = unit(channels, channels, stride=stride, groups=channels)
    return [*window, *unit(channels, filters, 1)]


def chain(depth: int, width: int, shortcuts: bool, seed: int = 0) -> Sequential:
    """`depth` layers with weights, all alike but the first and the last, with shortcuts or not."""
    pairs: list[Layer] = []
    for _ in range((depth - 2) // 2):
        pair = [*unit(width, width), *normalised(width, width)]
        pairs += [(Residual if shortcuts else Sequential)(*pair), ReLU()]
    return classifier(*unit(1, width, stride=2), *pairs, features=width, seed=seed)


def deepest(width: int, seed: int = 0) -> Sequential:
    """The network of the best runs: two convolutions, then twice a residual pair, ever wider."""
    return classifier(
        *unit(1, width), *unit(width, 2 * width), MaxPool2D(2), *block(2 * width, 2 * width),
        *unit(2 * width, 4 * width), MaxPool2D(2), *block(4 * width, 4 * width), Dropout(0.2),
        features=4 * width, seed=seed,
    )  # fmt: skip


def unit(
    channels: int, filters: int, kernel: int = 3, stride: int = 1, groups: int = 1
) -> list[Layer]:
    return [*normalised(channels, filters, kernel, stride, groups), ReLU()]


def normalised(
    channels: int, filters: int, kernel: int = 3, stride: int = 1, groups: int = 1
) -> list[Layer]:
    """A convolution with BatchNorm, whose beta is all the bias that it needs."""
    convolution = Conv2D(
        channels, filters, kernel, stride, kernel // 2, groups=groups, bias=False,
        initializer=he_normal,
    )  # fmt: skip
    return [convolution, BatchNorm(filters)]


def classifier(*layers: Layer, features: int, seed: int) -> Sequential:
    """The mean of each channel decides."""
    return Sequential(*layers, GlobalAvgPool2D(), Dense(features, 10), seed=seed)
