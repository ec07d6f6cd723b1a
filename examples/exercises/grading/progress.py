"""How far a learner is: a line for each exercise, graded again when its file has changed."""

import json
import os
import shlex
import subprocess
import sys
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Any

from . import report
from .blank import NotBegunError, WrongError, refuse_unreadable
from .exercise import FOLDER, Exercise, exercises
from .report import RIGHT, WRONG, Grade, headline

KEPT = FOLDER / ".progress.json"
PATIENCE = 300  # seconds, after which a blank is taken for one that never ends


def overview() -> None:
    """Print all exercises, with what is right, and the minutes that remain."""
    listed = exercises()
    kept, current, marks = known(), {}, {}
    for exercise in listed:
        state = state_of(exercise)
        if state not in kept:
            mark, step, _ = graded_apart(
                exercise, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE
            )
            kept[state] = mark, step
            keep(kept)  # at once: a learner may not wait for the others
        mark, step = current[state] = marks[exercise.number] = kept[state]
        minutes = f"{exercise.facts['MINUTES']:3} min"
        print(f"{headline(exercise, mark, step):42}{minutes}", flush=True)
    keep(current)
    right = [e for e in listed if marks[e.number][0] == RIGHT]
    total = sum(e.facts["MINUTES"] for e in listed)
    left = total - sum(e.facts["MINUTES"] for e in right)
    print(f"\n{len(right)} of {len(listed)} right; {in_hours(left)} of {in_hours(total)} to go")
    following = next((e for e in listed if marks[e.number][0] != RIGHT), None)
    if following:
        print(f"Next: {following.path.name}, then: {command(following.number)}")


def command(number: str) -> str:
    """What grades an exercise when it is typed here: a shell's `python` may be another one."""
    short = (min(path, os.path.relpath(path), key=len) for path in (sys.executable, str(FOLDER)))
    return shlex.join([*short, number])


def state_of(exercise: Exercise) -> str:
    """A hash of the exercise, its key and the grader: the same bytes get the same grade."""
    found = sha256()
    for path in (exercise.path, exercise.key_path, *sorted((FOLDER / "grading").glob("*.py"))):
        found.update(path.read_bytes())
    return found.hexdigest()


def graded_apart(exercise: Exercise, **how: Any) -> Grade:
    """The grade of an exercise, in a process of its own, run as `how` says: blanks may hang where
    they do not see Ctrl+C, or crash, and some need a numba that is set up for them.
    """
    try:
        refuse_unreadable(exercise)
    except (NotBegunError, WrongError):
        return report.grade(exercise)  # which runs nothing then
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "grade"  # blanks may print, so the grade takes another way
        grading = [sys.executable, str(FOLDER), exercise.number, "--answer", str(answer)]
        try:
            done = subprocess.run(grading, **how)
        except subprocess.TimeoutExpired:
            return Grade(WRONG, "does not end", ())
        try:
            mark, step, lines = json.loads(answer.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return Grade(WRONG, "breaks down", (
                f"Python came to an end before there was a grade (exit status {done.returncode}).",
                "In compiled code, an index outside of its array does that.",
            ))  # fmt: skip
    return Grade(mark, step, tuple(lines))


def note(exercise: Exercise, grade: Grade) -> None:
    keep({**known(), state_of(exercise): (grade.mark, grade.step)})


def known() -> dict[str, tuple[str, str]]:
    try:
        return json.loads(KEPT.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}


def keep(grades: dict) -> None:
    with suppress(OSError):  # where a folder cannot be written to, all is graded again next time
        KEPT.write_text(json.dumps(grades), encoding="utf-8")


def in_hours(minutes: int) -> str:
    return f"{minutes // 60} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
