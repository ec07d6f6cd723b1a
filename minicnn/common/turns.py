"""One batch at a time: Python threads that share a layer take turns.

A layer keeps what backward needs, in memory that the next batch uses again. Were two batches to
pass through it at once, each would read some of the other's numbers. So whoever sends one through
(`predict`, `evaluate`, `forward`, a step of `fit`, …) first waits for the others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import wraps
from threading import Lock, RLock
from typing import Any


class Turn:
    """One owner's locks: for a batch, and for a whole training. A copied or pickled owner gets
    locks of its own.
    """

    def __init__(self) -> None:
        self.lock, self.training = RLock(), Lock()

    def __reduce__(self):
        return Turn, ()


class Turns:
    """`with Turns(…):` no other thread sends a batch through any of the owners of these turns."""

    def __init__(self, turns: Iterable[Turn]) -> None:
        # Everybody takes them in one order, so no two threads wait for each other.
        self.locks = [turn.lock for turn in sorted(turns, key=id)]

    def __enter__(self) -> None:
        taken = []
        try:
            for lock in self.locks:
                lock.acquire()
                taken.append(lock)
        except BaseException:  # Ctrl-C while it waits
            for lock in taken:
                lock.release()
            raise

    def __exit__(self, *exception: object) -> None:
        for lock in self.locks:
            lock.release()


def sole_trainer(fit: Callable[..., Any]) -> Callable[..., Any]:
    """A function that trains: RuntimeError for a network that another trains at this moment."""

    @wraps(fit)
    def call(network: Any, *arguments: Any, **named: Any) -> Any:
        training = getattr(network, "turn", Turn()).training  # fit refuses what is no network
        if not training.acquire(blocking=False):
            raise RuntimeError(
                f"{fit.__name__}: {network} is being trained already: give each thread a network "
                "of its own, say copy.deepcopy(network)"
            )
        try:
            return fit(network, *arguments, **named)
        finally:
            training.release()

    return call
