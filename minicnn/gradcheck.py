"""Is this gradient right? Compare backward with differences of forward.

For a random upstream gradient G the number f(z) = Σ G · (forward(z) − forward(z₀)) has, where it is
checked, at z₀, the gradient that backward computes from G. (For a loss, f is the loss less that at
z₀.) Its slopes are also found by differences. A small array is checked at every coordinate, a large
one along random directions, as JAX's check_grads does. G must be random: with ones, BatchNorm's
gradient is 0 and much wrong code passes.

Where there is no slope, at a kink, the check steps aside and says how often it did.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from .common.arguments import as_array, number, whole_number
from .common.differences import STEP, Checked, Place

STREAM = 0x67726164
LARGE = 1e6  # numbers of forward, next to which slopes may be hidden


class GradientError(AssertionError):
    """backward and the numeric gradient differ; `place` is where, if it is a place of an array."""

    place: Place | None = None


@dataclass(frozen=True)
class Report:
    """How many places were compared, how many lay at kinks, and the worst relative error."""

    compared: int
    kinks: int
    worst: float


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
    tolerance: on |backward − numeric| / max(|backward|, |numeric|, 1e-3 of the array's largest);
    below 1, which a gradient of 0 has.
    Arrays of up to max_coordinates elements are checked at each, others along `directions`.

    Raises GradientError naming the array, the worst index, both values and the relative error, or
    what else is wrong (a gradient that is missing or differs from step to step, an input that is
    changed in place); TypeError for float32 parameters; ValueError for an x that is not finite,
    when more than half of the places tried lie at kinks, or when forward's numbers are so large
    that their rounding hides the slopes. Where rounding hides all slopes of an array, wider steps
    decide, as exactly as they can. Parameters and statistics are left as they were.
    """
    whole_number(seed, "seed", "gradcheck", at_least=0)
    whole_number(max_coordinates, "max_coordinates", "gradcheck", at_least=0)
    whole_number(directions, "directions", "gradcheck")
    least = np.finfo(float).eps
    if not least <= number(tolerance, "tolerance", "gradcheck") < 1:
        raise ValueError(
            f"gradcheck: tolerance must be at least {least:.1g} and below 1, got {tolerance!r}"
        )
    # A stream of its own: were G drawn as x was, from one seed, symmetric bugs could hide.
    rng = np.random.default_rng((seed, STREAM))
    x = np.array(as_array(x, "gradcheck: x"), dtype=np.float64, order="C")
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
    """x and every parameter, with f = Σ G · (forward − forward at x)."""
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

    def forward(given: np.ndarray) -> np.ndarray:
        y = np.array(layer.forward(given, training=training))
        for parameter, before in rest:  # so that the next pass draws the same mask
            parameter.value = before
        refuse_change("x: forward", given, moving)
        return y

    y = forward(moving.copy())
    upstream = rng.standard_normal(y.shape)

    def backward() -> dict[str, np.ndarray]:
        given, dy = moving.copy(), upstream.copy()
        forward(given)
        found = {"x": layer.backward(dy), **{name: p.grad for name, p in parameters.items()}}
        refuse_change("x: backward", given, moving)
        refuse_change("dy: backward", dy, upstream)
        return {name: as_gradient(gradient, name) for name, gradient in found.items()}

    gradients = backward()
    for _ in range(2):  # what is wrong from a later step on is wrong
        for name, again in backward().items():
            if not np.array_equal(gradients[name], again, equal_nan=True):
                raise GradientError(
                    f"{name}: the same step again gave another gradient; backward must overwrite it"
                )

    def f() -> float:
        return float(np.vdot(upstream, forward(moving.copy()) - y))

    scale = float(np.linalg.norm(upstream * y))
    yield Checked("x", x, gradients["x"], f, scale, lambda value: np.copyto(moving, value))
    for name, parameter in parameters.items():
        original = parameter.value
        assign = (lambda p: lambda value: setattr(p, "value", value))(parameter)
        try:
            yield Checked(name, np.array(original), gradients[name], f, scale, assign)
        finally:
            parameter.value = original  # the very array, which others may have views of


