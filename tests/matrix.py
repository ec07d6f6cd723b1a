"""The kinds of machine that minicnn must run on, one after the other: `make matrix`, by night.

A cell of the table is an environment and what must succeed in it. Most are this interpreter with
other variables; the others are built afresh: a copy of the checkout, an interpreter, its packages.

    python tests/matrix.py                 hours
    python tests/matrix.py --quick         what CI does of it, a minute of one core
    python tests/matrix.py --only oldest   one cell; --only gives the names if there is none
"""

import argparse
import json
import os
import platform
import re
import resource
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

ROOT = Path(__file__).parents[1]

# ── what is run ──────────────────────────────────────────────────────────────────────────────

DOCTOR = ("-m", "minicnn")
TESTS = ("-m", "pytest", "-q")
SUITE = (*TESTS, "--numprocesses", "auto", "--dist", "worksteal")
SOME_TESTS = (
    *TESTS, "tests/test_docs.py", "tests/test_doctor.py", "tests/test_losses.py",
    "tests/files/test_model_file.py", "tests/test_network.py",
    *(f"tests/training/test_{name}.py" for name in ("training", "refusals", "shown", "stopping")),
    "tests/data", "tests/backends/test_numba_runtime.py",
)  # fmt: skip
# The numbers that the book shows, the reference against loops, and the kernels that need exp.
FEW_TESTS = (
    *TESTS, "tests/test_docs.py", "tests/layers/test_against_loops.py", "tests/test_losses.py",
    "-k", "not runs and not tables and not numba or numba and softmax",
)  # fmt: skip

# ── processors ───────────────────────────────────────────────────────────────────────────────

FOUND = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])  # what NumPy uses here
AVX512 = [name for name in FOUND if name.startswith(("AVX512", "X86_V4"))]
AS_HASWELL = {
    "NPY_DISABLE_CPU_FEATURES": " ".join(AVX512) or None,
    "OPENBLAS_CORETYPE": "Haswell",
    "NUMBA_CPU_NAME": "haswell",
    "NUMBA_CPU_FEATURES": "",
    "MINICNN_LANES": "8",
}
AS_NEHALEM = {
    "NPY_DISABLE_CPU_FEATURES": " ".join(FOUND) or None,
    "OPENBLAS_CORETYPE": "Nehalem",
    "NUMBA_CPU_NAME": "generic",
    "NUMBA_CPU_FEATURES": "",
    "MINICNN_LANES": "4",
    "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX2,-FMA",  # Python's own exp and log
}

# ── the table ────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Cell:
    """variables: None unsets one. python: the version of one built afresh, with these packages.

    quick: what `--quick` runs of it. before: words in front of the command. machine: the only kind
    of processor that it can be tried on.
    """

    name: str
    variables: dict[str, str | None] = field(default_factory=dict)
    commands: tuple[tuple[str, ...], ...] = (DOCTOR, SOME_TESTS)
    python: str | None = None
    packages: tuple[str, ...] = ("-e", ".[test,mpi]")
    folder: str = "fresh"
    quick: tuple[tuple[str, ...], ...] = ()
    before: tuple[str, ...] = ()
    machine: str = platform.machine()


THIS = f"{sys.version_info.major}.{sys.version_info.minor}"
RANDOM_ORDER = (*SUITE, "--random-order", f"--random-order-seed={int(time.time())}")
CLOSED = f"{os.devnull}/folder"  # nobody can make it, not even root
ABOVE_THE_CLONE = ("-c", "import os; os.chdir('..'); from minicnn import Adam")

CELLS = (
    Cell("as it is", commands=(DOCTOR, SUITE)),
    Cell("haswell", AS_HASWELL, (DOCTOR, SUITE), quick=(FEW_TESTS,), machine="x86_64"),
    Cell("nehalem", AS_NEHALEM, (DOCTOR, SUITE), quick=(FEW_TESTS,), machine="x86_64"),
    Cell("generic, 16 lanes", {"NUMBA_CPU_NAME": "generic", "NUMBA_CPU_FEATURES": "",
                               "MINICNN_LANES": "16"}),
    *(
        Cell(f"{count} threads", {"NUMBA_NUM_THREADS": count, "OPENBLAS_NUM_THREADS": count})
        for count in "123"
    ),
    Cell("one core", before=("taskset", "-c", "0")),
    *(
        Cell(f"layer {layer}", {"NUMBA_THREADING_LAYER": layer})
        for layer in ("omp", "tbb", "workqueue")
    ),
    Cell("c locale", {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}),
    Cell("no home", {"HOME": CLOSED, "XDG_CACHE_HOME": None}),
    Cell("nothing kept", {"HOME": CLOSED, "XDG_CACHE_HOME": None, "NUMBA_CACHE_DIR": CLOSED},
         (DOCTOR, FEW_TESTS)),
    Cell("warnings", {"PYTHONWARNINGS": "error"}),
    Cell("development mode", {"PYTHONDEVMODE": "1"}),
    Cell("no asserts", {"PYTHONOPTIMIZE": "1"},  # but those of tests, which pytest rewrites
         (DOCTOR, (*SOME_TESTS, "-W", "ignore::pytest.PytestConfigWarning"))),
    Cell("python 3.12", commands=(DOCTOR, SUITE), python="3.12"),
    # The newest of everything (the extra cuda asks for an older NumPy, so users may have a newer).
    Cell("python 3.13", commands=(DOCTOR, RANDOM_ORDER), python="3.13",
         packages=("-e", ".[test,mpi]", "pytest-random-order"), quick=(DOCTOR, FEW_TESTS)),
    Cell("python 3.14", commands=(DOCTOR, SUITE), python="3.14"),
    Cell("oldest", commands=(DOCTOR, SUITE), python="3.11",
         packages=("-e", ".[test,mpi]", "--constraint", "{oldest}")),
    Cell("odd path", commands=(ABOVE_THE_CLONE, DOCTOR, SOME_TESTS), python=THIS,
         folder="a space and é"),
    Cell("archives", commands=(("tests/archives.py",),), python=THIS, packages=("build",),
         folder="a space and é"),
)  # fmt: skip

