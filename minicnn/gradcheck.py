"""Is this gradient right? Compare backward with differences of forward.

For a random upstream gradient G the number f(z) = Σ G · forward(z) has the gradient that backward
computes from G. Its slope along a direction d is also

    (f(z + h·d) − f(z − h·d)) / 2h,        h = 1e-6, in float64

with an error of order h². (For a loss, f is the loss itself.) A small array is checked at every
coordinate, a large one along random directions, as JAX's check_grads does. G must be random: with
ones, BatchNorm's gradient is 0 and much wrong code passes.

At a kink (ReLU at 0, a tie in a pooling window) no slope exists. It shows by itself: the slopes to
the left and to the right differ by the same amount however small h is, while on a smooth stretch
the difference shrinks with h. There the check steps aside and says how often it did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

STEP = 1e-6
# Rounding moves f by some units in its last place, and a slope by that much / STEP.
NOISE = 8 * np.finfo(float).eps / STEP
STREAM = 0x67726164


class GradientError(AssertionError):
    """backward and the numeric gradient differ."""


@dataclass(frozen=True)
class Report:
    """How many places were compared, how many lay at kinks, and the worst relative error."""

    compared: int
    kinks: int
    worst: float


@dataclass(frozen=True)
class Checked:
    """One array under the check: its value, what backward says, f, and how to move the array."""

    name: str
    value: np.ndarray
    gradient: np.ndarray
    f: Callable[[], float]
    assign: Callable[[np.ndarray], None]

    def analytic(self, index: Any, d: Any) -> float:
        return float(np.sum(self.gradient[index] * d))

    def numeric(self, index: Any, d: Any) -> float | None:
        """Central difference of f as value[index] moves along d; None at a kink."""

        def at(h: float) -> float:
            moved = self.value.copy()
            moved[index] += h * d
            self.assign(moved)
            return self.f()

        def differences(h: float) -> tuple[float, float]:
            left, right = at(-h), at(h)
            return (right - left) / (2 * h), abs(right - 2 * middle + left) / h

        try:
            middle = at(0.0)
            noise = 16 * NOISE * max(1.0, abs(middle))
            slope, jump = differences(STEP)
            if jump <= max(noise, 1e-6 * abs(slope)):
                return slope
            _, nearer_jump = differences(STEP / 8)
            # f″ makes the one-sided slopes differ by h·|f″|: 8 times less at h / 8. A kink at the
            # middle keeps its jump, a kink between h / 8 and h has none left.
            smooth = abs(nearer_jump - jump / 8) <= max(8 * noise, jump / 16)
            return slope if smooth else None
        finally:
            self.assign(self.value)


def check(
    subject: Any,
    x: Any,
    target: Any = None,
    *,
    training: bool = False,
    seed: int = 0,
    tolerance: float = 1e-5,
    max_coordinates: int = 200,
    directions: int = 10,
) -> Report:
    """Check the gradients of a layer, a network or a loss against differences.

    subject: a layer or network has `forward(x, training)`, `backward(dy)` and `parameters()`, each
    with `.value` and `.grad`; a loss has `forward(prediction, target)` and `backward()`. That is
    all that is asked for: your own classes need no base class. Parameters must be float64
    (`network.astype("float64")`).
    x: the input (for a loss: the prediction), used as float64. target: for a loss.
    tolerance: on |backward − numeric| / max(|backward|, |numeric|, 1e-3 of the array's largest).
    Arrays of up to max_coordinates elements are checked at each, others along `directions`.

    Raises GradientError naming the array, the worst index, both values and the relative error;
    TypeError for float32 parameters; ValueError for an x that is not finite, or when more than
    half of the places tried lie at kinks. Parameters and statistics are left as they were.
    """
    # A stream of its own: were G drawn as x was, from one seed, symmetric bugs could hide.
    rng = np.random.default_rng((seed, STREAM))
    x = np.array(x, dtype=np.float64, order="C")
    if not np.isfinite(x).all():
        raise ValueError("gradcheck: x must be finite")
    arrays = of_layer(subject, x, training, rng) if target is None else of_loss(subject, x, target)
    reports = [compare(array, rng, tolerance, max_coordinates, directions) for array in arrays]
    return Report(
        sum(r.compared for r in reports),
        sum(r.kinks for r in reports),
        max(r.worst for r in reports),
    )


def of_layer(layer: Any, x: np.ndarray, training: bool, rng: np.random.Generator):
    """x and every parameter, with f = Σ G · forward."""
    names = {id(p): name for name, p in state_of(layer).items()}
    parameters = {names.get(id(p), f"parameter {k}"): p for k, p in enumerate(layer.parameters())}
    for name, parameter in parameters.items():
        if parameter.value.dtype != np.float64:
            raise TypeError(
                f"gradcheck: {name} is {parameter.value.dtype}; differences need float64: "
                "call .astype('float64') first"
            )
    learned = {id(p) for p in parameters.values()}
    rest = [(p, p.value.copy()) for p in state_of(layer).values() if id(p) not in learned]
    moving = x.copy()

    def forward() -> np.ndarray:
        y = layer.forward(moving.copy(), training=training)
        for parameter, before in rest:  # so that the next pass draws the same mask
            parameter.value = before
        return np.asarray(y)

    upstream = rng.standard_normal(forward().shape)

    def backward() -> dict[str, np.ndarray]:
        forward()
        dx = np.array(layer.backward(upstream.copy()))
        return {"x": dx, **{name: np.array(p.grad) for name, p in parameters.items()}}

    gradients, again = backward(), backward()
    for name, gradient in gradients.items():
        if not np.array_equal(gradient, again[name], equal_nan=True):
            raise GradientError(
                f"{name}: the same step twice gave two gradients; backward must overwrite them"
            )

    def f() -> float:
        return float(np.vdot(upstream, forward()))

    yield Checked("x", x, gradients["x"], f, lambda value: np.copyto(moving, value))
    for name, parameter in parameters.items():
        original = parameter.value
        assign = (lambda p: lambda value: setattr(p, "value", value))(parameter)
        try:
            yield Checked(name, np.array(original), gradients[name], f, assign)
        finally:
            parameter.value = original  # the very array, which others may have views of


def of_loss(loss: Any, x: np.ndarray, target: Any) -> Iterator[Checked]:
    moving = x.copy()

    def f() -> float:
        return float(loss.forward(moving.copy(), target))

    f()
    gradient = np.array(loss.backward())
    yield Checked("prediction", x, gradient, f, lambda value: np.copyto(moving, value))


def compare(
    array: Checked,
    rng: np.random.Generator,
    tolerance: float,
    max_coordinates: int,
    directions: int,
) -> Report:
    value, gradient = array.value, array.gradient
    if gradient.shape != value.shape:
        raise GradientError(f"{array.name} has shape {value.shape}, its gradient {gradient.shape}")
    if not np.isfinite(gradient).all():
        raise GradientError(f"the gradient of {array.name} is not finite: {gradient}")
    if value.size == 0:
        return Report(0, 0, 0.0)
    everywhere = value.size <= max_coordinates
    along = (
        [(index, 1.0) for index in np.ndindex(value.shape)]
        if everywhere
        else [(..., unit_vector(value.shape, rng)) for _ in range(directions)]
    )
    places: list[tuple[Any, float, float | None]] = [
        (index, array.analytic(index, d), array.numeric(index, d)) for index, d in along
    ]
    smooth = [(index, a, n) for index, a, n in places if n is not None]
    kinks = len(places) - len(smooth)
    if 2 * kinks > len(places):
        raise ValueError(
            f"gradcheck: {kinks} of {len(places)} places of {array.name} lie at kinks, so nothing "
            "can be said; choose an x away from them"
        )
    largest = max(max(abs(a), abs(n)) for _, a, n in smooth)
    floor = max(1e-3 * largest, NOISE * max(1.0, abs(array.f())) / tolerance)

    def error(a: float, n: float) -> float:
        return abs(a - n) / max(abs(a), abs(n), floor)

    index, a, n = max(smooth, key=lambda place: error(*place[1:]))
    worst = error(a, n)
    if worst > tolerance:
        at, a, n = (index, a, n) if everywhere else worst_coordinate(array, rng, max_coordinates)
        raise GradientError(
            f"{array.name}[{', '.join(map(str, at))}]: backward says {a:.9g}, differences of "
            f"forward say {n:.9g}: relative error {error(a, n):.2g}, tolerance {tolerance:g}"
        )
    return Report(len(smooth), kinks, float(worst))


def worst_coordinate(array: Checked, rng: np.random.Generator, count: int):
    """A direction failed: of some random and the largest coordinates, the one that is most off."""
    size = array.value.size
    tried = {*rng.choice(size, min(count, size), replace=False).tolist()}
    tried.update(np.argsort(np.abs(array.gradient), axis=None)[-count:].tolist())
    indices = [np.unravel_index(k, array.value.shape) for k in sorted(tried)]
    places = [(index, array.analytic(index, 1.0), array.numeric(index, 1.0)) for index in indices]
    smooth = [(index, a, n) for index, a, n in places if n is not None]
    return max(smooth, key=lambda place: abs(place[1] - place[2]))


def unit_vector(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    d = rng.standard_normal(shape)
    return d / np.linalg.norm(d)


def state_of(layer: Any) -> dict[str, Any]:
    """Parameters, statistics and counters by name; of a class that isn't ours, what has a grad."""
    if hasattr(layer, "state"):
        return layer.state()
    return {name: p for name, p in vars(layer).items() if hasattr(p, "grad")}