def of_loss(loss: Any, x: np.ndarray, target: Any) -> Iterator[Checked]:
    moving = x.copy()

    def value() -> float:
        given = moving.copy()
        found = float(loss.forward(given, target))
        refuse_change("prediction: forward", given, moving)
        return found

    base = value()
    gradient = as_gradient(loss.backward(), "prediction")
    yield Checked(
        "prediction", x, gradient, lambda: value() - base, abs(base),
        lambda value: np.copyto(moving, value),
    )  # fmt: skip


def as_gradient(gradient: Any, name: str) -> np.ndarray:
    """A copy; GradientError where there is none."""
    if gradient is None:
        raise GradientError(f"{name}: backward gave no gradient for it, but None")
    return np.array(gradient)


def refuse_change(who: str, given: np.ndarray, before: np.ndarray) -> None:
    """GradientError for what a layer wrote into: it belongs to the layer before or after."""
    if not np.array_equal(given, before, equal_nan=True):
        raise GradientError(f"{who} changes it in place; others still need it as it was")


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
    places = [array.look(index, d) for index, d in along]
    smooth = [place for place in places if place.numeric is not None]
    kinks = len(places) - len(smooth)
    if 2 * kinks > len(places):
        raise ValueError(
            f"gradcheck: {kinks} of {len(places)} places of {array.name} lie at kinks, so nothing "
            "can be said; choose an x away from them"
        )
    largest = max(place.larger for place in smooth)
    hidden = largest < 100 * array.noise
    if hidden:  # by rounding, so wider steps decide; and what backward says is rounded, too
        worst, spread = array.look_wide(unit_vector(value.shape, rng))
        unseen = 16 * STEP * array.noise
        if array.scale > LARGE and unseen > 0.01 * abs(worst.numeric or 0.0):
            raise ValueError(
                f"gradcheck: forward's numbers are near {array.scale:.0e}, and their rounding "
                f"hides the slopes of {array.name}, so nothing can be said; take away from them "
                "what they have in common"
            )
        tolerance = max(tolerance, 10 * spread)
        floor = unseen / tolerance
    else:
        floor = max(1e-3 * largest, array.noise / tolerance)
        worst = max(smooth, key=lambda place: place.error(floor))
    report = Report(len(smooth), kinks, worst.error(floor))
    if report.worst > tolerance:
        at = worst if everywhere or hidden else worst_coordinate(array, worst.d, floor)
        # Where no coordinate is to blame, the direction is.
        raise failure(array, at if at.error(floor) > tolerance else worst, floor, tolerance)
    return report


def failure(array: Checked, at: Place, floor: float, tolerance: float) -> GradientError:
    index = ", as a whole" if at.index is ... else f"[{', '.join(map(str, at.index))}]"
    error = GradientError(
        f"{array.name}{index}: backward says {at.analytic:.9g}, differences of forward say "
        f"{at.numeric:.9g}: relative error {at.error(floor):.2g}, tolerance {tolerance:g}"
    )
    error.place = at
    return error


def worst_coordinate(array: Checked, d: np.ndarray, floor: float) -> Place:
    """Why a direction failed: of its coordinates the half that is more off, again and again."""

    def off(half: np.ndarray) -> float:
        part = np.zeros(d.shape)
        part.flat[half] = d.flat[half]
        norm = np.linalg.norm(part)
        return float(norm) * array.look(..., part / norm).difference

    rest = np.arange(d.size)
    while len(rest) > 8:
        rest = max(np.array_split(rest, 2), key=off)
    places = [array.look(np.unravel_index(k, d.shape), 1.0) for k in rest]
    return max(places, key=lambda place: place.error(floor))


def unit_vector(shape: tuple[int, ...], rng: np.random.Generator) -> np.ndarray:
    d = rng.standard_normal(shape)
    return d / np.linalg.norm(d)


def state_of(layer: Any) -> dict[str, Any]:
    """Parameters, statistics and counters by name; of a class that isn't ours, what has a grad."""
    if hasattr(layer, "state"):
        return layer.state()
    return {name: p for name, p in vars(layer).items() if hasattr(p, "grad")}
