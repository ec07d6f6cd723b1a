"""What the examples share: the time that they announce, what they write; and how one is started."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import architectures
import demo
import duration
import pytest
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.figure import Figure
from options import FLAGS, parser
from results import keep, load
from threadpoolctl import threadpool_info, threadpool_limits

from minicnn.backends.numba.runtime import get_threads, set_threads

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
    duration.say_how_long(parser(None, "quick").parse_args([]), minutes=7)
    assert capsys.readouterr().out.startswith(said)


@pytest.mark.parametrize("flags", [[], ["--quick"]])
def test_results_say_whether_they_are_of_a_quick_run(tmp_path, flags):
    options = parser(None, "out quick").parse_args([*flags, "--out", str(tmp_path / "new")])
    figure = Figure()
    path = keep(options, "study", {"found": [1, 2]}, figure)
    found = load(path)
    assert found["found"] == [1, 2]
    assert found.get("quick", False) == bool(flags) == ("--quick" in figure.get_suptitle())
    assert path.with_suffix(".png").stat().st_size > 1000
    assert json.loads(path.read_text(encoding="utf-8")).keys() - {"quick"} == {"machine", "found"}


def read_from_options(tree):
    """Names of the shared flags that a file or a function reads."""
    return FLAGS.keys() & {
        node.attr for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node.value) == "options"
    }  # fmt: skip


def called(tree, *arguments):
    """Calls with an argument that is one of these names, and what each calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and {*map(ast.unparse, node.args)} & {*arguments}:
            yield node, ast.unparse(node.func).rpartition(".")[2]


FILES = [path for path in EXAMPLES.rglob("*.py") if "exercises" not in path.parts]
TREES = {path.stem: ast.parse(path.read_text(encoding="utf-8")) for path in FILES}
PARSERS = {
    name: call for name, tree in TREES.items()
    for call, function in called(tree, "__doc__") if function == "parser"
}  # fmt: skip
TAKES_OPTIONS = {
    node.name: read_from_options(node) for tree in TREES.values() for node in ast.walk(tree)
    if isinstance(node, ast.FunctionDef) and "options" in [a.arg for a in node.args.args]
}  # fmt: skip


@pytest.mark.parametrize("name", PARSERS)
def test_an_example_offers_the_shared_flags_that_it_reads_and_no_other(name):
    tree, call = TREES[name], PARSERS[name]
    read = read_from_options(tree).union(
        *(TAKES_OPTIONS.get(function, ()) for _, function in called(tree, "options"))
    )
    offered = set(ast.literal_eval(call.args[1]).split() if call.args[1:] else FLAGS)
    # Where not all values of a shared flag have a meaning, it is one of the example's own.
    offered |= {flag for flag in FLAGS if [*called(tree, repr(f"--{flag}"))]}
    assert offered <= read
    assert read <= offered | {default.arg for default in call.keywords}


@pytest.mark.parametrize(("flag", "got", "wanted"), [
    ("--epochs", "0", "a whole number, 1 or more"),
    ("--threads", "-1", "a whole number, 1 or more"),
    ("--seed", "-1", "a whole number, 0 or more"),
    ("--seed", "half", "a whole number, 0 or more"),
    ("--out", "file", "a folder that can be written to"),
    ("--out", "file/new", "a folder that can be written to"),
    pytest.param("--out", "/proc", "a folder that can be written to",
                 marks=pytest.mark.skipif(not Path("/proc").exists(), reason="Linux has it")),
])  # fmt: skip
def test_a_flag_that_cannot_be_had_is_refused_before_anything_is_computed(
    tmp_path, monkeypatch, capsys, flag, got, wanted
):
    monkeypatch.chdir(tmp_path)
    Path("file").touch()
    with pytest.raises(SystemExit):
        parser(None).parse_args([flag, got])
    assert f"error: argument {flag}: got {got}, wanted {wanted}" in capsys.readouterr().err


def test_the_usual_folder_for_results_is_tried_as_well(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("results").touch()
    with pytest.raises(SystemExit):
        parser(None).parse_args([])
    assert "got results, wanted a folder that can be written to" in capsys.readouterr().err


def test_all_backends_are_offered_where_an_example_begins_with_them():
    assert parser(None, "backend", backend="all").parse_args(["--backend", "all"]).backend == "all"
    with pytest.raises(SystemExit):
        parser(None, "backend").parse_args(["--backend", "all"])


@pytest.fixture
def two_threads():
    before = get_threads()
    set_threads(2)
    with threadpool_limits(2, user_api="blas"):
        yield
    set_threads(before)


def test_the_demo_runs_on_as_many_threads_as_it_was_told(two_threads, tmp_path, monkeypatch):
    flags = ["--backend", "numba", "--threads", "1", "--out", str(tmp_path)]
    monkeypatch.setattr(sys, "argv", ["demo.py", *flags])
    monkeypatch.delattr(demo, "zener_cards")  # what comes after the flags
    with pytest.raises(NameError):
        demo.main()
    blas = [pool["num_threads"] for pool in threadpool_info() if pool["user_api"] == "blas"]
    assert get_threads() == 1
    assert {*blas} <= {1}


def one_line_of_allreduce(folder, *before):
    code = "\n".join([*before, "import allreduce", "allreduce.main()"])
    command = [sys.executable, "-c", code, "--out", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", cwd=EXAMPLES)
    assert done.returncode == 2
    # Where a sandbox hides the machine, MPI's own library has a word to say about that.
    (line,) = (line for line in done.stderr.splitlines() if not line.startswith("[hwloc"))
    return line


def test_allreduce_alone_says_in_one_line_how_it_is_started(tmp_path):
    pytest.importorskip("mpi4py")
    assert "mpiexec -n 2 python examples/allreduce.py" in one_line_of_allreduce(tmp_path)


def test_allreduce_without_mpi_says_in_one_line_what_it_needs(tmp_path):
    without = "import sys", "sys.modules['mpi4py'] = None"
    assert "pip install mpi4py mpich" in one_line_of_allreduce(tmp_path, *without)


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
