import os
import subprocess
import sys

import pytest


def doctor(**environment):
    done = subprocess.run(
        [sys.executable, "-m", "minicnn"],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return done.stdout


def test_the_doctor_names_every_backend_and_data_set():
    said = doctor()
    for word in ("numpy", "numba", "ready", "lanes", "MNIST", "Fashion-MNIST", "CIFAR-10"):
        assert word in said


def test_a_terminal_that_cannot_show_a_folder_s_name_gets_the_rest(tmp_path):
    name = os.fsdecode("é".encode())  # what the locale makes of it
    said = doctor(PYTHONIOENCODING="ascii", NUMBA_CACHE_DIR=str(tmp_path / name))
    assert name.encode("ascii", "backslashreplace").decode() in said
    assert "Fashion-MNIST" in said


@pytest.mark.skipif(os.name != "posix", reason="no folder is so surely closed elsewhere")
def test_without_a_home_or_any_folder_to_keep_kernels_in_the_doctor_says_where_they_go():
    closed = f"{os.devnull}/folder"
    said = doctor(HOME=closed, XDG_CACHE_HOME=closed, NUMBA_CACHE_DIR=closed, MINICNN_DATA=closed)
    assert "kernels kept in" in said
    assert "MINICNN_DATA" in said


def test_a_backend_that_fails_to_start_hides_no_other():
    said = doctor(MINICNN_LANES="5")
    assert "MINICNN_LANES must be 4, 8 or 16, got '5'" in said
    assert "numpy           ready" in said
    assert "Fashion-MNIST" in said
