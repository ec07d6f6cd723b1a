"""Learning-rate schedules: by what factor to multiply the learning rate at a moment of training.

A schedule is a function of time alone, `schedule(epoch) -> factor`, where `epoch` may be a fraction
(2.5 is half-way through the third epoch). It remembers nothing, so a run that is resumed goes on
with the right factor without anything having been saved.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from numbers import Real

from .common.arguments import function

Schedule = Callable[[float], float]  # epoch → factor


@dataclass(frozen=True)
class StepDecay:
    """factor(t) = gamma ** floor(t / every)

    - every: epochs from one drop to the next, > 0
    - gamma: what each drop multiplies by, in (0, 1]

    ValueError or TypeError, naming the field, when one is out of range or no number.
    """

    every: float
    gamma: float = 0.1

    def __post_init__(self) -> None:
        _check("every", self.every, above=0)
        _check("gamma", self.gamma, above=0, most=1)

    def __call__(self, epoch: float) -> float:
        _check("epoch", epoch, least=0)
        return self.gamma ** math.floor(epoch / self.every)


@dataclass(frozen=True)
class Cosine:
    """factor(t) = floor + (1 - floor) · (1 + cos(π t / epochs)) / 2, and `floor` once t ≥ epochs

    - epochs: how long the way down takes, > 0
    - floor: the factor at its end, in [0, 1]

    ValueError or TypeError, naming the field, when one is out of range or no number.
    One cycle of SGDR (Loshchilov & Hutter 2017, "SGDR: Stochastic Gradient Descent with Warm
    Restarts"), without the restart.
    """

    epochs: float
    floor: float = 0.0

    def __post_init__(self) -> None:
        _check("epochs", self.epochs, above=0)
        _check("floor", self.floor, least=0, most=1)

    def __call__(self, epoch: float) -> float:
        _check("epoch", epoch, least=0)
        return _half_cosine(1.0, self.floor, epoch / self.epochs)


@dataclass(frozen=True)
class OneCycle:
    """A half cosine up, then one down:

        1 / div_factor  ──warmup · epochs──►  1  ──the rest──►  1 / (div_factor · final_div_factor)

    - epochs: the length of the whole cycle, > 0; afterwards the factor stays at its end
    - warmup: the part of it spent going up, in (0, 1)
    - div_factor: peak over beginning, ≥ 1
    - final_div_factor: beginning over end, ≥ 1

    ValueError or TypeError, naming the field, when one is out of range or no number.
    Smith & Topin 2018, "Super-Convergence"; the shape and the defaults are those of PyTorch's
    OneCycleLR, except that PyTorch shifts the peak and the end one update earlier, so that its
    last update is made exactly at the end; here the end is where the last epoch ends.
    """

    epochs: float
    warmup: float = 0.3
    div_factor: float = 25.0
    final_div_factor: float = 1e4

    def __post_init__(self) -> None:
        _check("epochs", self.epochs, above=0)
        _check("warmup", self.warmup, above=0, below=1)
        _check("div_factor", self.div_factor, least=1)
        _check("final_div_factor", self.final_div_factor, least=1)

    def __call__(self, epoch: float) -> float:
        _check("epoch", epoch, least=0)
        begin = 1.0 / self.div_factor
        end = begin / self.final_div_factor
        peak = self.warmup * self.epochs
        if epoch < peak:
            return _half_cosine(begin, 1.0, epoch / peak)
        return _half_cosine(1.0, end, (epoch - peak) / (self.epochs - peak))


@dataclass(frozen=True)
class WarmUp:
    """factor(t) = start + (1 - start) · t / epochs while t < epochs, then `then(t - epochs)`

    - epochs: how long the way up takes, > 0
    - then: the schedule that follows, its time counted from the end of the warm-up; None stays at 1
    - start: the factor at t = 0, in [0, 1]; at 0 the very first update changes nothing

    ValueError or TypeError, naming the field, when one is out of range or no number, or when
    `then` cannot be called.
    Gradual warm-up: Goyal et al. 2017, "Accurate, Large Minibatch SGD".
    """

    epochs: float
    then: Schedule | None = None
    start: float = 0.0

    def __post_init__(self) -> None:
        _check("epochs", self.epochs, above=0)
        _check("start", self.start, least=0, most=1)
        if self.then is not None:
            function(self.then, "then", "WarmUp", "a schedule or None")

    def __call__(self, epoch: float) -> float:
        _check("epoch", epoch, least=0)
        if epoch < self.epochs:
            return self.start + (1.0 - self.start) * (epoch / self.epochs)
        return 1.0 if self.then is None else self.then(epoch - self.epochs)


def _half_cosine(begin: float, end: float, done: float) -> float:
    """From `begin` to `end` as `done` goes from 0 to 1, flat at both; `end` when it is more."""
    # Clamped, because past 1 the cosine would turn back.
    weight = (1.0 + math.cos(math.pi * min(done, 1.0))) / 2.0
    return begin * weight + end * (1.0 - weight)


def _check(
    name: str,
    value: float,
    above: float = -math.inf,
    least: float = -math.inf,
    below: float = math.inf,
    most: float = math.inf,
) -> None:
    """Raise unless `value` is a finite number with above < value < below, least ≤ value ≤ most."""
    if not isinstance(value, Real):
        raise TypeError(f"{name}: got {value!r}, wanted a number")
    # NaN fails every comparison, so it ends here too.
    if not (above < value < below and least <= value <= most):
        bounds = [(">", above), ("≥", least), ("<", below), ("≤", most)]
        limits = [f"{sign} {bound:g}" for sign, bound in bounds if math.isfinite(bound)]
        raise ValueError(f"{name}: got {value!r}, wanted a finite number {' and '.join(limits)}")
