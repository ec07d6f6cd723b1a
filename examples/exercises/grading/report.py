"""What a learner is told: a line that says how it stands, and below it what to look at."""

import sys
from typing import NamedTuple

from . import book, steps
from .blank import NotBegunError, WrongError, read
from .exercise import Exercise

RIGHT, WRONG, NOT_BEGUN = "✓", "✗", "·"
FALLBACK = {RIGHT: "+", WRONG: "x", NOT_BEGUN: "."}  # where a terminal has no such signs
NUMERIC = "paper", "loops", "gradient", "library"


class Grade(NamedTuple):
    mark: str
    step: str  # the one that failed
    lines: tuple[str, ...]


def grade(exercise: Exercise) -> Grade:
    try:
        function, prediction = read(exercise)
    except NotBegunError as todo:
        return Grade(NOT_BEGUN, "", (*todo.lines, where_next(exercise)))
    except WrongError as wrong:
        return Grade(WRONG, wrong.step, (*wrong.lines, where_next(exercise)))
    try:
        steps.grade(exercise, function)
    except WrongError as wrong:
        return Grade(WRONG, wrong.step, (*wrong.lines, *diagnosis(exercise, function, wrong.step)))
    remarks = getattr(exercise.key, "remarks", list)()
    return Grade(RIGHT, "", (*remarks, verdict(exercise, prediction)))


def diagnosis(exercise: Exercise, function, step: str) -> list[str]:
    from .mistakes import named  # runs pages of the book

    mistake = named(exercise, function) if step in NUMERIC else None
    if mistake is None:
        return [where_next(exercise)]
    return [f"This is what you get when {mistake.text}.", where_next(exercise, mistake.read)]


def where_next(exercise: Exercise, read: str | None = None) -> str:
    return f"Read: {read or book.reference(*exercise.facts['PAGE'])}    Next: --hint"


def verdict(exercise: Exercise, prediction: str) -> str:
    right, because = exercise.facts["PREDICTION"], exercise.facts["BECAUSE"]
    if prediction == right:
        return f"You expected {prediction}, and so it is: {because}."
    return f"You expected {prediction}; it is {right}: {because}."


def text_of(exercise: Exercise, grade: Grade) -> str:
    lines = (f"\n   {line}" for line in grade.lines)
    return headline(exercise, grade.mark, grade.step) + "".join(lines)


def headline(exercise: Exercise, mark: str, step: str) -> str:
    return f"{exercise.name:27}{sign(mark)} {step}".rstrip()


def sign(mark: str) -> str:
    try:
        mark.encode(sys.stdout.encoding or "ascii")
    except UnicodeEncodeError:
        return FALLBACK[mark]
    return mark


def hint(exercise: Exercise, level: int) -> str:
    following = f"Next: --hint {level + 1}" if level < 3 else "Next: --solution"
    return f"{exercise.name}, hint {level} of 3\n   {exercise.hints[level - 1]}\n   {following}"


def solution(exercise: Exercise) -> str:
    return (
        f"# {exercise.name}: one way to fill the blank\n{exercise.solution}\n\n"
        f"# and the library's\n{exercise.library}"
    )
