"""Solutions are right, stubs are greeted, and every mistake is called by its name."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from contextlib import suppress
from shutil import copy, copytree, ignore_patterns

import numpy as np
import pytest
from grading import book, report, steps
from grading.blank import ANSWER, NotBegunError, WrongError, refuse_unreadable
from grading.exercise import FOLDER, exercises
from hypothesis import given
from hypothesis import strategies as st

from tests.exercising import (
    ENDLESS,
    changed,
    check_mistakes,
    check_slips,
    check_solution,
    command,
    filled,
    typed,
)
from tests.strategies import seeds

EXERCISES = exercises()
SIMULATED = "23", "24"  # tests/cuda grades these: the simulator is chosen when numba is imported
HERE = [exercise for exercise in EXERCISES if exercise.number not in SIMULATED]
CALLED = [e for e in HERE if e.number < "20" and e.number != "19"]  # a function gives an answer


def each(of):
    return pytest.mark.parametrize("exercise", of, ids=lambda exercise: exercise.name)


def of_number(number):
    return next(exercise for exercise in EXERCISES if exercise.number == number)


def told(grade):
    return "\n".join([grade.step, *grade.lines])


# ── what there is ────────────────────────────────────────────────────────────────────────────


def test_every_exercise_has_a_number_and_a_key():
    assert [e.number for e in EXERCISES] == [f"{k + 1:02}" for k in range(len(EXERCISES))]
    keys = sorted((FOLDER / "keys").glob("*.py"))
    assert [e.key_path for e in EXERCISES] == keys


@each(EXERCISES)
def test_a_stub_is_greeted_with_what_is_to_be_written(exercise):
    try:
        refuse_unreadable(exercise)
    except NotBegunError as greeting:
        assert exercise.blank in str(greeting)
        assert exercise.path.name in str(greeting)
        assert ANSWER in str(greeting)
    else:
        pytest.skip("somebody has filled it in")


@each(EXERCISES)
def test_three_hints_lead_to_a_line_of_the_solution(exercise):
    assert len(set(exercise.hints)) == 3
    assert exercise.hints[2] in exercise.solution
    assert exercise.facts["LIBRARY"][1].rpartition(".")[2] in exercise.library
    assert exercise.facts["PREDICTION"] in ("a", "b", "c")


@each(EXERCISES)
def test_an_exercise_and_its_page_link_to_each_other(exercise):
    page, section = exercise.facts["PAGE"]
    assert f"Read: docs/{page}, {section}\n" in exercise.path.read_text(encoding="utf-8")
    text = book.text_of(page)
    assert f"\n## {section}\n" in text
    assert f"examples/exercises/{exercise.path.name})" in text[text.index("\n## Exercises\n") :]


# ── grading ──────────────────────────────────────────────────────────────────────────────────


@each(HERE)
def test_a_solution_is_right(exercise, tmp_path):
    check_solution(exercise, tmp_path)


@each(HERE)
def test_every_mistake_is_called_by_its_name(exercise):
    check_mistakes(exercise)
    check_slips(exercise)


@given(st.sampled_from(CALLED), seeds)
def test_a_single_number_that_is_a_little_off_is_seen(exercise, seed):
    rng = np.random.default_rng(seed)
    spoiled = rng.integers(len(exercise.gives))
    where = rng.random()

    def spoil(k, result):
        if k == spoiled:
            result.flat[int(where * result.size)] += 1e-3
        return result

    with pytest.raises(WrongError) as caught:
        steps.grade(exercise, changed(exercise, spoil))
    assert exercise.gives[spoiled] in caught.value.lines[0]


@each(CALLED)
def test_last_digits_do_not_matter(exercise):
    steps.grade(exercise, changed(exercise, lambda k, result: result * (1 + 1e-14)))


# ── what else may be wrong ───────────────────────────────────────────────────────────────────

RETURNS = {
    "return None": "returns None, wanted dw, dx, db. Is a return missing?",
    "return dy.T @ x, dy @ w": "returns 2 values, wanted 3 values: dw, dx, db",
    "return 'dw', x, dy": "dw: yours 'dw', wanted an array",
    "return None, x, dy": "dw: yours None, wanted an array",
    "return dy": "returns ndarray, wanted 3 values: dw, dx, db",
    "return dy, x, dy": r"dw: yours an array \(2, 1\) of float64, wanted an array \(1, 2\) of f",
    "return (dy.T @ x).astype(int), x, dy": r"dw: yours an array \(1, 2\) of int64, wanted",
    "return (dy.T @ x).tolist(), x, dy": r"dw: yours \[\[51.0, 4.0\]\], wanted an array \(1, 2\)",
    "return dy @ x": r"ValueError: .*\n.*return dy @ x\n.*called with dy = an array \(2, 1\)",
    "return nothing": "NameError: name 'nothing' is not defined",
    "raise SystemExit(0)": r"told to exit here.*\n.*raise SystemExit\(0\)\n.*called with dy",
    "dy *= 2\n    return x, x, x": "dy is changed: others still need it as it was",
}


@pytest.mark.parametrize("line", RETURNS)
def test_a_bad_return_is_met_with_what_was_wanted(line, tmp_path):
    function = f"def dense_backward(dy, x, w):\n    {line}"
    found = report.grade(filled(of_number("04"), tmp_path, function))
    assert found.mark == report.WRONG
    assert re.search(RETURNS[line], told(found))


def test_a_list_must_stay_as_it_is_too(tmp_path):
    function = "def race(turns, threads):\n    turns.clear()\n    return 0, 0"
    found = report.grade(filled(of_number("20"), tmp_path, function))
    assert "turns is changed: others still need it" in told(found)


@pytest.mark.parametrize(
    "line",
    ["from minicnn.layers import Dense", "import minicnn.backends.numpy", "from minicnn import nn",
     "import numpy, minicnn", "from keys import dense"],
)  # fmt: skip
def test_importing_a_solution_is_refused(line, tmp_path):
    function = f"def dense(x, w, b):\n    {line}\n    return x"
    found = report.grade(filled(of_number("03"), tmp_path, function))
    assert (found.mark, found.step) == (report.WRONG, "import")


@pytest.mark.parametrize(
    ("function", "step"),
    [("def dense(x, w, b)\n    return x", "syntax"), ("def other(x): return x", "name"),
     ("def dense(x, w, b):\n    return x\n\n1 / 0", "error"),
     ("def dense(x, w, b):\n    return x\n\nexit()", "error")],
)  # fmt: skip
def test_a_file_that_cannot_be_run_is_told_why(function, step, tmp_path):
    found = report.grade(filled(of_number("03"), tmp_path, function))
    assert (found.mark, found.step) == (report.WRONG, step)


def test_a_blank_that_only_its_own_checks_call_may_not_exit_either(tmp_path):
    training = "def train(*arguments):\n    raise SystemExit(0)"
    assert report.grade(filled(of_number("19"), tmp_path, training)).step == "error"


@pytest.mark.parametrize(
    ("encoding", "step"), [("utf-8-sig", ""), ("latin-1", "encoding"), ("utf-16", "encoding")]
)
def test_a_file_is_read_as_python_reads_it(encoding, step, tmp_path):
    exercise = filled(of_number("03"), tmp_path)
    text = exercise.path.read_text(encoding="utf-8").encode("latin-1", "replace").decode("latin-1")
    exercise.path.write_text(f"{text}# été\n", encoding=encoding)
    assert report.grade(exercise).step == step


def test_an_answer_to_the_question_may_be_of_any_type(tmp_path):
    strange = filled(of_number("03"), tmp_path, prediction="__import__('numpy').array(['a', 'b'])")
    assert report.grade(strange).step == "question"


def test_the_question_comes_before_the_grade(tmp_path):
    found = report.grade(filled(of_number("03"), tmp_path, prediction="..."))
    assert found.mark == report.NOT_BEGUN
    assert ANSWER in told(found)


def test_a_wrong_expectation_is_corrected_and_fails_nothing(tmp_path):
    found = report.grade(filled(of_number("03"), tmp_path, prediction="'a'"))
    assert found.mark == report.RIGHT
    assert "You expected a; it is c: " in told(found)


def test_a_mistake_of_the_book_is_named_with_its_page(tmp_path):
    function = "def dense_backward(dy, x, w):\n    return dy.T @ x / len(x), dy @ w, dy.sum(0)"
    found = report.grade(filled(of_number("04"), tmp_path, function))
    assert told(found).startswith("paper\ndw[0,0]: yours 25.5, on paper 51\nThis is what")
    assert "Dense › The mistake that everybody makes (docs/backprop/dense.md)" in told(found)


def test_the_page_shows_what_the_command_says(tmp_path, monkeypatch):
    exercise = of_number("08")
    assigned = filled(exercise, tmp_path, exercise.solution.replace("+=", "="))
    monkeypatch.setattr(report, "sign", lambda mark: mark)  # as a terminal that has it
    shown = report.text_of(exercise, report.grade(assigned))
    assert f"```text\n{shown}\n```" in book.text_of("exercises.md")


def test_what_paper_cannot_tell_apart_is_measured(tmp_path):
    """The paper's example is a single image."""
    function = "def relu(x, dy):\n    return np.maximum(x, 0), dy * (x > 0) * len(x)"
    found = report.grade(filled(of_number("05"), tmp_path, function))
    assert found.step == "gradient"


