"""The steps of a grade. The first that fails stops.

    shape      as many values as there should be, each of its shape and dtype
    paper      paper() → arguments, answer       the numbers of the chapter's example
    loops      loops(*arguments) → answer        the slow twin; None where it has nothing to say
    gradient   measured(*arguments) → {name: (function, at)}
                                                 d<name> is the gradient of a function at a place
    library    library(*arguments) → answer      to 1e-12
    extras     extras(function)                  what only this exercise asks for

Each is asked of all arguments that `cases()` draws; the gradient, of the first. An answer is a
tuple, in the order of GIVES.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from minicnn import gradcheck

from .blank import WrongError, call, shapes, told
from .exercise import Exercise

CLOSE, SAME = 1e-9, 1e-12  # of the answer's largest number, or of 1 if that is less


def grade(exercise: Exercise, function: Callable) -> None:
    """Raises WrongError for the first step that fails."""
    key = exercise.key
    tasks = [arguments for arguments, _ in with_answers(exercise)]
    for arguments in tasks:
        compare_shapes(exercise, call(exercise, function, arguments), answer(exercise, arguments))
    if hasattr(key, "paper"):
        arguments, wanted = key.paper()
        compare(exercise, function, arguments, wanted, CLOSE, "paper", "on paper")
    for arguments in key.cases() if hasattr(key, "loops") else []:
        wanted = key.loops(*arguments)
        compare(exercise, function, arguments, wanted, CLOSE, "loops", "by plain loops")
    if hasattr(key, "measured"):
        for name, (formula, at) in key.measured(*key.cases()[0]).items():
            check_gradient(exercise, function, name, formula, at)
    for arguments in key.cases() if hasattr(key, "library") else []:
        wanted = key.library(*arguments)
        compare(exercise, function, arguments, wanted, SAME, "library", "in the library")
    if hasattr(key, "extras"):
        try:
            key.extras(function)
        except WrongError:
            raise
        except (Exception, SystemExit) as error:
            raise WrongError("error", *told(error, exercise.path)) from error


def with_answers(exercise: Exercise) -> list[tuple[tuple, tuple]]:
    """All arguments that an exercise is asked for, each with the right answer."""
    key = exercise.key
    tasks = [key.paper()[0]] if hasattr(key, "paper") else []
    tasks += key.cases() if hasattr(key, "cases") else []
    return [(arguments, answer(exercise, arguments)) for arguments in tasks]


def answer(exercise: Exercise, arguments: tuple) -> tuple:
    """The library's answer, or the solution's where the library has none."""
    key = exercise.key
    if hasattr(key, "library"):
        return as_tuple(key.library(*arguments))
    return call(exercise, getattr(key, exercise.blank), arguments)


def as_tuple(found: Any) -> tuple:
    return found if isinstance(found, tuple) else (found,)


def compare_shapes(exercise: Exercise, found: tuple, wanted: tuple) -> None:
    for name, ours, right in zip(exercise.gives, found, wanted):
        got, due = kind_of(ours), kind_of(right)
        if got != due:
            raise WrongError("shape", f"{name}: yours {got}, wanted {due}")


def kind_of(value: Any) -> str:
    """What a value is, in words: a number whatever NumPy calls it, or an array."""
    if isinstance(value, np.ndarray) and value.ndim:
        return f"an array {value.shape} of {value.dtype}"
    if isinstance(value, np.ndarray | np.generic):
        value = value.item()
    return "a number" if isinstance(value, int | float) else repr(value)[:40]


def compare(
    exercise: Exercise, function: Callable, arguments: tuple, wanted: Any, tolerance: float,
    step: str, where: str,
) -> None:  # fmt: skip
    found = call(exercise, function, arguments)
    for name, ours, right in zip(exercise.gives, found, as_tuple(wanted)):
        index = None if right is None else worst(ours, right, tolerance)
        if index is not None:
            ours, right = numbers(np.asarray(ours)[index], np.asarray(right)[index])
            lines = [f"{at(name, index)}: yours {ours}, {where} {right}"]
            if step != "paper":
                lines.append(shapes(exercise, arguments))
            raise WrongError(step, *lines)


def worst(found: Any, wanted: Any, tolerance: float) -> tuple | None:
    """The index of the number that is most off; None where all agree."""
    found, wanted = np.asarray(found, float), np.asarray(wanted, float)
    room = tolerance * np.abs(wanted[np.isfinite(wanted)]).max(initial=1.0)
    with np.errstate(invalid="ignore"):
        off = np.abs(found - wanted)
    same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    off = np.where(same, 0.0, np.where(np.isnan(off), np.inf, off))
    if (off <= room).all():
        return None
    return tuple(int(k) for k in np.unravel_index(off.argmax(), off.shape))


def at(name: str, index: tuple) -> str:
    return f"{name}[{','.join(map(str, index))}]" if index else name


def numbers(ours: Any, right: Any) -> tuple[str, str]:
    """Two numbers with as many digits as it takes to see that they differ."""
    for digits in (4, 6, 9, 12):
        shown = f"{float(ours):.{digits}g}", f"{float(right):.{digits}g}"
        if shown[0] != shown[1]:
            return shown
    return f"{float(ours):.17g}", f"{float(right):.17g}"


class Part:
    """One argument's way through a formula as a layer, for gradcheck: backward is the learner's."""

    def __init__(self, exercise: Exercise, function: Callable, name: str, formula: Callable):
        self.exercise, self.function, self.name, self.formula = exercise, function, name, formula
        self.arguments = dict(zip(exercise.arguments, exercise.key.cases()[0]))

    def parameters(self) -> list:
        return []

    def forward(self, x, training=False):
        self.x = x.copy()
        return np.array(self.formula(x), ndmin=1)

    def backward(self, dy):
        given = dict(self.arguments)
        if self.name in given:
            given[self.name] = self.x
        if "dy" in given:
            given["dy"] = dy
        found = call(self.exercise, self.function, tuple(given.values()))
        gradient = np.asarray(found[self.exercise.gives.index(f"d{self.name}")], float)
        return gradient if "dy" in given else gradient * dy[0]  # a loss starts the chain


def check_gradient(exercise, function, name, formula, at_value) -> None:
    part = Part(exercise, function, name, formula)
    try:
        gradcheck.check(part, at_value)
    except gradcheck.GradientError as error:
        place = error.place
        if place is None or place.index is ...:
            raise WrongError("gradient", f"d{name}: {error}") from None
        ours, measured = numbers(place.analytic, place.numeric)
        where = at(f"d{name}", place.index)
        raise WrongError("gradient", f"{where}: yours {ours}, measured {measured}") from None
