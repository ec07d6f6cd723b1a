"""Batch and group normalisation."""

from __future__ import annotations

from typing import Any, Protocol

from .names import Array, Batch


class Operations(Protocol):
    def batch_norm_forward(
        self,
        x: Batch,
        gamma: Array,
        beta: Array,
        running_mean: Array,
        running_var: Array,
        momentum: float,
        eps: float,
        buffers: Any,
    ) -> tuple[Batch, Batch, Array]:
        """Batch normalisation in training (Ioffe & Szegedy 2015), per channel c over M values.

            μ = Σ x / M        σ² = Σ (x − μ)² / M        (biased)
            x̂ = (x − μ) / √(σ² + eps)        y = gamma · x̂ + beta
            running_mean ← (1 − momentum) · running_mean + momentum · μ
            running_var  ← (1 − momentum) · running_var  + momentum · σ² · M / (M − 1)   (unbiased)

        A channel whose σ² is not finite leaves its running statistics alone.
        x, y, x̂ (N, C) or (N, C, H, W); the rest (C,). Returns y, x̂ and 1 / √(σ² + eps).
        """

    def batch_norm_inference(
        self,
        x: Batch,
        gamma: Array,
        beta: Array,
        running_mean: Array,
        running_var: Array,
        eps: float,
        buffers: Any,
    ) -> tuple[Batch, Batch, Array]:
        """The same with the running statistics for μ and σ², which stay as they are.

            x̂ = (x − running_mean) / √(running_var + eps)        y = gamma · x̂ + beta

        Returns y, x̂ and 1 / √(running_var + eps).
        """

    def batch_norm_backward(
        self,
        dy: Batch,
        x_hat: Batch,
        inv_std: Array,
        gamma: Array,
        dgamma: Array,
        dbeta: Array,
        buffers: Any,
    ) -> Batch:
        """Gradient in training: μ and σ² move with x, which takes two components out of dy.

            dgamma = Σ dy · x̂        dbeta = Σ dy
            dx = gamma · inv_std · (dy − dbeta / M − x̂ · dgamma / M)

        Writes dgamma and dbeta (C,) and returns dx.
        """

    def batch_norm_inference_backward(
        self,
        dy: Batch,
        x_hat: Batch,
        inv_std: Array,
        gamma: Array,
        dgamma: Array,
        dbeta: Array,
        buffers: Any,
    ) -> Batch:
        """Gradient with fixed statistics: dx = gamma · inv_std · dy; dgamma, dbeta as above."""

    def group_norm_forward(
        self, x: Batch, gamma: Array, beta: Array, groups: int, eps: float, buffers: Any
    ) -> tuple[Batch, Batch, Any]:
        """Group normalisation (Wu & He 2018), per sample and group of neighbouring channels.

        A group is C / groups channels, which hold M values of the sample:

            μ = Σ x / M        σ² = Σ (x − μ)² / M
            x̂ = (x − μ) / √(σ² + eps)        y = gamma[c] · x̂ + beta[c]

        x, y, x̂ (N, C) or (N, C, H, W); gamma, beta (C,). Returns y, x̂ and 1 / √(σ² + eps) of every
        sample and group, as the backend likes it.
        """

    def group_norm_backward(
        self,
        dy: Batch,
        x_hat: Batch,
        inv_std: Any,
        gamma: Array,
        dgamma: Array,
        dbeta: Array,
        groups: int,
        buffers: Any,
    ) -> Batch:
        """μ and σ² move with x, as in batches; gamma may differ from channel to channel of a group.

            dgamma[c] = Σ_{n,…} dy · x̂        dbeta[c] = Σ_{n,…} dy
            g = gamma[c] · dy        dx = inv_std · (g − Σ g / M − x̂ · Σ g · x̂ / M)

        The sums of g are those of a sample and group.
        """
