"""Losses: one number that says how wrong a batch is, and its gradient."""

from __future__ import annotations

from copy import copy
from math import prod
from threading import get_ident
from typing import Any, NamedTuple, Self

import numpy as np

from . import backends
from .backends.contract import Backend, Batch, Data, Indices, Scalar
from .common.arguments import Described, as_array, as_floats, number
from .common.turns import Turn, Turns
from .layers.parameter import Shape


class Targets(NamedTuple):
    """Checked targets of a data set: sample n's is `data[rows[n]]`.

    Integer labels share one row of `data` per class; other targets have a row per sample.
    mass: what each sample counts for in the mean (class weights), None for one each.
    labels: the right class of each sample, None where there is no such thing; `answers` are the
    same on the backend.
    """

    data: Data
    rows: Data
    mass: np.ndarray | None = None
    labels: np.ndarray | None = None
    answers: Data | None = None


class Loss(Described):
    """The base of every loss. `forward` and `backward` are for users: NumPy in, NumPy out."""

    _ready: int | None  # the thread whose forward waits for its backward

    backend = "numpy"

    def __init__(self, **arguments: Any) -> None:
        if arguments and type(self).__init__ is Loss.__init__:
            raise TypeError(f"{type(self).__name__} takes no arguments, got {arguments}")
        self.arguments = arguments
        self.turn = Turn()
        self.to("numpy")

    # ── what a loss states ───────────────────────────────────────────────────────────────────

    def targets(self, target: Any, output: Shape) -> Targets:
        """Check the targets of a whole data set against the network's output (N, …)."""
        raise NotImplementedError(f"{type(self).__name__} does not state its targets")

    def forward_batch(self, prediction: Batch, target: Batch, divisor: float) -> Scalar:
        raise NotImplementedError(f"{type(self).__name__} does not state its forward_batch")

    def backward_batch(self) -> Batch:
        raise NotImplementedError(f"{type(self).__name__} does not state its backward_batch")

    # ── what a user calls ────────────────────────────────────────────────────────────────────

    @np.errstate(over="ignore", invalid="ignore")  # Inf and NaN pass through in silence
    def forward(self, prediction: Any, target: Any) -> float:
        """The mean loss of a batch. Raises ValueError or TypeError for targets that don't fit."""
        prediction = as_floats(prediction, f"{self}: prediction")
        if len(prediction) == 0:
            raise ValueError(f"{self}: an empty batch has no mean loss")
        with Turns([self.turn]):
            targets, everything = self.targets(target, prediction.shape), np.arange(len(prediction))
            loss = self.compare(self.ops.from_numpy(prediction), targets, everything)
            self._ready = get_ident()
            return self.ops.to_float(loss)

    def backward(self) -> np.ndarray:
        """Gradient of the last mean loss with respect to the prediction; once per forward, in the
        same thread: RuntimeError otherwise.
        """
        with Turns([self.turn]):
            if self._ready != get_ident():
                raise RuntimeError(f"{self}: backward needs a forward before it, each time")
            self._ready = None
            return self.ops.to_numpy(self.backward_batch())

    # ── what training calls ──────────────────────────────────────────────────────────────────

    def compare(self, prediction: Batch, targets: Targets, indices: Indices) -> Scalar:
        """The mean loss of the samples `indices`, whose predictions these are."""
        rows = self.ops.pick(targets.rows, indices, self.buffers)
        target = self.ops.gather(targets.data, rows, prediction.dtype, self.buffers)
        return self.forward_batch(prediction, target, self.divisor(targets, indices) or 1.0)

    def divisor(self, targets: Targets, indices: Indices) -> float:
        """What the sum over these samples is divided by: their number, or their class weights.

        Where no sample of a batch counts it is 0, and the loss is the sum: 0, but for what label
        smoothing adds.
        """
        if targets.mass is None:
            return len(indices)
        return float(targets.mass[np.asarray(indices)].sum())

    def every_row(self, target: np.ndarray) -> Data:
        """Sample n's target is row n."""
        return self.ops.upload(np.arange(len(target)))

    def to(self, backend: str) -> Self:
        if self.backend != backend:
            backends.leave(self, self.backend)
        self.backend = backend
        self.buffers = self.ops.Buffers()
        self._ready = None
        return self

    def on(self, backend: str) -> Self:
        """A copy on a backend, with its own memory: one loss can serve several threads at once."""
        return copy(self).to(backend)

    @property
    def ops(self) -> Backend:
        return backends.get(self.backend)

    def __repr__(self) -> str:
        arguments = ", ".join(f"{name}={value!r}" for name, value in self.arguments.items())
        return f"{type(self).__name__}({arguments})"


