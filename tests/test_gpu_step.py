"""What examples/gpu_step.py says of a step, without a GPU."""

import gpu_step
import pytest

PROFILE = """==PROF== Connected to process 1
the program's own words
"ID","Kernel Name","Metric Name","Metric Unit","Metric Value"
"0","first","gpu__time_duration.sum","ns","2,300.0"
"1","second","launch__grid_size","","8"
"1","second","gpu__time_duration.sum","us","4.5"
"""


def launch(name, least, us):
    return {"name": name, "mb": 1.0, "flops": 0, "least_us": least, "us": us}


def test_times_are_read_from_between_what_a_program_printed():
    assert gpu_step.microseconds(PROFILE) == pytest.approx([2.3, 4.5])


def test_short_launches_stand_in_one_row_and_all_are_added_up():
    kernels = [launch("long", 500.0, 1000.0), launch("short", 2.0, 3.0), launch("short", 2.0, 4.0)]
    rows = gpu_step.launches_table({"kernels": kernels}).splitlines()[2:]
    cells = [[cell.strip() for cell in row.strip("|").split("|")] for row in rows]
    assert [row[0] for row in cells] == ["long", "2 short ones", "the step"]
    assert [row[4] for row in cells] == ["1000", "7", "1007"]


def test_without_times_the_table_has_only_bounds():
    rows = gpu_step.launches_table({"kernels": [launch("long", 500.0, None)]}).splitlines()[2:]
    assert all("–" in row for row in rows)