# ── walking it ───────────────────────────────────────────────────────────────────────────────


class NotHere(Exception):
    """What a cell needs is not on this machine."""


def walk(cell: Cell, quick: bool, log: Path) -> str:
    """'passed', or else which command failed, or what is not here."""
    if cell.machine != platform.machine():
        return f"not here: {cell.machine}"
    variables, python, place = cell.variables, sys.executable, ROOT
    with tempfile.TemporaryDirectory() as temporary, log.open("w", encoding="utf-8") as output:
        if cell.python is not None:
            folder = Path(temporary) / cell.folder
            place = copy_of_the_checkout(folder)
            variables = {"PYTHONPATH": None, **variables}
            try:
                python = build(cell, quick, folder, output)
            except NotHere as error:
                return f"not here: {error}"
            except subprocess.CalledProcessError as error:
                return f"FAILED: {' '.join(error.cmd[1:])}"
        for command in cell.quick if quick else cell.commands:
            words = [*cell.before, python, *command]
            if shutil.which(words[0]) is None:
                return f"not here: {words[0]}"
            changed = {**os.environ, **variables}
            environment = {name: value for name, value in changed.items() if value is not None}
            print(*words, file=output, flush=True)
            done = subprocess.run(
                words, cwd=place, env=environment, stdout=output, stderr=subprocess.STDOUT
            )
            if done.returncode:
                return f"FAILED: {' '.join(command)}"
    return "passed"


def copy_of_the_checkout(folder: Path) -> Path:
    """All files that git knows or would add, in a folder of the name that a clone has."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT, capture_output=True, check=True,
    )  # fmt: skip
    clone = folder / "minicnn"
    for name in map(os.fsdecode, filter(None, listed.stdout.split(b"\0"))):
        if (ROOT / name).exists():  # git also lists what was removed a moment ago
            (clone / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, clone / name)
    return clone


def build(cell: Cell, quick: bool, folder: Path, output) -> str:
    """The interpreter of a fresh environment with the cell's packages."""
    oldest = folder / "oldest.txt"
    oldest.write_text("\n".join(lower_bounds()), encoding="utf-8")
    subprocess.run([interpreter(cell.python), "-m", "venv", folder / "venv"], check=True)
    python = str(folder / "venv/bin/python")
    packages = [package.format(oldest=oldest) for package in cell.packages]
    if quick:  # half of the work
        packages = ["--no-compile", "-e", ".", "pytest", "pytest-timeout", "hypothesis"]
    subprocess.run(
        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages],
        cwd=folder / "minicnn", stdout=output, stderr=subprocess.STDOUT, check=True,
    )  # fmt: skip
    return python


def lower_bounds() -> list[str]:
    """The oldest version of everything that pyproject.toml allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    allowed = [*project["dependencies"], *extras["test"], *extras["mpi"], *extras["onnx"]]
    return [text.replace(">=", "==") for text in allowed if re.fullmatch(r"[\w.-]+>=[\w.]+", text)]


def interpreter(version: str) -> str:
    """A Python of that version, of the search path or of pyenv."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or os.path.expanduser("~/.pyenv"))
    of_pyenv = sorted(pyenv.glob(f"versions/{version}.*/bin/python"))
    for python in (f"python{version}", *map(str, of_pyenv)):
        try:
            subprocess.run([python, "-c", ""], check=True, stderr=subprocess.DEVNULL)
        except (OSError, subprocess.CalledProcessError):
            continue
        return python
    raise NotHere(f"Python {version}")


def main() -> int:
    options = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--quick", action="store_true")
    options.add_argument("--only", metavar="NAME", choices=[cell.name for cell in CELLS])
    options.add_argument("--out", type=Path, default=Path("results"), help="folder for results")
    options = options.parse_args()
    chosen = [
        cell for cell in CELLS
        if (cell.quick or not options.quick) and options.only in (None, cell.name)
    ]  # fmt: skip
    folder = options.out.resolve() / "matrix"
    folder.mkdir(parents=True, exist_ok=True)
    print(f"NumPy finds {' '.join(FOUND) or 'no more than its baseline'}; logs in {folder}")
    rows = []
    for cell in chosen:
        log = folder / f"{cell.name}.log"
        begun, before = time.perf_counter(), cpu_seconds()
        outcome = walk(cell, options.quick, log)
        seconds, cpu = time.perf_counter() - begun, cpu_seconds() - before
        print(f"{cell.name:20}{seconds:8.0f} s{cpu:8.0f} CPU-s  {outcome}", flush=True)
        if outcome.startswith("FAILED"):
            lines = log.read_text(encoding="utf-8", errors="backslashreplace").splitlines()
            print("\n".join(f"    {line}" for line in lines[-40:]), flush=True)
        rows.append({"name": cell.name, "outcome": outcome, "seconds": seconds, "cpu": cpu})
    failed = sum(row["outcome"].startswith("FAILED") for row in rows)
    passed = sum(row["outcome"] == "passed" for row in rows)
    report = json.dumps({"found": FOUND, "quick": options.quick, "cells": rows}, indent=1)
    (folder / "matrix.json").write_text(report + "\n", encoding="utf-8")
    print(f"{passed} passed, {failed} failed, {len(rows) - passed - failed} not here")
    return int(failed > 0)


def cpu_seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
