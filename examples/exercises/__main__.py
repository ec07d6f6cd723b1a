"""Exercises to Backprop by hand: fill a blank, run this, and be told what is wrong with it.

    python examples/exercises              how far you are
    python examples/exercises 08           grade exercise 08
    python examples/exercises 08 --hint    a question; --hint 2: a formula; --hint 3: the line
    python examples/exercises 08 --solution

(python is the one that has the library: .venv/bin/python after `make exercises`.)

The solutions are public, in `keys`: this is for yourself.
"""

import argparse
import io
import json
import signal
import sys
from pathlib import Path

from grading import progress, report
from grading.exercise import exercises


def main() -> int:
    if isinstance(sys.stdout, io.TextIOWrapper):  # where a terminal has no ±, it shows a ?
        sys.stdout.reconfigure(errors="replace")
    options = parser().parse_args()
    if options.number is None:
        try:
            progress.overview()
        except KeyboardInterrupt:
            print("\nStopped. What has a grade above keeps it.")
            return 1
        return 0
    known = {exercise.number: exercise for exercise in exercises()}
    exercise = known.get(options.number.zfill(2))
    if exercise is None:
        sys.exit(f"there is no exercise {options.number}; they are numbered {', '.join(known)}")
    if options.hint or options.solution:
        print(report.hint(exercise, options.hint) if options.hint else report.solution(exercise))
        return 0
    if options.answer:
        # Ctrl+C ends this process at once: compiled code would not see Python's own exception.
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        options.answer.write_text(json.dumps(report.grade(exercise)), encoding="utf-8")
        return 0
    try:
        grade = progress.graded_apart(exercise)
    except KeyboardInterrupt:
        print(f"\n{exercise.name} was stopped. Is there a loop that never ends?")
        return 1
    progress.note(exercise, grade)
    print(report.text_of(exercise, grade))
    return 0 if grade.mark == report.RIGHT else 1


def parser() -> argparse.ArgumentParser:
    options = argparse.ArgumentParser(
        "python examples/exercises", description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    options.add_argument("number", nargs="?", help="01 to 24")
    options.add_argument("--hint", nargs="?", const=1, type=int, choices=(1, 2, 3))
    options.add_argument("--solution", action="store_true")
    options.add_argument("--answer", type=Path, help=argparse.SUPPRESS)
    return options


if __name__ == "__main__":
    sys.exit(main())
