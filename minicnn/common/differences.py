"""Slopes by differences, next to those that a gradient says.

A number f(z) that is 0 at z₀ has, along a direction d, the slope

    (f(z₀ + h·d) − f(z₀ − h·d)) / 2h,        h = 1e-6, in float64

with an error of order h². At a kink (ReLU at 0, a tie in a pooling window) there is none. It shows
by itself: the slopes to the left and to the right differ by the same amount however small h is,
while on a smooth stretch the difference shrinks with h.

f is rounded, so its slopes have a noise. Where all of an array's slopes are below it, a gradient
that is 0 and one that the rounding hides look alike, until the steps are wide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

STEP = 1e-6
# Rounding moves f by some units in its last place (most in a convolution that saves products), and
# a slope by that much / STEP.
NOISE = 64 * np.finfo(float).eps / STEP


class Place(NamedTuple):
    """A slope at value[index] along d, by backward and by differences: None at a kink."""

    index: Any
    d: Any
    analytic: float
    numeric: float | None

    @property
    def larger(self) -> float:
        return max(abs(self.analytic), abs(self.numeric or 0.0))

    @property
    def difference(self) -> float:
        return 0.0 if self.numeric is None else abs(self.analytic - self.numeric)

    def error(self, floor: float) -> float:
        return float(self.difference / max(self.larger, floor))  # of NumPy's numbers too


@dataclass(frozen=True)
class Checked:
    """One array under the check: its value z₀, what backward says, f, and how to move the array.

    scale: how large the numbers are, of whose change f is made.
    """

    name: str
    value: np.ndarray
    gradient: np.ndarray
    f: Callable[[], float]
    scale: float
    assign: Callable[[np.ndarray], None]

    @property
    def noise(self) -> float:
        """What rounding may add to a slope. Numbers on the way to small outputs may be near 1."""
        return NOISE * max(1.0, self.scale)

    def look(self, index: Any, d: Any) -> Place:
        """What backward and differences say as value[index] moves along d."""
        analytic = float(np.sum(self.gradient[index] * d))
        return Place(index, d, analytic, self.numeric(index, d, analytic))

    def numeric(self, index: Any, d: Any, analytic: float) -> float | None:
        """Central difference of f; None at a kink.

        In doubt shorter steps decide, too. f″ makes the one-sided slopes differ by h·|f″|: 8 times
        less at h / 8. A kink at the middle keeps its jump, and one beyond a step leaves none.
        """
        slope, jump = self.differences(index, d, STEP)
        noise = [16 * self.noise * 8**k for k in range(3)]
        if abs(slope - analytic) <= max(noise[0], 1e-6 * abs(slope)):
            return slope
        looks = [(slope, jump), *(self.differences(index, d, STEP / 8**k) for k in (1, 2))]
        curved = all(
            abs(nearer_jump - jump / 8) <= max(rounding, jump / 16)
            for (_, jump), (_, nearer_jump), rounding in zip(looks, looks[1:], noise[1:])
        )
        smooth = (slope for (slope, jump), most in zip(looks, noise) if curved or jump <= most)
        # A long step errs by f‴, a short one by rounding: a right slope agrees with one.
        return min(smooth, key=lambda slope: abs(slope - analytic), default=None)

    def differences(self, index: Any, d: Any, h: float) -> tuple[float, float]:
        """The slope along d, and by how much the slopes to the left and to the right differ."""
        at = []
        for step in (-h, h):
            moved = self.value.copy()
            moved[index] += step * d
            self.assign(moved)
            at.append(self.f())
        self.assign(self.value)
        left, right = at
        return (right - left) / (2 * h), abs(right + left) / h

    def look_wide(self, d: np.ndarray) -> tuple[Place, float]:
        """The same along d with wide steps 1, 1/2, 1/4, …: the slope on which five steps in a row
        agree best, and their relative spread.

        Rounding moves each step's slope elsewhere: where no five agree within 1 %, it hides them
        (None). None also where all five cross a kink: they agree, say on half of a ReLU's 1, but
        their jump does not shrink.
        """
        with np.errstate(all="ignore"):  # so far away there may be no function any more
            slopes, jumps = np.array([self.differences(..., d, 2.0**-k) for k in range(12)]).T
            runs = np.lib.stride_tricks.sliding_window_view(slopes, 5)
            spreads = np.nan_to_num(np.ptp(runs, axis=1) / np.abs(runs[:, -1]), nan=np.inf)
        # Over five steps a jump that is due to f″ falls to a sixteenth.
        spreads[jumps[4:] > np.maximum(jumps[:-4] / 4, 0.01 * np.abs(slopes[4:]))] = np.inf
        best = spreads.argmin()
        analytic = float(np.sum(self.gradient * d))
        if spreads[best] > 0.01:
            return Place(..., d, analytic, None), 0.0
        return Place(..., d, analytic, float(runs[best, -1])), float(spreads[best])
