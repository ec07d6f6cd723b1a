"""How wrong a batch is, and the gradient of that."""

from __future__ import annotations

from typing import Any, Protocol

from .names import Batch, Indices, Scalar


class Operations(Protocol):
    def softmax_cross_entropy_forward(
        self, logits: Batch, target: Batch, divisor: float, buffers: Any
    ) -> tuple[Scalar, Batch]:
        """L = −Σ_{n,c} target[n,c] · log p[n,c] / divisor with p = softmax(logits).

            log p[n,c] = z[n,c] − log Σ_k e^{z[n,k]},   z = logits − max_k logits[n,k]

        so no logit overflows. logits, target, p (N, C). Returns L and p. For one class c per
        sample, target is 1 at c and divisor N; smoothing and class weights are in target.
        """

    def softmax_cross_entropy_backward(
        self, p: Batch, target: Batch, divisor: float, buffers: Any
    ) -> Batch:
        """dlogits[n,c] = (p[n,c] · Σ_k target[n,k] − target[n,c]) / divisor.

        For one class per sample that is (p − y) / N.
        """

    def sigmoid_cross_entropy_forward(
        self, logits: Batch, target: Batch, buffers: Any
    ) -> tuple[Scalar, Batch]:
        """L = mean over all elements of max(z, 0) − z·t + log(1 + e^−|z|), z = logits, t = target.

        That is −t log p − (1−t) log(1−p) with p = sigmoid(z), with no overflow. Returns L and p.
        """

    def sigmoid_cross_entropy_backward(self, p: Batch, target: Batch, buffers: Any) -> Batch:
        """dlogits = (p − target) / number of elements."""

    def mean_squared_error_forward(self, x: Batch, target: Batch, buffers: Any) -> Scalar:
        """L = mean over all elements of (x − target)²."""

    def mean_squared_error_backward(self, x: Batch, target: Batch, buffers: Any) -> Batch:
        """dx = 2 (x − target) / number of elements."""

    def count_correct(self, logits: Batch, labels: Indices, buffers: Any) -> Scalar:
        """How many rows of logits (N, C) have their first maximum at labels[n].

        A single logit (C = 1) says class 1 where it is positive, else class 0.
        """
