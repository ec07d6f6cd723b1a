"""What is asked of an exercise: that its solution is right, and its mistakes are called by name.

And how a solution is changed, and the command run.
"""

import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from grading import report, steps
from grading.blank import WrongError
from grading.exercise import Exercise, source_of
from grading.mistakes import attempt, mistakes_of, named

ENDLESS = """def dense_backward(dy, x, w):
    print("endless", flush=True)
    while True:
        try:
            while True:
                pass
        except KeyboardInterrupt:  # compiled code goes on, too
            pass
"""


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


def changed(exercise, change):
    """The solution with all that it gives changed."""

    def function(*arguments):
        found = getattr(exercise.key, exercise.blank)(*arguments)
        results = found if isinstance(found, tuple) else (found,)
        results = tuple(change(k, np.array(result, float)) for k, result in enumerate(results))
        return results if len(results) > 1 else results[0]

    return function


def typed(clone, *arguments):
    """A command as subprocess takes it."""
    return {
        "args": [sys.executable, str(clone / "examples" / "exercises"), *arguments], "cwd": clone,
        "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "encoding": "utf-8",
        "env": {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent),
                "PYTHONIOENCODING": "utf-8"},
    }  # fmt: skip


def command(clone, *arguments, status=0):
    done = subprocess.run(**typed(clone, *arguments))
    assert done.returncode == status, done.stderr
    return done
