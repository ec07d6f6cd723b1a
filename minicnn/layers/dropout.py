"""Dropout."""

from __future__ import annotations

import numpy as np

from ..common.arguments import number, whole_number
from .base import Layer
from .parameter import Parameter, Shape


class Dropout(Layer):
    """In training, each number is set to 0 with probability p and else scaled by 1 / (1 − p).

    Inverted dropout (Srivastava et al. 2014): the expectation stays, and without `training` the
    layer passes x on. The mask is a function of (seed, step, sample, element), the same on every
    backend; step counts the training batches. Without a seed every layer draws one of its own; in
    a network with a seed it follows from that, and in `fit` from the seed there. Keeps the mask.
    Raises ValueError for p outside 0 ≤ p < 1 or a negative seed, TypeError for a p that is no
    number or a seed that is no whole one.
    """

    mask_seed: tuple[int, int]

    def __init__(self, p: float = 0.5, seed: int | None = None) -> None:
        self.p = number(p, "p", "Dropout")
        if not 0 <= p < 1:
            raise ValueError(f"Dropout: p must be at least 0 and less than 1, got {p!r}")
        if seed is not None:
            seed = whole_number(seed, "seed", "Dropout", at_least=0)
        super().__init__(p=self.p, seed=seed)
        self.step = Parameter(np.zeros(1, np.int64), learned=False)
        self.reseed((int(np.random.default_rng(seed).integers(2**32)), 0))

    def reseed(self, seed: tuple[int, int]) -> None:
        self.mask_seed = seed[0] & 0xFFFFFFFF, seed[1] & 0xFFFFFFFF
        self.step.value = np.zeros(1)

    def output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def forward_batch(self, x, training):
        self.training = training and self.p > 0
        if not self.training:
            return x
        y, self.mask = self.ops.dropout_forward(
            x, self.p, self.mask_seed, self.step.data, self.buffers
        )
        return y

    def backward_batch(self, dy, input_gradient=True):
        if not input_gradient:
            return None
        return self.ops.dropout_backward(dy, self.mask, self.buffers) if self.training else dy
