"""The comparison with other frameworks, on the smallest scale: what it writes, and how it fails."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from compare_frameworks import first_answer, start
from frameworks.workloads import WORKLOADS, at_batch

SCRIPT = Path(__file__).parent.parent / "examples" / "compare_frameworks.py"


@pytest.mark.slow
def test_a_comparison_reports_every_framework_that_is_installed(tmp_path):
    arguments = ["--rounds", "1", "--seconds", "0.02", "--threads", "1", "--out", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, str(SCRIPT), *arguments, "--workloads", "mnist b12"],
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "compare_frameworks.json").read_bytes())
    (run,) = report["runs"]
    assert {"numpy", "numba"} <= run["ms"].keys()
    assert all(ms > 0 for ms in run["ms"].values())
    assert f"{run['ms']['numba']:.2f}" in done.stdout
    assert (tmp_path / "compare_frameworks.png").stat().st_size > 1000


def test_a_framework_that_fails_ends_the_comparison_with_its_last_words():
    worker = start(("numpy", "minicnn", "no such backend"), WORKLOADS[0], 1)
    with pytest.raises(RuntimeError, match=r"numpy failed on zener4(.|\n)*no such backend"):
        first_answer("numpy", worker, WORKLOADS[0])
    worker.stdin.close()
    worker.wait()
    worker.stdout.close()
    worker.errors.close()


@pytest.mark.parametrize("work", WORKLOADS, ids=lambda w: w.name)
def test_every_network_can_be_had_at_another_batch(work):
    name = f"{work.name.rpartition(' b')[0]} b4096"
    other = at_batch(work.name, 4096)
    assert (other.name, other.batch, other.layers) == (name, 4096, work.layers)
