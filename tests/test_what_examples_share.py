"""What the examples share: the time that they announce, what they write; and how one is started."""

import json
import subprocess
import sys
from pathlib import Path

import architectures
import duration
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from options import parser
from results import keep, load

EXAMPLES = Path(__file__).parent.parent / "examples"


@given(st.floats(0, 600))
def test_a_number_of_minutes_is_said_in_words_that_fit_it(minutes):
    said = duration.in_words(minutes)
    assert (said == "less than a minute") == (minutes < 0.75)
    assert (said == "about a minute") == (0.75 <= minutes < 1.5)
    if minutes >= 1.5:
        assert abs(int(said.split()[1]) - minutes) <= 0.5


@pytest.mark.parametrize(("slower", "said"), [(1, "about 7 minutes"), (2, "about 14 minutes")])
def test_minutes_are_scaled_by_the_machine(monkeypatch, capsys, slower, said):
    monkeypatch.setattr(duration, "milliseconds_here", lambda: slower * duration.PROBE_MS)
    duration.say_how_long(parser(None, 1).parse_args([]), minutes=7)
    assert capsys.readouterr().out.startswith(said)


@pytest.mark.parametrize("flags", [[], ["--quick"]])
def test_results_say_whether_they_are_of_a_quick_run(tmp_path, flags):
    options = parser(None, 1).parse_args([*flags, "--out", str(tmp_path / "new")])
    figure = Figure()
    path = keep(options, "study", {"found": [1, 2]}, figure)
    found = load(path)
    assert found["found"] == [1, 2]
    assert found.get("quick", False) == bool(flags) == ("--quick" in figure.get_suptitle())
    assert path.with_suffix(".png").stat().st_size > 1000
    assert json.loads(path.read_text(encoding="utf-8")).keys() - {"quick"} == {"machine", "found"}


def one_line_of_allreduce(*before):
    command = [sys.executable, "-c", "\n".join([*before, "import allreduce", "allreduce.main()"])]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=EXAMPLES)
    assert done.returncode == 2
    # Where a sandbox hides the machine, MPI's own library has a word to say about that.
    (line,) = (line for line in done.stderr.splitlines() if not line.startswith("[hwloc"))
    return line


def test_allreduce_alone_says_in_one_line_how_it_is_started():
    pytest.importorskip("mpi4py")
    assert "mpiexec -n 2 python examples/allreduce.py" in one_line_of_allreduce()


def test_allreduce_without_mpi_says_in_one_line_what_it_needs():
    without = "import sys", "sys.modules['mpi4py'] = None"
    assert "pip install mpi4py mpich" in one_line_of_allreduce(*without)


@pytest.mark.parametrize("name", architectures.ARCHITECTURES)
def test_the_five_architectures_cost_about_the_same(name):
    build, width = architectures.ARCHITECTURES[name]
    network = build(width)
    assert network.output_shape(architectures.SHAPE) == (10,)
    price = network.multiply_adds(architectures.SHAPE)
    assert abs(price / architectures.BUDGET - 1) < 0.1


@pytest.mark.parametrize("shortcuts", [False, True])
@pytest.mark.parametrize("depth", architectures.DEPTHS)
def test_a_chain_has_as_many_layers_with_weights_as_it_says(depth, shortcuts):
    names = architectures.chain(depth, 4, shortcuts).state()
    assert sum(name.endswith("weight") for name in names) == depth
