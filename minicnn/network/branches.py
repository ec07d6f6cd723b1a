"""Ways that part and meet again: the chain rule of a sum, and of channels side by side.

Where x goes two ways, both bring a gradient back, and ∂L/∂x is their sum.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import reduce

from ..layers.base import Layer
from ..layers.checked import backward, forward
from ..layers.parameter import Shape
from .container import Container
from .sequential import Sequential


class Residual(Sequential):
    """Layers one after the other, and a way around them (He et al. 2016): y = s(x) + f(x).

    f is the layers, s the shortcut: a layer or a container, or None for s(x) = x. Both must give
    the same shape. Backward:

        dx = s′(dy) + f′(dy)

    With s(x) = x, dy reaches x whole, however many layers f has: so very deep networks learn.
    Raises ValueError for shapes that cannot be added.
    """

    optional = ("shortcut",)

    def __init__(self, *layers: Layer, shortcut: Layer | None = None) -> None:
        self.shortcut = shortcut
        super().__init__(*layers)

    def output_shape(self, input_shape: Shape) -> Shape:
        around = tuple(input_shape)
        if self.shortcut is not None:
            around = self.part_shape("shortcut", self.shortcut, input_shape)
        through = super().output_shape(input_shape)
        if around != through:
            raise ValueError(
                f"{self}: the shortcut gives samples of shape {around}, the layers {through}: "
                "what is added must be of one shape"
            )
        return through

    def forward_batch(self, x, training):
        around = x if self.shortcut is None else forward(self.shortcut, x, training)
        through = super().forward_batch(x, training)
        return self.ops.add(around, through, "y", self.buffers)

    def backward_batch(self, dy, input_gradient=True):
        around = dy if self.shortcut is None else backward(self.shortcut, dy, input_gradient)
        through = super().backward_batch(dy, input_gradient)
        return self.ops.add(around, through, "dx", self.buffers) if input_gradient else None

    def inner(self, input_shape: Shape) -> Iterator[tuple[str, Layer, Shape]]:
        yield from super().inner(input_shape)
        if self.shortcut is not None:
            yield "shortcut", self.shortcut, input_shape


class Parallel(Container):
    """The same input to every branch, and their channels side by side (Szegedy et al. 2015).

        y = [f₀(x), f₁(x), …]        x (N, C, H, W) → y (N, Σ channels, OH, OW)

    Branches are layers, or containers where a branch has several; `Sequential()` is x itself. They
    must agree in all but the channels; rows (N, features) work alike. Backward: dy is cut apart
    again, and dx = f₀′(dy₀) + f₁′(dy₁) + …. Raises ValueError for no branch and for shapes that do
    not fit together.
    """

    def __init__(self, *branches: Layer) -> None:
        if not branches:
            raise ValueError("Parallel: wanted at least one branch, got none")
        super().__init__(*branches)

    def shapes(self, input_shape: Shape) -> list[Shape]:
        """What each branch gives; an error says which."""
        return [self.part_shape(f"branch {k}", f, input_shape) for k, f in enumerate(self.layers)]

    def output_shape(self, input_shape: Shape) -> Shape:
        shapes = self.shapes(input_shape)
        for k, shape in enumerate(shapes):
            if shape[1:] != shapes[0][1:]:
                raise ValueError(
                    f"{self}: branch {k} gives samples of shape {shape}, branch 0 {shapes[0]}: "
                    "they must be alike in all but the channels"
                )
        return (sum(shape[0] for shape in shapes), *shapes[0][1:])

    def forward_batch(self, x, training):
        ys = [forward(branch, x, training) for branch in self.layers]
        self.channels = [y.shape[1] for y in ys]
        return self.ops.concatenate(ys, self.buffers)

    def backward_batch(self, dy, input_gradient=True):
        dys = self.ops.split(dy, self.channels, self.buffers)
        dxs = [backward(f, part, input_gradient) for f, part in zip(self.layers, dys)]
        if not input_gradient:
            return None
        return reduce(lambda a, b: self.ops.add(a, b, "dx", self.buffers), dxs)

    def inner(self, input_shape: Shape) -> Iterator[tuple[str, Layer, Shape]]:
        for name, branch in self.parts().items():
            yield name, branch, input_shape
