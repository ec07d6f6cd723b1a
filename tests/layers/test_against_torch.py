"""PyTorch, where it is installed, as an oracle for the outputs and all gradients of every layer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import Sequential, to_torch
from minicnn import layers as nn
from tests.strategies import ACTIVATIONS, LAYERS, batch_sizes, normal, seeds

torch = pytest.importorskip("torch")
F = torch.nn.functional


def conv2d(layer, x, w, b=None):
    padding = "same" if layer.arguments["padding"] == "same" else layer.padding
    return F.conv2d(x, w, b, layer.stride, padding, layer.dilation, layer.groups)


def conv_transpose2d(layer, x, w, b=None):
    return F.conv_transpose2d(
        x, w, b, layer.stride, layer.padding, layer.output_padding, layer.groups, layer.dilation
    )


def avg_pool(layer, x):
    return F.avg_pool2d(
        x, layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode, layer.count_include_pad
    )


def max_pool(layer, x):
    arguments = layer.kernel_size, layer.stride, layer.padding
    return F.max_pool2d(x, *arguments, ceil_mode=layer.ceil_mode)


PEERS = {
    "Conv2D": conv2d,
    "ConvTranspose2D": conv_transpose2d,
    "MaxPool2D": max_pool,
    "AvgPool2D": avg_pool,
    "GlobalAvgPool2D": lambda layer, x: x.mean((2, 3)),
    "GroupNorm": lambda layer, x, *wb: F.group_norm(x, layer.num_groups, *wb, layer.eps),
    "Dense": lambda layer, x, w, b=None: F.linear(x, w, b),
    **dict.fromkeys(ACTIVATIONS, lambda layer, x: to_torch(Sequential(layer))(x)),
}


# PyTorch says once that an even "same" kernel makes it copy the input.
@pytest.mark.filterwarnings("ignore:Using padding='same'")
@pytest.mark.parametrize("kind", PEERS)
@given(st.data(), batch_sizes, seeds)
def test_outputs_and_gradients_are_pytorchs(kind, data, n, seed):
    layer, shape = data.draw(LAYERS[kind])
    layer.astype("float64")
    x = normal((n, *shape), seed)
    y = layer.forward(x)
    dy = normal(y.shape, seed + 1)
    dx = layer.backward(dy)
    arrays = [x, *(p.value for p in layer.parameters())]
    leaves = [torch.tensor(a, requires_grad=True) for a in arrays]
    peer = PEERS[kind](layer, *leaves)
    peer.backward(torch.tensor(dy))
    np.testing.assert_allclose(y, peer.detach().numpy(), rtol=1e-9, atol=1e-11)
    for found, leaf in zip([dx, *(p.grad for p in layer.parameters())], leaves, strict=True):
        np.testing.assert_allclose(found, leaf.grad.numpy(), rtol=1e-9, atol=1e-11)


@given(LAYERS["BatchNorm"], st.integers(2, 5), seeds, st.booleans())
def test_batch_norm_and_its_running_statistics_are_pytorchs(case, n, seed, training):
    layer, shape = case
    layer.astype("float64")
    x = normal((n, *shape), seed)
    mean, var = (torch.tensor(p.value) for p in (layer.running_mean, layer.running_var))
    leaves = [torch.tensor(a, requires_grad=True) for a in (x, layer.gamma.value, layer.beta.value)]
    y = layer.forward(x, training)
    dy = normal(y.shape, seed + 1)
    dx = layer.backward(dy)
    peer = F.batch_norm(
        leaves[0], mean, var, leaves[1], leaves[2], training, layer.momentum, layer.eps
    )
    peer.backward(torch.tensor(dy))
    found = [y, dx, layer.gamma.grad, layer.beta.grad, layer.running_mean.value,
             layer.running_var.value]  # fmt: skip
    wanted = [peer.detach(), *(leaf.grad for leaf in leaves), mean, var]
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b.numpy(), rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("kind", ["Conv2d", "ConvTranspose2d"])
@pytest.mark.parametrize("groups", [1, 2])
def test_default_weights_are_drawn_as_pytorch_draws_them(kind, groups):
    channels, filters = (50 * groups, 80) if kind == "Conv2d" else (80, 50 * groups)
    ours = getattr(nn, kind[:-1] + "D")(channels, filters, 3, groups=groups)
    theirs = getattr(torch.nn, kind)(channels, filters, 3, groups=groups)
    assert ours.weight.shape == theirs.weight.shape
    for mine, peer in ((ours.weight, theirs.weight), (ours.bias, theirs.bias)):
        bound = 1 / np.sqrt(50 * 9)
        for sample in (mine.value, peer.detach().numpy()):
            assert np.abs(sample).max() <= bound * (1 + 1e-6)
            # A uniform's standard deviation, within six of its own for 80 draws.
            assert abs(sample.std() / (bound / np.sqrt(3)) - 1) < 0.35
