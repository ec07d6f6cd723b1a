"""Solutions are right, stubs are greeted, and every mistake is called by its name."""

import re
from functools import partial

import pytest
from grading import report, steps
from grading.blank import WrongError
from grading.exercise import FOLDER, Exercise, exercises, source_of
from grading.mistakes import attempt, mistakes_of, named

EXERCISES = exercises()
SIMULATED = "23", "24"  # tests/cuda grades these: the simulator is chosen when numba is imported
HERE = [exercise for exercise in EXERCISES if exercise.number not in SIMULATED]


def named_so(value):
    return value.name if isinstance(value, Exercise) else None


def filled(exercise, folder, function=None, prediction=None):
    """The exercise's file in another folder, its blank filled, with the solution by default."""
    text = exercise.path.read_text(encoding="utf-8")
    blank = source_of(exercise.path, exercise.blank)
    answer = repr(prediction or exercise.facts["PREDICTION"])
    text = text.replace(blank, function or exercise.solution)
    text = re.sub(r"^PREDICTION = .*$", f"PREDICTION = {answer}", text, flags=re.MULTILINE)
    path = folder / exercise.path.name
    path.write_text(text, encoding="utf-8")
    return Exercise(path)


def test_there_are_as_many_as_the_list_has():
    assert [e.number for e in EXERCISES] == [f"{k:02}" for k in range(1, len(EXERCISES) + 1)]
    assert [e.path.name for e in EXERCISES] == sorted(
        path.name for path in (FOLDER / "keys").glob("*.py")
    )


@pytest.mark.parametrize("exercise", HERE, ids=named_so)
def test_a_solution_is_right(exercise, tmp_path):
    found = report.grade(filled(exercise, tmp_path))
    assert found.mark == report.RIGHT, "\n".join(found.lines)


@pytest.mark.parametrize("exercise", HERE, ids=named_so)
def test_every_mistake_is_called_by_its_name(exercise):
    for mistake in mistakes_of(exercise):
        function = partial(made, exercise, mistake)
        with pytest.raises(WrongError):
            steps.grade(exercise, function)
        assert named(exercise, function).text == mistake.text


def made(exercise, mistake, *arguments):
    """What a mistake gives, and the right answer where it cannot be made."""
    found = attempt(mistake.made, arguments) or steps.answer(exercise, arguments)
    return found if len(exercise.gives) > 1 else found[0]
