"""A layer that is made of layers: what all of them do alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np

from ..common.arguments import instance
from ..layers.base import Layer
from ..layers.parameter import Parameter, Shape


class Container(Layer):
    """layers: those that its constructor takes one after the other. optional: the names of those
    that it takes by name, each the attribute that holds it, or None.

    It states `inner`, besides what every layer states. Raises TypeError for what is no layer,
    ValueError when a layer or a parameter stands in it twice.
    """

    optional: tuple[str, ...] = ()

    def __init__(self, *layers: Layer) -> None:
        name = type(self).__name__
        for position, layer in enumerate(layers):
            if isinstance(layer, (list, tuple)):
                raise TypeError(
                    f"{name}: got a {type(layer).__name__} of layers, wanted the layers "
                    f"themselves: write {name}(*layers)"
                )
            instance(layer, Layer, f"layer {position}", name, "a layer")
        for optional, layer in self.parts().items():
            instance(layer, Layer, optional, name, "a layer")
        self.layers = layers
        super().__init__()
        self.refuse_twice("layer", self.walk(), "each keeps only one batch")
        self.refuse_twice("parameter", self.state().values(), "each keeps only one gradient")
        self.to(next((part.backend for part in self.parts().values()), "numpy"))

    def __setattr__(self, name: str, value: Any) -> None:
        if name in ("layers", *self.optional) and "turn" in vars(self):  # it has been made
            raise AttributeError(
                f"{type(self).__name__}: {name} is fixed when it is made; make another one"
            )
        super().__setattr__(name, value)

    def parts(self) -> dict[str, Layer]:
        """The layers by name: positions, and what is optional where it is there."""
        found = {name: getattr(self, name) for name in self.optional}
        numbered = {str(k): layer for k, layer in enumerate(getattr(self, "layers", ()))}
        return numbered | {name: layer for name, layer in found.items() if layer is not None}

    def inner(self, input_shape: Shape) -> Iterator[tuple[str, Layer, Shape]]:
        """Each part with its name and the shape of the samples that it gets."""
        raise NotImplementedError(f"{type(self).__name__} does not state its inner layers' shapes")

    def part_shape(self, where: str, part: Layer, input_shape: Shape) -> Shape:
        """The output shape of a part; an error says where it stands."""
        try:
            return part.output_shape(input_shape)
        except ValueError as error:
            raise ValueError(f"{type(self).__name__}, {where}: {error}") from None

    def multiply_adds(self, input_shape: Shape) -> int:
        return sum(layer.multiply_adds(shape) for _, layer, shape in self.inner(input_shape))

    def smallest_batch(self, input_shape: Shape) -> int:
        inner = self.inner(input_shape)
        return max((layer.smallest_batch(shape) for _, layer, shape in inner), default=1)

    def initialize(self, rng: np.random.Generator | int) -> None:
        """Fresh parameters for every layer, in order, from one generator or seed."""
        rng = np.random.default_rng(rng)
        for part in self.parts().values():
            part.initialize(rng)

    def reseed(self, seed: tuple[int, int] | int) -> None:
        """Start the random masks again: the k-th layer, at whatever depth, draws from (seed, k)."""
        first, second = seed if isinstance(seed, tuple) else (seed, 0)
        inner = [layer for layer in self.walk() if not isinstance(layer, Container)]
        for k, layer in enumerate(inner):
            layer.reseed((first, second * len(inner) + k))

    def state(self) -> dict[str, Parameter]:
        return {
            f"{name}.{inner}": parameter
            for name, part in self.parts().items()
            for inner, parameter in part.state().items()
        }

    def walk(self) -> Iterator[Layer]:
        yield self
        for part in (*self.layers, *(getattr(self, name) for name in self.optional)):
            if part is not None:
                yield from part.walk()

    def refuse_twice(self, what: str, things: Iterable[Any], why: str) -> None:
        things = list(things)
        if len({id(thing) for thing in things}) != len(things):
            raise ValueError(f"{type(self).__name__}: a {what} stands in it twice; {why}")

    def __len__(self) -> int:
        return len(self.layers)

    def __getitem__(self, position: int) -> Layer:
        return self.layers[position]

    def __str__(self) -> str:
        count = len(self.layers)
        return f"{type(self).__name__} of {count} layer{'s' if count != 1 else ''}"

    def __repr__(self) -> str:
        lines = [
            f"{part!r}" if name.isdecimal() else f"{name}={part!r}"
            for name, part in self.parts().items()
        ]
        inside = "".join(f"\n{line}," for line in lines).replace("\n", "\n    ")
        return f"{type(self).__name__}({inside}\n)"
