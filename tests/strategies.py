"""What hypothesis draws: arrays, windows, layers with inputs that fit them, whole networks.

And a data set that is quickly learned.
"""

import numpy as np
from hypothesis import strategies as st

from minicnn import layers as nn
from minicnn.layers.activation import Activation
from minicnn.network import Parallel, Residual, Sequential

ACTIVATIONS = {
    name: kind
    for name, kind in vars(nn).items()
    if isinstance(kind, type) and issubclass(kind, Activation)
}
seeds = st.integers(0, 2**32 - 1)
batch_sizes = st.sampled_from([1, 2, 3, 5])
small = st.integers(1, 3)
dilations = st.just((1, 1)) | st.tuples(small, small)


def pairs(low, high):
    """A number, or a (height, width) pair."""
    return st.integers(low, high) | st.tuples(st.integers(low, high), st.integers(low, high))


def normal(shape, seed, dtype="float64"):
    """Values of order one, no two of them equal: no kinks and no ties but by chance of 2⁻⁵³."""
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype)


@st.composite
def images(draw, channels, at_least=(1, 1)):
    """A sample shape (C, H, W), seldom square."""
    return (channels, *(draw(st.integers(low, low + 4)) for low in at_least))


@st.composite
def grouped(draw):
    """Channels, filters, and the groups of both: one, a few, or one a channel."""
    groups = draw(small)
    return groups * draw(small), groups * draw(small), groups


@st.composite
def conv2d(draw):
    (channels, filters, groups), kernel = draw(grouped()), draw(st.tuples(small, small))
    more = {"bias": draw(st.booleans()), "dilation": draw(dilations), "groups": groups}
    if draw(st.booleans()):
        layer = nn.Conv2D(channels, filters, kernel, padding="same", **more)
        return layer, draw(images(channels))
    padding = draw(st.tuples(st.integers(0, 2), st.integers(0, 2)))
    layer = nn.Conv2D(channels, filters, kernel, draw(pairs(1, 3)), padding, **more)
    smallest = [max(1, r - 2 * p) for r, p in zip(layer.reach, padding)]
    return layer, draw(images(channels, smallest))


