"""Sequential: layers one after the other. Forward runs down the list, backward up."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from .common.arguments import instance, switch, whole_number
from .common.tables import aligned
from .data.batches import as_samples, in_batches
from .layers.activation import ReLU
from .layers.base import Layer
from .layers.parameter import Parameter, Shape
from .layers.pooling import MaxPool2D


class Sequential(Layer):
    """y = last(… second(first(x)) …); the chain rule gives dx = first'(… last'(dy) …).

    seed: draw the parameters of all layers, in order, and all dropout masks from this one seed;
    without it every layer keeps what it has. Raises ValueError when a layer or a parameter stands
    in it twice.
    """

    def __init__(self, *layers: Layer, seed: int | None = None) -> None:
        for position, layer in enumerate(layers):
            if isinstance(layer, (list, tuple)):
                raise TypeError(
                    f"Sequential: got a {type(layer).__name__} of layers, wanted the layers "
                    "themselves: write Sequential(*layers)"
                )
            instance(layer, Layer, f"layer {position}", "Sequential", "a layer")
        self.layers = layers
        self.order = computing_order(layers)
        super().__init__()
        refuse_twice("layer", self.walk(), "each keeps only one batch")
        refuse_twice("parameter", self.state().values(), "each keeps only one gradient")
        self.to(layers[0].backend if layers else "numpy")
        if seed is not None:
            self.initialize(np.random.default_rng(seed))
            self.reseed(seed)

    # ── what every layer states ──────────────────────────────────────────────────────────────

    def output_shape(self, input_shape: Shape) -> Shape:
        return self.shapes(input_shape)[-1]

    def shapes(self, input_shape: Shape) -> list[Shape]:
        """The sample shape before every layer and after the last; an error says which layer."""
        shapes = [tuple(input_shape)]
        for position, layer in enumerate(self.layers):
            try:
                shapes.append(layer.output_shape(shapes[-1]))
            except ValueError as error:
                raise ValueError(f"layer {position}: {error}") from None
        return shapes

    def forward_batch(self, x, training):
        for position in self.order:
            x = self.layers[position].forward_batch(x, training)
        return x

    def backward_batch(self, dy, input_gradient=True):
        """Layers below the first one that learns are visited only for the input's gradient."""
        first = 0 if input_gradient else self.first_that_learns()
        for position in reversed(self.order[first:]):
            dy = self.layers[position].backward_batch(dy, input_gradient or position > first)
        return dy if input_gradient else None

    def first_that_learns(self) -> int:
        """The position of the first layer with a parameter that is learned, or their number."""
        learning = (k for k, layer in enumerate(self.layers) if layer.parameters())
        return next(learning, len(self.layers))

    def multiply_adds(self, input_shape: Shape) -> int:
        shapes = self.shapes(input_shape)
        return sum(layer.multiply_adds(s) for layer, s in zip(self.layers, shapes))

    def smallest_batch(self, input_shape: Shape) -> int:
        shapes = self.shapes(input_shape)
        return max((layer.smallest_batch(s) for layer, s in zip(self.layers, shapes)), default=1)

    def initialize(self, rng: np.random.Generator | int) -> None:
        """Fresh parameters for every layer, in order, from one generator or seed."""
        rng = np.random.default_rng(rng)
        for layer in self.layers:
            layer.initialize(rng)

    def reseed(self, seed: tuple[int, int] | int) -> None:
        """Start the random masks again: the k-th layer, at whatever depth, draws from (seed, k)."""
        first, second = seed if isinstance(seed, tuple) else (seed, 0)
        inner = [layer for layer in self.walk() if not isinstance(layer, Sequential)]
        for k, layer in enumerate(inner):
            layer.reseed((first, second * len(inner) + k))

    def state(self) -> dict[str, Parameter]:
        return {
            f"{position}.{name}": parameter
            for position, layer in enumerate(self.layers)
            for name, parameter in layer.state().items()
        }

    def walk(self) -> Iterator[Layer]:
        yield self
        for layer in self.layers:
            yield from layer.walk()

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
        logits = self.predict_logits(images, batch_size)
        if logits.shape[1] == 1:
            logits = np.concatenate([np.zeros_like(logits), logits], axis=1)
        exponentials = np.exp(logits - logits.max(axis=1, keepdims=True))
        return exponentials / exponentials.sum(axis=1, keepdims=True)

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
        shapes = self.shapes(input_shape)
        rows = [["", "layer", "by", "output", "parameters", "multiply-adds", "learned"]]
        for position, layer in enumerate(self.layers):
            output = " x ".join(map(str, shapes[position + 1]))
            macs = layer.multiply_adds(shapes[position])
            way = layer.way(shapes[position])
            if self.order[position] > position:
                way = "after the pooling"
            rows.append([str(position), repr(layer), way, output, *counts(layer, macs)])
        rows.append(["", "total", "", "", *counts(self, self.multiply_adds(input_shape))])
        if all(p.learned or p.statistic for p in self.state().values()):
            rows = [row[:-1] for row in rows]
        if not any(row[2] for row in rows[1:]):
            rows = [[*row[:2], *row[3:]] for row in rows]
        lines = aligned(rows, left=rows[0].index("output") + 1)
        rule = "-" * len(lines[0])
        return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, position: int) -> Layer:
        return self.layers[position]

    def __str__(self) -> str:
        return f"Sequential of {len(self.layers)} layers"

    def __repr__(self) -> str:
        return "Sequential(" + "".join(f"\n    {layer!r}," for layer in self.layers) + "\n)"


def computing_order(layers: Sequence[Layer]) -> list[int]:
    """The positions in the order in which they are computed: a ReLU just before a MaxPool2D comes
    after it.

    ReLU never falls, so relu(max(x)) = max(relu(x)), and it is so to the bit; where no number of a
    window is positive, the gradient of both is 0. But after the pooling there are few numbers left
    (a quarter, as a rule), and both ways there is one pass less over the many. MINICNN_FUSE=0
    keeps the order as it is.
    """
    allowed, order = switch("MINICNN_FUSE"), list(range(len(layers)))
    for k, (first, second) in enumerate(pairwise(layers)):
        if allowed and type(first) is ReLU and type(second) is MaxPool2D:
            order[k], order[k + 1] = k + 1, k
    return order


def refuse_twice(what: str, things: Iterable[Any], why: str) -> None:
    things = list(things)
    if len({id(thing) for thing in things}) != len(things):
        raise ValueError(f"Sequential: a {what} stands in it twice; {why}")


def likeliest(logits: np.ndarray) -> np.ndarray:
    """The class of each row, int64 (N,); a single logit chooses between 0 and 1."""
    chosen = logits[:, 0] > 0 if logits.shape[1] == 1 else logits.argmax(axis=1)
    return chosen.astype(np.int64)


def counts(layer: Layer, multiply_adds: int) -> list[str]:
    """A line of the summary: numbers that are parameters, multiply-adds, and what is learned."""
    sizes = {p: int(np.prod(p.shape)) for p in layer.state().values() if not p.statistic}
    learned = sum(size for p, size in sizes.items() if p.learned)
    return [f"{n:,}" for n in (sum(sizes.values()), multiply_adds, learned)]


def snapshot(network: Layer) -> dict[str, np.ndarray]:
    """A copy of the whole state, as NumPy arrays by name."""
    with network.alone():
        return {name: p.value.copy() for name, p in network.state().items()}


def restore(network: Layer, values: dict[str, np.ndarray]) -> None:
    """Put a snapshot back."""
    with network.alone():
        for name, parameter in network.state().items():
            parameter.value = values[name]
