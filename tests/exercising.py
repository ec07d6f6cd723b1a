"""What is asked of an exercise: that its solution is right, and its mistakes are called by name."""

import re
from functools import partial

import pytest
from grading import report, steps
from grading.blank import WrongError
from grading.exercise import Exercise, source_of
from grading.mistakes import attempt, mistakes_of, named


def filled(exercise, folder, function=None, prediction=None):
    """The exercise's file in another folder, its blank filled, with the solution by default."""
    text = exercise.path.read_text(encoding="utf-8")
    blank = source_of(exercise.path, exercise.blank)
    answer = prediction or repr(exercise.facts["PREDICTION"])
    text = text.replace(blank, function or exercise.solution)
    text = re.sub(r"^PREDICTION = .*$", f"PREDICTION = {answer}", text, flags=re.MULTILINE)
    path = folder / exercise.path.name
    path.write_text(text, encoding="utf-8")
    return Exercise(path)


def check_solution(exercise, folder):
    found = report.grade(filled(exercise, folder))
    assert found.mark == report.RIGHT, "\n".join([found.step, *found.lines])


def check_mistakes(exercise):
    key = exercise.key
    for mistake, listed in zip(mistakes_of(exercise), getattr(key, "MISTAKES", ())):
        function = listed if hasattr(key, "run") else partial(made, exercise, mistake)
        with pytest.raises(WrongError):
            steps.grade(exercise, function)
        assert named(exercise, function).text == mistake.text


def made(exercise, mistake, *arguments):
    """What a mistake gives, and the right answer where it cannot be made."""
    found = attempt(mistake.made, arguments) or steps.answer(exercise, arguments)
    return found if len(exercise.gives) > 1 else found[0]


def check_slips(exercise):
    for slip in getattr(exercise.key, "SLIPS", ()):
        with pytest.raises(WrongError, match=re.escape(slip.__doc__)):
            exercise.key.extras(slip)