@st.composite
def conv_transpose2d(draw):
    (channels, filters, groups), kernel = draw(grouped()), draw(st.tuples(small, small))
    stride = draw(st.tuples(small, small))
    padding = tuple(draw(st.integers(0, (k - 1) // 2)) for k in kernel)
    extra = tuple(draw(st.integers(0, s - 1)) for s in stride)
    layer = nn.ConvTranspose2D(
        channels, filters, kernel, stride, padding, extra, bias=draw(st.booleans()),
        dilation=draw(dilations), groups=groups,
    )  # fmt: skip
    return layer, draw(images(channels))


@st.composite
def pooling(draw, kind):
    kernel = draw(st.tuples(small, small))
    padding = tuple(draw(st.integers(0, k // 2)) for k in kernel)
    arguments = {"count_include_pad": draw(st.booleans())} if kind is nn.AvgPool2D else {}
    layer = kind(
        kernel, draw(st.none() | pairs(1, 3)), padding, ceil_mode=draw(st.booleans()), **arguments
    )
    smallest = [max(1, k - 2 * p) for k, p in zip(kernel, padding)]
    return layer, draw(images(draw(small), smallest))


@st.composite
def dense(draw):
    features = draw(st.integers(1, 6))
    layer = nn.Dense(features, draw(st.integers(1, 6)), bias=draw(st.booleans()))
    return layer, (features,)


@st.composite
def batch_norm(draw):
    features = draw(small)
    layer = nn.BatchNorm(features, momentum=draw(st.floats(0, 1)), eps=draw(st.floats(1e-5, 1e-2)))
    rng = np.random.default_rng(draw(seeds))
    for parameter in layer.state().values():
        parameter.value = rng.uniform(0.5, 1.5, parameter.shape)
    return layer, draw(st.just((features,)) | images(features))


@st.composite
def group_norm(draw):
    """Four values or more in every group: of two that lie close together the variance is noise."""
    groups, rows = draw(small), draw(st.booleans())
    channels = groups * draw(st.integers(4, 6) if rows else small)
    layer = nn.GroupNorm(groups, channels, eps=draw(st.floats(1e-5, 1e-2)))
    rng = np.random.default_rng(draw(seeds))
    for parameter in layer.parameters():
        parameter.value = rng.uniform(0.5, 1.5, parameter.shape)
    return layer, (channels,) if rows else draw(images(channels, (2, 2)))


@st.composite
def standardize(draw):
    channels = draw(small)
    of_all = draw(st.booleans()), draw(st.booleans())
    mean, std = (
        draw(numbers if one else st.tuples(*[numbers] * channels))
        for one, numbers in zip(of_all, (st.floats(-1, 1), st.floats(0.5, 2)))
    )
    return nn.Standardize(mean, std), draw(st.just((channels,)) | images(channels))


@st.composite
def keeping(draw, channels):
    """Layers that leave an image's shape as it is."""
    made = {
        "Conv2D": lambda: nn.Conv2D(channels, channels, draw(pairs(1, 3)), padding="same"),
        # A variance near 0, of two values say, must not blow rounding up.
        "BatchNorm": lambda: nn.BatchNorm(channels, eps=0.1),
        "activation": draw(st.sampled_from([*ACTIVATIONS.values()])),
        "Dropout": lambda: nn.Dropout(0.5),
        "MaxPool2D": lambda: nn.MaxPool2D(3, 1, 1),
    }
    return [made[kind]() for kind in draw(st.lists(st.sampled_from([*made]), max_size=3))]


def beside_the_kink(container):
    """Of a channel that is dead a BatchNorm makes β, and a ReLU after it has its kink at 0."""
    for name, parameter in container.state().items():
        if name.endswith("beta"):
            parameter.value = np.full_like(parameter.value, 0.3)
    return container


@st.composite
def residual(draw, channels=None):
    """With the image itself as the shortcut, or with a convolution where the shape changes."""
    channels = channels or draw(small)
    layers, shape = draw(keeping(channels)), draw(images(channels))
    layers.insert(0, nn.Conv2D(channels, channels, 3, padding=1))
    shortcut = None
    if draw(st.booleans()):
        filters, stride = draw(small), draw(small)
        layers.append(nn.Conv2D(channels, filters, 3, stride, 1))
        shortcut = nn.Conv2D(channels, filters, 1, stride)
    made = Residual(*layers, shortcut=shortcut)
    made.initialize(draw(seeds))
    made.reseed(draw(seeds))
    return beside_the_kink(made), shape


@st.composite
def parallel(draw, channels=None):
    """One to three branches, of which one may be the image itself, and one has a branch in it."""
    channels = channels or draw(small)
    branches = [Sequential(*draw(keeping(channels))) for _ in range(draw(st.integers(0, 2)))]
    inner = draw(residual(channels).filter(lambda drawn: drawn[0].shortcut is None))[0]
    return beside_the_kink(Parallel(*branches, inner)), draw(images(channels))


any_shape = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


def element_wise(make):
    return st.tuples(make, any_shape)


LAYERS = {
    **{name: element_wise(st.builds(kind)) for name, kind in ACTIVATIONS.items()},
    "Conv2D": conv2d(),
    "ConvTranspose2D": conv_transpose2d(),
    "MaxPool2D": pooling(nn.MaxPool2D),
    "AvgPool2D": pooling(nn.AvgPool2D),
    "GlobalAvgPool2D": st.tuples(st.builds(nn.GlobalAvgPool2D), images(2)),
    "Dense": dense(),
    "Flatten": element_wise(st.builds(nn.Flatten)),
    "Reshape": any_shape.flatmap(
        lambda shape: st.tuples(st.just(nn.Reshape(shape[::-1])), st.just(shape))
    ),
    "ELU": element_wise(st.builds(nn.ELU, st.floats(-1, 1))),
    "GELU": element_wise(st.builds(nn.GELU, st.sampled_from(["none", "tanh"]))),
    "LeakyReLU": element_wise(st.builds(nn.LeakyReLU, st.floats(-1, 1))),
    "BatchNorm": batch_norm(),
    "GroupNorm": group_norm(),
    "Standardize": standardize(),
    "Residual": residual(),
    "Parallel": parallel(),
    "Dropout": element_wise(st.builds(nn.Dropout, st.floats(0, 0.9), st.integers(0, 2**40))),
}
any_layer = st.one_of(*LAYERS.values())


@st.composite
def networks(draw):
    """A convolutional network of random depth and shape, and a sample shape for it."""
    shape = draw(images(draw(small), (6, 6)))
    channels = shape[0]
    layers = []
    for _ in range(draw(st.integers(1, 3))):
        filters = draw(small)
        layers.append(nn.Conv2D(channels, filters, draw(pairs(1, 3)), padding="same"))
        channels = filters
        norms = [[], [nn.BatchNorm(channels)]]
        if max(Sequential(*layers).output_shape(shape)[1:]) > 1:  # of one value there is no norm
            norms.append([nn.GroupNorm(1, channels)])
        layers += draw(st.sampled_from(norms))
        layers.append(draw(st.sampled_from([*ACTIVATIONS.values()]))())
        if draw(st.booleans()):
            layers.append(draw(st.one_of(residual(channels), parallel(channels)))[0])
            channels = layers[-1].output_shape((channels, 6, 6))[0]
        if draw(st.booleans()):
            layers.append(draw(st.sampled_from([nn.MaxPool2D, nn.AvgPool2D]))(2, ceil_mode=True))
    if draw(st.booleans()):
        layers += [nn.GlobalAvgPool2D(), nn.Dense(channels, 4)]
    else:
        features = Sequential(*layers, nn.Flatten()).output_shape(shape)[0]
        layers += [nn.Flatten(), nn.Dropout(0.25), nn.Dense(features, 4)]
    return Sequential(*layers, seed=draw(st.integers(0, 2**32))), shape


def stripes(count=60, seed=0):
    """uint8 images of vertical (0) and horizontal (1) stripes under noise, with their labels."""
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, 2, count)
    images = rng.integers(0, 60, (count, 1, 8, 8))
    images[labels == 0, :, :, ::2] += 120
    images[labels == 1, :, ::2, :] += 120
    return images.astype(np.uint8), labels
