"""Batch and group normalisation."""

from __future__ import annotations

from math import prod

import numpy as np

from ..common.arguments import number, whole_number
from .base import Layer
from .parameter import Shape
from .shapes import of_batch, rows_or_images
from .standardize import LEAST, MOST


class BatchNorm(Layer):
    """Each channel with mean 0 and variance 1, then scaled and shifted (Ioffe & Szegedy 2015).

        y = gamma · (x − μ) / √(σ² + eps) + beta

    x, y (N, num_features) or (N, num_features, H, W); gamma, beta, running_mean, running_var
    (num_features,). In training μ and σ² are the batch's (σ² divided by M, the number of values),
    and the running statistics move towards them: running ← (1 − momentum) · running + momentum ·
    batch, with σ² · M / (M − 1) as the batch's variance. Otherwise they are the running ones.

    Keeps x̂ and 1/√(σ² + eps). Raises ValueError in training for one value per channel.
    """

    def __init__(self, num_features: int, momentum: float = 0.1, eps: float = 1e-5) -> None:
        self.num_features = whole_number(num_features, "num_features", "BatchNorm")
        self.momentum = number(momentum, "momentum", "BatchNorm")
        self.eps = epsilon(eps, "BatchNorm")
        if not 0 <= momentum <= 1:
            raise ValueError(f"BatchNorm: momentum must be between 0 and 1, got {momentum!r}")
        super().__init__(num_features=self.num_features, momentum=self.momentum, eps=self.eps)
        self.gamma, self.beta = self.zeros("gamma"), self.zeros("beta")
        self.running_mean = self.zeros("running_mean", learned=False)
        self.running_var = self.zeros("running_var", learned=False)
        self.initialize(np.random.default_rng())

    @classmethod
    def array_shapes(cls, num_features, **constants):
        names = "gamma", "beta", "running_mean", "running_var"
        return dict.fromkeys(names, (num_features,))

    def smallest_batch(self, input_shape):
        return 2 if prod(input_shape[1:]) == 1 else 1

    def initialize(self, rng: np.random.Generator) -> None:
        zeros, ones = np.zeros(self.num_features), np.ones(self.num_features)
        self.gamma.value, self.beta.value = ones, zeros
        self.running_mean.value, self.running_var.value = zeros, ones

    def output_shape(self, input_shape: Shape) -> Shape:
        return rows_or_images(input_shape, self.num_features, self)

    def forward_batch(self, x, training):
        self.training = training
        statistics = self.running_mean.data, self.running_var.data
        if training:
            if x.shape[0] * prod(x.shape[2:]) < 2:
                raise ValueError(
                    f"{self}: training needs more than one value per channel, got {x.shape}"
                )
            y, self.x_hat, self.inv_std = self.ops.batch_norm_forward(
                x, self.gamma.data, self.beta.data, *statistics, self.momentum, self.eps,
                self.buffers,
            )  # fmt: skip
        else:
            y, self.x_hat, self.inv_std = self.ops.batch_norm_inference(
                x, self.gamma.data, self.beta.data, *statistics, self.eps, self.buffers
            )
        return y

    def backward_batch(self, dy, input_gradient=True):
        ops = self.ops
        backward = ops.batch_norm_backward if self.training else ops.batch_norm_inference_backward
        return backward(
            dy, self.x_hat, self.inv_std, self.gamma.data, self.gamma.gradient,
            self.beta.gradient, self.buffers,
        )  # fmt: skip


class GroupNorm(Layer):
    """Each group of channels of each sample with mean 0 and variance 1 (Wu & He 2018).

        y = gamma · (x − μ) / √(σ² + eps) + beta

    x, y (N, num_channels) or (N, num_channels, H, W); gamma, beta (num_channels,), one for each
    channel. num_channels / num_groups neighbouring channels are a group, and μ and σ² are those of
    the group's M values in one sample, in training and after it (σ² divided by M). So a sample's y
    never depends on the rest of the batch, which may be as small as one. A single group is layer
    normalisation (Ba et al. 2016), a group for each channel instance normalisation (Ulyanov et al.
    2016).

    Keeps x̂ and 1/√(σ² + eps). Raises ValueError for num_groups that do not divide num_channels, and
    for samples of which a group has fewer than two values: they would all become beta.
    """

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5) -> None:
        self.num_groups = whole_number(num_groups, "num_groups", "GroupNorm")
        self.num_channels = whole_number(num_channels, "num_channels", "GroupNorm")
        self.eps = epsilon(eps, "GroupNorm")
        if num_channels % num_groups:
            raise ValueError(
                f"GroupNorm: num_groups must divide num_channels {num_channels}, got {num_groups}"
            )
        super().__init__(num_groups=self.num_groups, num_channels=self.num_channels, eps=self.eps)
        self.gamma, self.beta = self.zeros("gamma"), self.zeros("beta")
        self.initialize(np.random.default_rng())

    @classmethod
    def array_shapes(cls, num_channels, **constants):
        return dict.fromkeys(("gamma", "beta"), (num_channels,))

    def initialize(self, rng: np.random.Generator) -> None:
        self.gamma.value = np.ones(self.gamma.shape)
        self.beta.value = np.zeros(self.beta.shape)

    def output_shape(self, input_shape: Shape) -> Shape:
        rows_or_images(input_shape, self.num_channels, self)
        if prod(input_shape) < 2 * self.num_groups:
            got = of_batch(input_shape)
            raise ValueError(f"{self}: wanted two values or more in every group, got {got}")
        return input_shape

    def forward_batch(self, x, training):
        y, self.x_hat, self.inv_std = self.ops.group_norm_forward(
            x, self.gamma.data, self.beta.data, self.num_groups, self.eps, self.buffers
        )
        return y

    def backward_batch(self, dy, input_gradient=True):
        return self.ops.group_norm_backward(
            dy, self.x_hat, self.inv_std, self.gamma.data, self.gamma.gradient,
            self.beta.gradient, self.num_groups, self.buffers,
        )  # fmt: skip


def epsilon(value: float, owner: str) -> float:
    """eps, which keeps what is constant from 0 / 0: in float32, too, it must not be 0."""
    eps = number(value, "eps", owner)
    if not LEAST <= eps <= MOST:
        raise ValueError(
            f"{owner}: eps must be positive and finite in float32, where {LEAST:.1e} is the "
            f"least, got {value!r}"
        )
    return eps