# ── the command ──────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def clone(tmp_path):
    """The exercises, none of them begun, and the book, in a folder of their own."""
    ignored = ignore_patterns("__pycache__", ".progress.json", "*.png", "build", "results")
    folder = copytree(FOLDER, tmp_path / "examples" / "exercises", ignore=ignored)
    copytree(book.DOCS, tmp_path / "docs", ignore=ignored)
    for exercise in EXERCISES:
        filled(exercise, folder, f"def {exercise.blank}():\n    ...", "...")
    return tmp_path


def test_hints_are_printed_step_by_step_and_an_unknown_number_is_refused(clone):
    asked = [command(clone, "8", "--hint", level).stdout for level in "123"]
    assert "Next: --hint 3" in asked[1]
    assert of_number("08").hints[2] in asked[2]
    assert "there is no exercise 99" in command(clone, "99", status=1).stderr


def test_the_overview_shows_what_is_right_and_follows_changes(clone):
    exercise = of_number("03")
    assert f"0 of {len(EXERCISES)} right" in command(clone).stdout
    folder = clone / "examples" / "exercises"
    printing = "def dense(x, w, b):\n    print(x, end=' ')\n    return x @ w.T + b"
    copy(filled(exercise, folder, printing).path, folder / "03_dense copy.py")  # without a key
    overview = command(clone).stdout
    assert f"1 of {len(EXERCISES)} right" in overview and f"{exercise.name:27}✓" in overview
    python, *others = shlex.split(overview.rpartition("then: ")[2])
    assert (clone / python).samefile(sys.executable) and others == ["examples/exercises", "01"]
    filled(exercise, folder, "def dense(x, w, b):\n    return x @ w.T")
    overview = command(clone).stdout
    assert f"0 of {len(EXERCISES)} right" in overview and f"{exercise.name:27}✗ paper" in overview
    assert {path.name for path in clone.iterdir()} == {"docs", "examples"}  # and no file is left


