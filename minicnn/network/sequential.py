"""Sequential: layers one after the other. Forward runs down the list, backward up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..common.arguments import whole_number
from ..data.batches import as_samples, in_batches
from ..layers.base import Layer
from ..layers.checked import backward, forward
from ..layers.parameter import Shape
from .container import Container
from .fused import computed
from .summary import summary


class Sequential(Container):
    """y = last(… second(first(x)) …); the chain rule gives dx = first'(… last'(dy) …).

    seed: draw the parameters of all layers, in order, and all dropout masks from this one seed;
    without it every layer keeps what it has. Two numbers are a seed too, so (5, fold) is another
    for each fold. Raises ValueError when a layer or a parameter stands in it twice.
    """

    def __init__(self, *layers: Layer, seed: tuple[int, int] | int | None = None) -> None:
        super().__init__(*layers)
        self.computed = computed(layers)
        if seed is not None:
            who, numbers = type(self).__name__, seed if isinstance(seed, tuple) else (seed, 0)
            if len(numbers) != 2:
                raise ValueError(f"{who}: seed must be one or two numbers, got {seed}")
            for number in numbers:
                whole_number(number, "seed", who, at_least=0)
            self.initialize(np.random.default_rng(seed))
            self.reseed(seed)

    # ── what every layer states ──────────────────────────────────────────────────────────────

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.shapes(input_shape)[-1]

    def shapes(self, input_shape: Shape) -> list[Shape]:
        """The sample shape before every layer and after the last; an error says which layer."""
        shapes = [tuple(input_shape)]
        for position, layer in enumerate(self.layers):
            shapes.append(self.part_shape(f"layer {position}", layer, shapes[-1]))
        return shapes

    def forward_batch(self, x, training):
        for layer in self.computed.values():
            x = forward(layer, x, training)
        return x

    def backward_batch(self, dy, input_gradient=True):
        """Layers below the first one that learns are visited only for the input's gradient."""
        first = 0 if input_gradient else self.first_that_learns()
        for position, layer in reversed(self.computed.items()):
            if position >= first:
                dy = backward(layer, dy, input_gradient or position > first)
        return dy if input_gradient else None

    def first_that_learns(self) -> int:
        """The position of the first layer with a parameter that is learned, or their number."""
        learning = (k for k, layer in enumerate(self.layers) if layer.parameters())
        return next(learning, len(self.layers))

    def inner(self, input_shape: Shape) -> Iterator[tuple[str, Layer, Shape]]:
        yield from zip(self.parts(), self.layers, self.shapes(input_shape))

    # ── what only a network has ──────────────────────────────────────────────────────────────

    @np.errstate(over="ignore", invalid="ignore")  # Inf and NaN pass through in silence
    def predict(self, images: Any, batch_size: int = 256) -> np.ndarray:
        """Outputs (logits) for any number of images, computed in batches, without training.

        images (N, …): float32, float64, or uint8 pixels, which are scaled to 0..1.
        """
        whole_number(batch_size, "batch_size", "predict")
        images = as_samples(images, f"{self}: images")
        outputs = np.empty(self.batch_shape(images.shape), self.dtype or np.float32)
        with self.alone():
            data = self.ops.upload(images)
            self.mark()
            for indices in in_batches(np.arange(len(images)), batch_size):
                x = self.ops.gather(data, indices, outputs.dtype, self.buffers)
                outputs[indices] = self.ops.to_numpy(self.forward_batch(x, training=False))
        return outputs

    def predict_classes(self, images: Any, batch_size: int = 256) -> np.ndarray:
        """The class of each image, int64 (N,): that of the largest logit, the first among equals.

        A single logit stands for class 1 where it is positive, for class 0 elsewhere. images as
        for `predict`. Raises ValueError for outputs of another shape than (N, C).
        """
        return likeliest(self.predict_logits(images, batch_size))

    @np.errstate(over="ignore", invalid="ignore")  # Inf and NaN pass through in silence
    def predict_probabilities(self, images: Any, batch_size: int = 256) -> np.ndarray:
        """softmax(logits): how sure the network is of each class, (N, C); every row sums to 1.

        Of a single logit z, two classes with 1 − sigmoid(z) and sigmoid(z). images and errors as
        for `predict_classes`. For a network that learned with softmax or, with one logit, sigmoid
        cross-entropy: other outputs are no logits.
        """
        return probabilities(self.predict_logits(images, batch_size))

    def predict_logits(self, images: Any, batch_size: int) -> np.ndarray:
        outputs = self.predict(images, batch_size)
        if outputs.ndim != 2:
            raise ValueError(
                f"{self}: wanted a logit for each class, (N, C), got outputs of {outputs.shape}"
            )
        return outputs

    def summary(self, input_shape: Shape) -> str:
        """A table: each layer's output shape, parameters and multiply-adds per sample, and how the
        backend computes it, where it has more than one way.

        Where something is frozen, one more column has how many of the parameters are learned.
        """
        return summary(self, input_shape)


def likeliest(logits: np.ndarray) -> np.ndarray:
    """The class of each row, int64 (N,); a single logit chooses between 0 and 1."""
    chosen = logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(axis=1)
    return chosen.astype(np.int64)


def probabilities(logits: np.ndarray) -> np.ndarray:
    """softmax of each row, (N, C); a single logit z stands for the two logits 0 and z."""
    if logits.shape[1] == 1:
        logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
    exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
    return exponentials / exponentials.sum(axis=1, keepdims=True)
