"""What optimisers do to parameters: each for all of them, in place.

g is the gradient, w the value. A backend may put 0 for a v, m or s below 10⁻³⁶ and for a g² below
10⁻³⁴, for speed (`scalar.flushed` says why): with eps ≥ 10⁻¹⁰ no w shows a difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from .names import Array, Number, Scalar


class Operations(Protocol):
    def sgd_update(
        self,
        values: Sequence[Array],
        grads: Sequence[Array],
        velocities: Sequence[Array],
        lr: Number,
        momentum: float,
        nesterov: bool,
        weight_decay: float,
    ) -> None:
        """Stochastic gradient descent with momentum (Polyak 1964; Nesterov: Sutskever et al. 2013).

            g ← g + weight_decay · w
            v ← momentum · v + g            (velocities; empty when momentum = 0)
            w ← w − lr · (g + momentum · v  if nesterov else  v)
        """

    def rmsprop_update(
        self,
        values: Sequence[Array],
        grads: Sequence[Array],
        squares: Sequence[Array],
        lr: Number,
        alpha: float,
        eps: float,
        weight_decay: float,
    ) -> None:
        """RMSprop (Tieleman & Hinton 2012).

            g ← g + weight_decay · w
            s ← alpha · s + (1 − alpha) · g²
            w ← w − lr · g / (√s + eps)
        """

    def adagrad_update(
        self,
        values: Sequence[Array],
        grads: Sequence[Array],
        squares: Sequence[Array],
        lr: Number,
        eps: float,
        weight_decay: float,
    ) -> None:
        """Adagrad (Duchi et al. 2011).

            g ← g + weight_decay · w
            s ← s + g²
            w ← w − lr · g / (√s + eps)
        """

    def adam_update(
        self,
        values: Sequence[Array],
        grads: Sequence[Array],
        means: Sequence[Array],
        squares: Sequence[Array],
        step: Number,
        lr: Number,
        beta1: float,
        beta2: float,
        eps: float,
        weight_decay: float,
        decoupled: bool,
    ) -> None:
        """Adam (Kingma & Ba 2015) and, decoupled, AdamW (Loshchilov & Hutter 2019); step = 1, 2, …

            w ← w − lr · weight_decay · w   if decoupled, else   g ← g + weight_decay · w
            m ← beta1 · m + (1 − beta1) · g          s ← beta2 · s + (1 − beta2) · g²
            w ← w − lr / (1 − beta1^step) · m / (√s / √(1 − beta2^step) + eps)
        """

    def penalty(self, values: Sequence[Array], l1: float, l2: float) -> Scalar:
        """l1 · Σ |w| + l2 / 2 · Σ w²."""

    def add_penalty_gradient(
        self, values: Sequence[Array], grads: Sequence[Array], l1: float, l2: float
    ) -> None:
        """g ← g + l1 · sign(w) + l2 · w."""

    def clip(self, arrays: Sequence[Array], max_norm: float) -> Scalar:
        """Scale all arrays alike, so that their joint norm is at most max_norm.

            norm = √(Σ a² over all arrays and elements)
            a ← a · max_norm / (norm + 10⁻⁶)   where that factor is below 1

        Returns the norm before (Pascanu et al. 2013).
        """