class SoftmaxCrossEntropy(Loss):
    """−log of the probability that softmax gives to the right class, computed from logits.

        L = −Σ_{n,c} t[n,c] · log p[n,c] / divisor,   p = softmax(logits)
        dlogits = (p · Σ_c t − t) / divisor

    logits (N, C). Target: integer labels (N,) with 0 ≤ label < C, or probabilities (N, C) whose
    rows sum to 1 (one-hot or soft). For labels t is the one-hot row, so dlogits = (p − t) / N.

    label_smoothing ε (Szegedy et al. 2016): t ← (1 − ε) · t + ε / C.
    class_weights (C,): t[:, c] ← weight[c] · t[:, c]; the divisor is then the sum of the labels'
    weights (for probabilities it stays N), as in PyTorch; ValueError when all of them are 0.
    """

    def __init__(self, label_smoothing: float = 0.0, class_weights: Any = None) -> None:
        self.label_smoothing = number(label_smoothing, "label_smoothing", "SoftmaxCrossEntropy")
        if not 0 <= label_smoothing <= 1:
            raise ValueError(
                f"SoftmaxCrossEntropy: label_smoothing must be in 0..1, got {label_smoothing!r}"
            )
        if class_weights is not None:
            weights = as_array(class_weights, "SoftmaxCrossEntropy: class_weights")
            if (
                weights.ndim != 1
                or weights.dtype.kind not in "biuf"
                or not (np.isfinite(weights).all() and (weights >= 0).all())
            ):
                raise ValueError(
                    "SoftmaxCrossEntropy: class_weights must be finite numbers ≥ 0, one per "
                    f"class, got {class_weights!r}"
                )
            class_weights = weights.astype(np.float64)
        self.class_weights = class_weights
        shown = None if class_weights is None else class_weights.tolist()
        super().__init__(label_smoothing=self.label_smoothing, class_weights=shown)

    def targets(self, target: Any, output: Shape) -> Targets:
        if len(output) != 2:
            raise ValueError(f"{self}: wanted logits of shape (N, C), got {output}")
        samples, classes = output
        if classes == 1:
            raise ValueError(
                f"{self}: a single class leaves nothing to choose; one logit against the rest is "
                "for SigmoidCrossEntropy"
            )
        if self.class_weights is not None and len(self.class_weights) != classes:
            raise ValueError(
                f"{self}: {len(self.class_weights)} class weights for {classes} classes"
            )
        target = as_array(target, f"{self}: target")
        if target.shape == (samples, classes) and target.dtype.kind in "iuf":
            return self.soft_targets(target)
        labels = as_labels(target, samples, classes, f"{self}")
        data, rows = self.ops.upload(self.weighted(np.eye(classes))), self.ops.upload(labels)
        mass = None if self.class_weights is None else self.class_weights[labels]
        if mass is not None and not mass.any():
            raise ValueError(f"{self}: every label's class has weight 0, so there is no mean")
        return Targets(data, rows, mass, labels, rows)

    def soft_targets(self, target: np.ndarray) -> Targets:
        rows = target.astype(np.float64)
        wrong = ~(np.abs(rows.sum(axis=1) - 1) <= 1e-3) | (rows < 0).any(axis=1)
        if wrong.any():
            n = int(wrong.argmax())
            raise ValueError(
                f"{self}: row {n} of the targets is no probability distribution: {rows[n]} "
                f"(sum {rows[n].sum()})"
            )
        labels = rows.argmax(axis=1)
        data, answers = self.ops.upload(self.weighted(rows)), self.ops.upload(labels)
        return Targets(data, self.every_row(rows), labels=labels, answers=answers)

    def weighted(self, rows: np.ndarray) -> np.ndarray:
        rows = (1 - self.label_smoothing) * rows + self.label_smoothing / rows.shape[1]
        return rows if self.class_weights is None else rows * self.class_weights

    def forward_batch(self, prediction, target, divisor):
        self.target, self.last_divisor = target, divisor
        loss, self.p = self.ops.softmax_cross_entropy_forward(
            prediction, target, divisor, self.buffers
        )
        return loss

    def backward_batch(self):
        return self.ops.softmax_cross_entropy_backward(
            self.p, self.target, self.last_divisor, self.buffers
        )


