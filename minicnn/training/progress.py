"""What `fit` shows while it trains: a line for each epoch, and the running epoch as a bar in a
terminal, as a text that changes in a notebook.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any

from tqdm import tqdm

if TYPE_CHECKING:
    from ..files.history import History
    from .evaluation import Tally


def report(progress: bool, epochs: int, samples: int) -> Report:
    """What suits where standard error goes: `samples` are how many an epoch has."""
    if not progress:
        return Report(epochs, samples)
    # Looked up, not imported: whoever is in a notebook has it already.
    ipython = sys.modules.get("IPython")
    shell = ipython and ipython.get_ipython()
    if getattr(shell, "kernel", None) is not None:
        return Notebook(epochs, samples)
    terminal = getattr(sys.stderr, "isatty", bool)()  # there may be no standard error
    return (Bar if terminal else Lines)(epochs, samples)


class Report:
    """Shows nothing, and says when others would: `with report.epoch(k):` update, update, …, end."""

    wait = inf  # seconds between two looks at the losses; on a GPU a look waits for the steps

    def __init__(self, epochs: int, samples: int) -> None:
        self.epochs, self.samples = epochs, samples

    @contextmanager
    def epoch(self, number: int) -> Iterator[None]:
        """Surrounds an epoch, numbered from 0."""
        self.title = f"epoch {number + 1}/{self.epochs}"
        self.looked = perf_counter()
        yield

    def due(self) -> bool:
        """Whether it is time for an update."""
        return perf_counter() - self.looked > self.wait

    def update(self, tally: Tally) -> None:
        """What has been trained so far."""
        self.looked = perf_counter()
        self.show(tally)

    def show(self, tally: Tally) -> None:
        pass

    def end(self, history: History) -> None:
        """The epoch is in the history now."""


class Lines(Report):
    """One line an epoch, on standard error."""

    def end(self, history):
        print(f"{self.title}: {last_epoch(history)}", file=sys.stderr, flush=True)


class Bar(Lines):
    """In a terminal: a bar, in whose place the epoch's line comes."""

    wait = 0.1

    @contextmanager
    def epoch(self, number):
        with (
            super().epoch(number),
            tqdm(total=self.samples, desc=self.title, unit=" images", leave=False) as self.bar,
        ):
            yield

    def show(self, tally):
        self.bar.set_postfix_str(scores(tally.loss, tally.accuracy), refresh=False)
        self.bar.update(tally.samples - self.bar.n)

    def end(self, history):
        self.bar.close()
        super().end(history)


class Notebook(Report):
    """The last epochs, as one output of the cell, whose text changes."""

    wait = 0.5

    def __init__(self, epochs, samples):
        super().__init__(epochs, samples)
        self.lines: deque[str] = deque(maxlen=20)
        self.output: Any = None

    def show(self, tally):
        self.write(f"{self.title}: {tally.samples / self.samples:.0%} of the images, "
                   f"{scores(tally.loss, tally.accuracy)}")  # fmt: skip

    def end(self, history):
        self.lines.append(f"{self.title}: {last_epoch(history)}")
        self.write()

    def write(self, *running: str) -> None:
        from IPython.display import display

        text = {"text/plain": "\n".join([*self.lines, *running])}
        if self.output is None:
            self.output = display(text, raw=True, display_id=True)
        else:
            self.output.update(text, raw=True)


def scores(loss: float | None, accuracy: float | None) -> str:
    return f"loss {loss:.4f}" + ("" if accuracy is None else f", accuracy {accuracy:.2%}")


def last_epoch(history: History) -> str:
    """What the history says of its last epoch, on a line."""
    last = {name: column[-1] for name, column in history.columns.items()}
    parts = [scores(last["train_loss"], last["train_accuracy"])]
    if last["validation_loss"] is not None:
        parts.append("validation " + scores(last["validation_loss"], last["validation_accuracy"]))
    return ", ".join([*parts, f"{last['seconds']:.1f} s"])
