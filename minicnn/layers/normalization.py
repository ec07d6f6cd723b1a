"""Batch normalisation."""

from __future__ import annotations

from math import prod

import numpy as np

from ..common.arguments import number, whole_number
from .base import Layer
from .parameter import Shape


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
        self.eps = number(eps, "eps", "BatchNorm")
        if not 0 <= momentum <= 1:
            raise ValueError(f"BatchNorm: momentum must be between 0 and 1, got {momentum!r}")
        if not 0 < eps < float("inf"):
            raise ValueError(f"BatchNorm: eps must be positive, got {eps!r}")
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
        for parameter, value in (
            (self.gamma, 1), (self.beta, 0), (self.running_mean, 0), (self.running_var, 1)
        ):  # fmt: skip
            parameter.value = np.full(parameter.shape, value)

    def output_shape(self, input_shape: Shape) -> Shape:
        if len(input_shape) not in (1, 3) or input_shape[0] != self.num_features:
            got = ", ".join(map(str, ("N", *input_shape)))
            c = self.num_features
            raise ValueError(f"{self}: wanted shape (N, {c}) or (N, {c}, H, W), got ({got})")
        return input_shape

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
