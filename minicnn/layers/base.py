"""What every layer has in common: parameters, checked NumPy calls outside, batches inside.

A layer states three things and nothing else:

    output_shape(input_shape)         shapes, and an error for an input that it cannot take
    forward_batch(x, training)        its formula, on a backend's batch; keeps what backward needs
    backward_batch(dy, …)             its gradient; writes `.grad` of its parameters, returns dx

`forward` and `backward` are the same for users: NumPy in, NumPy out, everything checked before a
kernel runs. `Sequential` calls the batch methods, so between layers nothing is converted.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from inspect import signature
from threading import get_ident
from typing import Any, Self

import numpy as np

from .. import backends
from ..backends.contract import Backend, Batch
from ..common.arguments import Described, as_floats
from ..common.turns import Turn, Turns
from .checked import backward, forward
from .parameter import Parameter, Shape, convert, move
from .shapes import readings

# (height, width), or one number for both.
SQUARES = "kernel_size", "stride", "padding", "output_padding", "dilation"
signature_of = cache(signature)  # every error begins with a layer's repr, which asks for it


class Layer(Described):
    """The base of every layer. `arguments` are what its constructor got: they name it in errors."""

    mask_seed: tuple[int, int] | None = None  # of a layer with random masks; files keep it

    def __init__(self, **arguments: Any) -> None:
        if arguments and type(self).__init__ is Layer.__init__:
            raise TypeError(f"{type(self).__name__} takes no arguments, got {arguments}")
        self.arguments = arguments
        self.backend = "numpy"
        self.buffers = self.ops.Buffers()
        self.turn = Turn()
        # What backward needs to know of the last forward, and the mark that it left on each layer.
        self._expected_dy: tuple[Shape, Any, object, int] | None = None
        self._x_shape: Shape = ()  # of the last batch; backward gives a gradient of this shape
        self._mark: object = None

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(self.__dict__.get(name), Parameter) and not isinstance(value, Parameter):
            raise TypeError(f"{type(self).__name__}: assign to {name}.value, not to {name}")
        super().__setattr__(name, value)

    # ── what a layer states ──────────────────────────────────────────────────────────────────

    @classmethod
    def array_shapes(cls, *_: Any, **arguments: Any) -> dict[str, Shape]:
        """Shapes of the arrays that a layer with these arguments has, by name: its constructor
        makes them from this, and files are compared with it before anything is made.
        """
        return {}

    def output_shape(self, input_shape: Shape) -> Shape:
        """Shape of one output sample for one input sample (without the batch axis)."""
        raise NotImplementedError(f"{type(self).__name__} does not state its output_shape")

    def forward_batch(self, x: Batch, training: bool) -> Batch:
        raise NotImplementedError(f"{type(self).__name__} does not state its forward_batch")

    def backward_batch(self, dy: Batch, input_gradient: bool = True) -> Batch | None:
        """Write the gradients of what is learned and return dx, or None where nobody needs dx."""
        raise NotImplementedError(f"{type(self).__name__} does not state its backward_batch")

    def multiply_adds(self, input_shape: Shape) -> int:
        """Multiplications with a weight in one sample's forward pass."""
        return 0

    def way(self, input_shape: Shape) -> str:
        """How the backend computes it, where there is more than one way."""
        return ""

    def smallest_batch(self, input_shape: Shape) -> int:
        """How many samples a training batch needs."""
        return 1

    def initialize(self, rng: np.random.Generator) -> None:
        """Draw fresh parameters."""

    def reseed(self, seed: tuple[int, int]) -> None:
        """Start the layer's random masks again from this seed."""

    def zeros(self, name: str, learned: bool = True) -> Parameter:
        """A new parameter or statistic of the shape that `array_shapes` states."""
        shape = self.array_shapes(**self.arguments)[name]
        return Parameter(np.zeros(shape, np.float32), learned)

    # ── what a user calls ────────────────────────────────────────────────────────────────────

    @np.errstate(over="ignore", invalid="ignore")  # Inf and NaN pass through in silence
    def forward(self, x: Any, training: bool = False) -> np.ndarray:
        """Output for a batch x, batch axis first: float32 or float64, NumPy in, NumPy out.

        Computed in the wider dtype of x and the parameters. `training` switches dropout and
        batch statistics on. Raises TypeError for a dtype that is not float32 or float64,
        ValueError for a shape that the layer cannot take, and where a part of it has been moved to
        another backend.
        """
        x = as_floats(x, f"{self}: x")
        if x.ndim < 2:
            raise ValueError(f"{self}: wanted a batch (N, …), got an array of shape {x.shape}")
        shape = self.batch_shape(x.shape)
        if self.dtype is not None:
            x = x.astype(np.result_type(x.dtype, self.dtype), copy=False)
        with self.alone():
            self._expected_dy, mark, marks = None, object(), self.marks()
            if len(x) == 0:
                y = np.empty(shape, x.dtype)
            else:
                y = self.ops.to_numpy(forward(self, self.ops.from_numpy(x), training))
            for attributes in marks:
                attributes["_mark"] = mark
            self._expected_dy = shape, x.dtype, mark, get_ident()
        return y

    @np.errstate(over="ignore", invalid="ignore")  # Inf and NaN pass through in silence
    def backward(self, dy: Any) -> np.ndarray:
        """Gradient of the loss with respect to x, given dy, its gradient with respect to y.

        Writes (overwrites) `.grad` of every learned parameter. Once per forward, in the same
        thread, with nothing in between that went through the layers (predict, evaluate, fit,
        another network): RuntimeError otherwise. Raises ValueError when dy has not the shape of
        the last output.
        """
        dy = as_floats(dy, f"{self}: dy")
        with self.alone():
            if self._expected_dy is None:
                raise RuntimeError(f"{self}: backward needs a forward before it, each time")
            shape, dtype, mark, thread = self._expected_dy
            if thread != get_ident() or any(layer._mark is not mark for layer in self.walk()):
                raise RuntimeError(
                    f"{self}: since its forward another batch went through its layers (predict, "
                    "evaluate, fit, another network or thread): backward needs a forward just "
                    "before it"
                )
            if dy.shape != shape:
                raise ValueError(f"{self}: dy has shape {dy.shape}, the output had {shape}")
            self._expected_dy = None
            if len(dy) == 0:
                raise ValueError(f"{self}: an empty batch has no gradient")
            dx = backward(self, self.ops.from_numpy(dy.astype(dtype, copy=False)))
            return self.ops.to_numpy(dx)

    def alone(self) -> Turns:
        """`with layer.alone():` other threads wait before they send a batch through it."""
        return Turns(layer.turn for layer in self.walk())

    def mark(self) -> None:
        """Another batch goes through: no backward may go on from what an earlier one left."""
        for attributes in self.marks():
            attributes["_mark"] = None

    def marks(self) -> list[dict[str, Any]]:
        """The attributes of all its layers: `fit` sets each `_mark` at every step, and here that
        takes less time than by `__setattr__`.

        ValueError where one of them has been moved to another backend.
        """
        layers = [*self.walk()]
        for layer in layers:
            if layer.backend != self.backend:
                raise ValueError(
                    f"{layer} is on {layer.backend!r}, but {self}, which it is part of, on "
                    f"{self.backend!r}: move the whole, with to({self.backend!r})"
                )
        return [vars(layer) for layer in layers]

    def __call__(self, x: Any, training: bool = False) -> np.ndarray:
        """The same as `forward`."""
        return self.forward(x, training)

    def batch_shape(self, shape: Shape) -> Shape:
        """(N, …) of the output for a batch of this shape.

        Where it cannot be taken, but as images of another layout could, the ValueError says so.
        """
        try:
            return (shape[0], *self.output_shape(shape[1:]))
        except ValueError as error:
            raise ValueError(f"{error}{self.layout_hint(shape)}") from None

    def layout_hint(self, shape: Shape) -> str:
        """The first reading of a batch's shape that the layer can take, as what to write."""
        for written, meaning, read in readings(shape):
            try:
                self.output_shape(read)
            except ValueError:
                continue
            return f"; if x holds {meaning}, pass {written}"
        return ""

    def parameters(self) -> list[Parameter]:
        """What is learned, in a fixed order; without what is frozen."""
        return [p for p in self.state().values() if p.learned]

    def freeze(self, frozen: bool = True) -> Self:
        """Learn no parameter of the layer, and of the layers in it, any more; returns the layer.

        freeze(False) learns them again. An optimiser that has made a step knows its parameters:
        it wants another one after this. Running statistics go on, as in PyTorch.
        """
        for parameter in self.state().values():
            if not parameter.statistic:
                parameter.learned = not frozen
        return self

    def state(self) -> dict[str, Parameter]:
        """Everything that a copy of the layer needs: parameters, statistics, counters, by name."""
        return {name: p for name, p in vars(self).items() if isinstance(p, Parameter)}

    def to(self, backend: str) -> Self:
        """Move to a backend, in place; returns the layer."""
        ops = backends.get(backend)
        with self.alone():
            for layer in self.walk():
                if layer.backend != backend:
                    backends.leave(layer, layer.backend)
                layer.backend, layer.buffers, layer._expected_dy = backend, ops.Buffers(), None
            move(self.state().values(), backend)
        return self

    def astype(self, dtype: Any) -> Self:
        """Turn the parameters into "float32" or "float64", in place; returns the layer."""
        with self.alone():
            convert(self.state().values(), dtype, f"{self}: parameters")
        return self

    @property
    def dtype(self) -> np.dtype | None:
        """dtype of the parameters; None for a layer without."""
        return next((p.dtype for p in self.state().values() if p.dtype.kind == "f"), None)

    @property
    def ops(self) -> Backend:
        return backends.get(self.backend)

    def walk(self) -> Iterator[Layer]:
        """The layer and, in a container, every layer inside."""
        yield self

    def __repr__(self) -> str:
        """The call that makes such a layer, without arguments that are at their default."""
        own: type = type(self)
        known = signature_of(own).parameters
        arguments = []
        for name, value in self.arguments.items():
            if name in SQUARES and isinstance(value, tuple) and value[0] == value[1]:
                value = value[0]  # a square kernel as its one number
            if name not in known or value != known[name].default:
                arguments.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(arguments)})"