class SigmoidCrossEntropy(Loss):
    """Binary cross-entropy of each output by itself, computed from logits.

        L = mean of −t · log p − (1 − t) · log(1 − p),  p = sigmoid(logits)
        dlogits = (p − t) / (number of elements)

    logits (N, K); target (N, K) with values in 0..1, or, for one output, labels 0 and 1 as (N,).
    The mean runs over all N · K elements, as in PyTorch's BCEWithLogitsLoss.
    """

    def targets(self, target: Any, output: Shape) -> Targets:
        target = as_array(target, f"{self}: target")
        if target.dtype.kind not in "iuf":
            raise TypeError(f"{self}: targets must be numbers, got {target.dtype}")
        if target.ndim == 1 and len(output) == 2 and output[1] == 1:
            target = target[:, None]
        check_same_shape(target, output, f"{self}")
        if not ((target >= 0) & (target <= 1)).all():
            got = f"{target.min()}..{target.max()}"
            raise ValueError(f"{self}: targets must lie in 0..1, got {got}")
        labels = (target[:, 0] > 0.5).astype(np.int64) if output[1:] == (1,) else None
        # As floats, for `gather` would take uint8 zeros and ones for pixels.
        data = self.ops.upload(target.astype(np.float64))
        answers = None if labels is None else self.ops.upload(labels)
        return Targets(data, self.every_row(target), labels=labels, answers=answers)

    def forward_batch(self, prediction, target, divisor):
        self.target = target
        loss, self.p = self.ops.sigmoid_cross_entropy_forward(prediction, target, self.buffers)
        return loss

    def backward_batch(self):
        return self.ops.sigmoid_cross_entropy_backward(self.p, self.target, self.buffers)


class MeanSquaredError(Loss):
    """L = mean over all elements of (prediction − target)², dx = 2 (prediction − target) / size.

    prediction and target of the same shape; a uint8 target is read as pixels, value / 255.
    """

    def targets(self, target: Any, output: Shape) -> Targets:
        target = as_array(target, f"{self}: target")
        if target.dtype != np.uint8:
            target = as_floats(target, f"{self}: target")
        check_same_shape(target, output, f"{self}")
        return Targets(self.ops.upload(target), self.every_row(target))

    def forward_batch(self, prediction, target, divisor):
        self.prediction, self.target = prediction, target
        return self.ops.mean_squared_error_forward(prediction, target, self.buffers)

    def backward_batch(self):
        return self.ops.mean_squared_error_backward(self.prediction, self.target, self.buffers)


def as_labels(target: np.ndarray, samples: int, classes: int, who: str) -> np.ndarray:
    """Labels as int64 (N,); TypeError or ValueError that says what is wrong with them."""
    if target.ndim != 1:
        raise ValueError(
            f"{who}: wanted labels of shape ({samples},) or probabilities of shape "
            f"({samples}, {classes}), got shape {target.shape} of {target.dtype}"
        )
    if target.dtype.kind not in "iu":
        raise TypeError(f"{who}: labels must be integers, got {target.dtype}")
    if len(target) != samples:
        raise ValueError(f"{who}: {samples} predictions but {len(target)} labels")
    if samples and not (target.min() >= 0 and target.max() < classes):
        n = int(((target < 0) | (target >= classes)).argmax())
        raise ValueError(f"{who}: label {target[n]} at index {n} is not in 0..{classes - 1}")
    return target.astype(np.int64)


def check_same_shape(target: np.ndarray, output: Shape, who: str) -> None:
    if target.shape != tuple(output) or not prod(output[1:]):
        raise ValueError(f"{who}: predictions have shape {tuple(output)}, targets {target.shape}")