def test_a_blank_that_ends_python_is_wrong(clone):
    crashing = "def dense(x, w, b):\n    __import__('os')._exit(0)"
    filled(of_number("03"), clone / "examples" / "exercises", crashing)
    said = command(clone, "03", status=1).stdout
    assert "✗ breaks down\n   Python came to an end before there was a grade" in said


@pytest.mark.skipif(os.name != "posix", reason="Ctrl+C reaches a group of processes")
@pytest.mark.parametrize(
    ("arguments", "first", "said"),
    [(["04"], "endless", "04 dW, dX, db was stopped. Is there a loop that never ends?"),
     ([], "03", "Stopped. What has a grade above keeps it.")],
)  # fmt: skip
def test_ctrl_c_ends_a_loop_that_does_not_see_it(arguments, first, said, clone):
    folder = clone / "examples" / "exercises"
    filled(of_number("03"), folder)
    filled(of_number("04"), folder, ENDLESS)
    process = subprocess.Popen(**typed(clone, *arguments), start_new_session=True)
    try:
        while not process.stdout.readline().startswith(first):
            assert process.poll() is None
        os.killpg(process.pid, signal.SIGINT)
        written, errors = process.communicate(timeout=20)
    finally:
        with suppress(ProcessLookupError):  # as it should be
            os.killpg(process.pid, signal.SIGKILL)
    assert (written.strip(), errors, process.returncode) == (said, "", 1)
    if not arguments:
        assert [report.RIGHT, ""] in json.loads((folder / ".progress.json").read_bytes()).values()
