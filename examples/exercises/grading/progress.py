"""How far a learner is: a line for each exercise, graded again when its file has changed."""

import json
import subprocess
import sys
from contextlib import suppress
from hashlib import sha256

from .blank import NotBegunError, WrongError, refuse_unreadable
from .exercise import FOLDER, Exercise, exercises
from .report import NOT_BEGUN, RIGHT, WRONG, headline

KEPT = FOLDER / ".progress.json"
PATIENCE = 300  # seconds, after which a blank is taken for one that never ends


def overview() -> None:
    """Print all exercises, with what is right, and the minutes that remain."""
    listed = exercises()
    kept, marks = known(), {}
    for exercise in listed:
        state = state_of(exercise)
        if state not in kept:
            kept[state] = graded_apart(exercise)
        mark, step = marks[exercise.number] = kept[state]
        minutes = f"{exercise.facts['MINUTES']:3} min"
        print(f"{headline(exercise, mark, step):42}{minutes}", flush=True)
    keep({state_of(e): kept[state_of(e)] for e in listed})
    right = [e for e in listed if marks[e.number][0] == RIGHT]
    total = sum(e.facts["MINUTES"] for e in listed)
    left = total - sum(e.facts["MINUTES"] for e in right)
    print(f"\n{len(right)} of {len(listed)} right; {in_hours(left)} of {in_hours(total)} to go")
    following = next((e for e in listed if marks[e.number][0] != RIGHT), None)
    if following:
        print(f"Next: {following.path.name}, then: python examples/exercises {following.number}")


def state_of(exercise: Exercise) -> str:
    """A hash of the exercise, its key and the grader: the same bytes get the same grade."""
    found = sha256()
    for path in (exercise.path, exercise.key_path, *sorted((FOLDER / "grading").glob("*.py"))):
        found.update(path.read_bytes())
    return found.hexdigest()


def graded_apart(exercise: Exercise) -> tuple[str, str]:
    """Mark and failing step of an exercise, graded in a process of its own: blanks may hang, and
    some need a numba that is set up for them.
    """
    try:
        refuse_unreadable(exercise)
    except NotBegunError:
        return NOT_BEGUN, ""
    except WrongError as wrong:
        return WRONG, wrong.step
    command = [sys.executable, str(FOLDER), exercise.number, "--brief"]
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, encoding="utf-8", timeout=PATIENCE
        )
        mark, step = json.loads(done.stdout.splitlines()[-1])  # blanks may print
    except subprocess.TimeoutExpired:
        return WRONG, "does not end"
    except (IndexError, ValueError):
        return WRONG, "breaks down"
    return mark, step


def note(exercise: Exercise, mark: str, step: str) -> None:
    keep({**known(), state_of(exercise): (mark, step)})


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


