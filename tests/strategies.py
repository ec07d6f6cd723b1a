"""What hypothesis draws: arrays, windows, layers with inputs that fit them, whole networks.

And a data set that is quickly learned.
"""

import numpy as np
from hypothesis import strategies as st

from minicnn import layers as nn
from minicnn.layers.activation import Activation
from minicnn.network import Sequential

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


any_shape = st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple)


def element_wise(make):
    return st.tuples(make, any_shape)


ACTIVATIONS = {
    name: kind
    for name, kind in vars(nn).items()
    if isinstance(kind, type) and issubclass(kind, Activation)
}
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
        if draw(st.booleans()):
            layers.append(nn.BatchNorm(channels))
        layers.append(draw(st.sampled_from([*ACTIVATIONS.values()]))())
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
