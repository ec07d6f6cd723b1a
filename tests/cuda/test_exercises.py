"""The exercises on kernels, which run in the simulator."""

import pytest
from grading.exercise import exercises

from minicnn.backends.cuda.device import SIMULATED
from tests.exercising import check_mistakes, check_slips, check_solution

pytestmark = [
    pytest.mark.simulated,
    pytest.mark.skipif(not SIMULATED, reason="these exercises are of the simulator"),
]
each = pytest.mark.parametrize("exercise", exercises()[-2:], ids=lambda exercise: exercise.name)


@each
def test_a_solution_is_right(exercise, tmp_path):
    check_solution(exercise, tmp_path)


@each
def test_every_mistake_is_called_by_its_name(exercise):
    check_mistakes(exercise)
    check_slips(exercise)
