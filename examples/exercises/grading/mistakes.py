"""Which mistake does a wrong answer look like? The one that gives the same numbers.

A mistake of a key is a function that makes it, with a docstring that ends the sentence "This is
what you get when …". Or it is one that stands elsewhere: `Shown` on a page of the book, `Planted`
into an operation by the tests of gradcheck.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, NamedTuple
from unittest import mock

import numpy as np

from minicnn import backends

from . import book, planted
from .blank import WrongError, call, copied
from .exercise import Exercise
from .steps import as_tuple, with_answers, worst

ALIKE = 1e-6


class Shown(NamedTuple):
    """A class on a page, which takes the place of the library's."""

    page: str
    name: str


class Like(NamedTuple):
    """The mistake of such a class, made by a function elsewhere than in that layer."""

    shown: Shown
    answer: Callable[..., Any]


class Planted(NamedTuple):
    """A bug of `planted.py`, in the library's operation."""

    bug: Callable


class Mistake(NamedTuple):
    text: str  # what is wrong, as the end of "This is what you get when …"
    answer: Callable[..., Any]
    read: str  # where the book speaks of it

    def made(self, arguments: tuple) -> tuple:
        with np.errstate(all="ignore"):
            return as_tuple(self.answer(*copied(arguments)))


def mistakes_of(exercise: Exercise) -> Iterator[Mistake]:
    key = exercise.key
    for listed in getattr(key, "MISTAKES", ()):
        read = book.reference(*key.PAGE)
        if isinstance(listed, Shown):
            kind = book.shown(*listed)
            read = book.reference(listed.page, book.section_of(*listed))
            yield Mistake(text_of(kind), partial(key.library, kind=kind), read)
        elif isinstance(listed, Like):
            read = book.reference(listed.shown.page, book.section_of(*listed.shown))
            yield Mistake(text_of(book.shown(*listed.shown)), listed.answer, read)
        elif isinstance(listed, Planted):
            yield Mistake(text_of(listed.bug), partial(with_bug, listed.bug, key.library), read)
        elif hasattr(key, "run"):
            yield Mistake(text_of(listed), partial(key.run, listed), read)
        else:
            yield Mistake(text_of(listed), listed, read)


def with_bug(bug: Callable, library: Callable, *arguments):
    """The library's answer with a bug in one of its operations."""
    ops, operation = backends.get("numpy"), planted.OPERATION[bug]
    right = getattr(ops, operation)
    with mock.patch.object(ops, operation, partial(bug, right)):
        return library(*arguments)


def text_of(mistaken: Any) -> str:
    return " ".join(mistaken.__doc__.split())


def named(exercise: Exercise, function: Callable) -> Mistake | None:
    """The mistake that gives, wherever it gives anything, what the function gives."""
    tasks = [(*task, attempt(call, exercise, function, task[0])) for task in with_answers(exercise)]
    for mistake in mistakes_of(exercise):
        differs = False
        for arguments, right, found in tasks:
            wrong = attempt(mistake.made, arguments)
            if wrong is None:
                continue
            if found is None or not agree(found, wrong):
                break
            differs = differs or not agree(wrong, right)
        else:
            if differs:
                return mistake
    return None


def agree(found: tuple, wanted: tuple) -> bool:
    """Whether two answers are the same mistake: alike in what is finite, and in where that is."""
    for ours, theirs in zip(found, wanted):
        if np.shape(ours) != np.shape(theirs):
            return False
        ours, theirs = np.asarray(ours, float), np.asarray(theirs, float)
        finite = np.isfinite(ours)
        if not np.array_equal(finite, np.isfinite(theirs)):
            return False
        if finite.any() and worst(ours[finite], theirs[finite], ALIKE) is not None:
            return False
    return True


def attempt(function: Callable, *arguments) -> tuple | None:
    """What a function gives, None where it gives nothing."""
    try:
        return function(*arguments)
    except (ArithmeticError, LookupError, TypeError, ValueError, WrongError):
        return None
