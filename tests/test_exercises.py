"""Solutions are right, stubs are greeted, and every mistake is called by its name."""

import pytest
from grading.exercise import FOLDER, exercises

from tests.exercising import check_mistakes, check_slips, check_solution

EXERCISES = exercises()
SIMULATED = "23", "24"  # tests/cuda grades these: the simulator is chosen when numba is imported
HERE = [exercise for exercise in EXERCISES if exercise.number not in SIMULATED]
each = pytest.mark.parametrize("exercise", HERE, ids=lambda exercise: exercise.name)


def test_every_exercise_has_a_number_and_a_key():
    assert [e.number for e in EXERCISES] == [f"{k + 1:02}" for k in range(len(EXERCISES))]
    keys = sorted((FOLDER / "keys").glob("*.py"))
    assert [e.key_path for e in EXERCISES] == keys


@each
def test_a_solution_is_right(exercise, tmp_path):
    check_solution(exercise, tmp_path)


@each
def test_every_mistake_is_called_by_its_name(exercise):
    check_mistakes(exercise)
    check_slips(exercise)
