"""Where compiled kernels are kept, and that none is ever taken for another."""

import builtins
import importlib
import os
import pickle
import shutil
import subprocess
import sys
from pathlib import Path
from threading import Lock
from time import time

import numba
import numpy as np
import pytest

import minicnn
from minicnn.backends import ahead
from minicnn.backends.kept import made_of, remove_unused
from minicnn.backends.numba import bias, compiling, kept, loss
from minicnn.backends.numba.runtime import LANES, OPTIONS, kernel, team

PACKAGE = Path(minicnn.__file__).parent


def kept_kernel(function):
    """As `runtime.kernel` compiles it, but for the threads."""
    compiled = numba.njit(**OPTIONS)(function)
    compiled._cache = kept.KeptKernel(function, LANES)
    return compiled


def scaled_by(factor):
    def scaled(x):
        return factor * x

    return scaled


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    return tmp_path


def test_a_kept_kernel_is_found_again_and_gives_the_same_numbers(folder):
    x = np.arange(5.0)
    first, again = kept_kernel(scaled_by(3)), kept_kernel(scaled_by(3))
    np.testing.assert_array_equal(first(x), again(x))
    assert sum(first._cache_misses.values()) == 1
    assert sum(again._cache_hits.values()) == 1
    assert len([*folder.iterdir()]) == 1


@pytest.mark.slow
def test_kernels_of_a_first_step_are_compiled_by_other_processes(folder, monkeypatch):
    """With instructions and formulas that only minicnn's modules know."""
    monkeypatch.setattr(team, "threads", 2)
    monkeypatch.setattr(ahead, "EACH", 1)
    x, y = np.zeros((2, 3, LANES), np.float32), np.zeros((2, LANES), np.float32)
    parts, sums = np.zeros((3, 4, 8 * LANES), np.float32), np.zeros(3, np.float32)
    softmax, sum_channels = (kernel(f.__wrapped__) for f in (loss.softmax, bias.sum_channels))
    calls = [
        (softmax.compiled, (x, x, 5, 1.0, x, y, y, y, np.zeros(()))),
        (sum_channels.compiled, (np.zeros((2, 3, 20 * LANES), np.float32), None, 0, parts, sums)),
        (kernel(scaled_by(2)).compiled, (x,)),
        (np.copyto, (x, x)),
    ]
    compiling.compile_ahead(calls)
    assert len([*folder.iterdir()]) == 3
    for compiled, arguments in calls[:-1]:
        signature = tuple(map(numba.typeof, arguments))
        assert compiled._cache.load_overload(signature, compiled.targetctx) is not None


def test_processes_that_fail_leave_the_kernels_to_whoever_calls_them(capfd):
    ahead.compile_side_by_side([("a job",)] * 6, 2, "minicnn.no_such_module", pickle.dumps)
    ahead.compile_side_by_side([(lambda: "not to be pickled",)] * 6, 2, "minicnn", pickle.dumps)
    assert capfd.readouterr() == ("", "")


def test_what_a_kernel_is_made_from_tells_it_from_every_other(folder):
    x = np.arange(5.0)
    for factor in (2, 3):
        for dtype in (np.float32, np.float64):
            found = kept_kernel(scaled_by(factor))(x.astype(dtype))
            np.testing.assert_array_equal(found, factor * x)
    assert len([*folder.iterdir()]) == 4


def test_a_formula_is_another_when_a_module_that_it_uses_changes(tmp_path, monkeypatch):
    """A user's own, for the files of the backends are in every hash."""
    (tmp_path / "formula.py").write_text("from helper import half\ndef f(x): return half(x)\n")
    monkeypatch.syspath_prepend(tmp_path)
    found = set()
    for body in ("x / 2", "x * 0.5"):
        (tmp_path / "helper.py").write_text(f"def half(x): return {body}\n")
        for name in ("helper", "formula"):
            sys.modules.pop(name, None)
        importlib.invalidate_caches()
        found.add(repr(made_of(importlib.import_module("formula").f)))
    for name in ("helper", "formula"):
        sys.modules.pop(name)
    assert len(found) == 2


def test_a_kernel_that_was_typed_in_is_kept_too(folder):
    typed = {"__name__": "__main__"}
    x = np.arange(5.0)
    for factor in (3, 4):
        exec(f"def typed(x): return {factor} * x", typed)
        np.testing.assert_array_equal(kept_kernel(typed["typed"])(x), factor * x)
    assert len([*folder.iterdir()]) == 2


def test_what_cannot_be_kept_is_compiled_all_the_same(folder, monkeypatch):
    monkeypatch.setattr(builtins, "_", Lock(), raising=False)  # as a terminal: what was last shown
    of_no_module: dict = {}
    exec("def typed(x): return 3 * x", of_no_module)
    x = np.arange(5.0)
    np.testing.assert_array_equal(kept_kernel(of_no_module["typed"])(x), 3 * x)
    assert not [*folder.iterdir()]


@pytest.mark.parametrize("place", [0, 0.1, 0.5, 1])
def test_a_file_that_is_damaged_is_compiled_again(folder, place):
    x = np.arange(5.0)
    kept_kernel(scaled_by(3))(x)
    (file,) = folder.iterdir()
    whole = file.read_bytes()
    flipped = bytearray(whole)
    flipped[round(place * (len(whole) - 1))] ^= 4
    for damaged in (whole[:100], flipped):
        file.write_bytes(damaged)
        np.testing.assert_array_equal(kept_kernel(scaled_by(3))(x), 3 * x)
        assert len(file.read_bytes()) > 100
        assert file.read_bytes() != damaged


FINDING = """
import os, sys, numpy as np, minicnn as m
from minicnn.backends.numba import kept
print(kept.FOLDER)
assert os.path.dirname(m.__file__) == sys.argv[1]
"""
COMPILING = FINDING + 'm.backends.get("numba").from_numpy(np.zeros((2, 3), "f"))'


def run(program, package=PACKAGE, **environment):
    """Where kernels are kept, and how often compiling was announced."""
    clean = {k: v for k, v in os.environ.items() if k not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    done = subprocess.run(
        [sys.executable, "-c", program, package],
        env=clean | {key: str(value) for key, value in environment.items()},
        cwd=package.parent,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip(), done.stderr.count("compiling kernels")


def test_compiling_is_announced_once_and_a_clone_elsewhere_needs_none(tmp_path):
    clone = tmp_path / "a clöne" / "minicnn"
    shutil.copytree(PACKAGE, clone, ignore=shutil.ignore_patterns("__pycache__"))
    kernels = tmp_path / "kernels"
    first, compiled = run(COMPILING, NUMBA_CACHE_DIR=kernels)
    assert compiled == 1
    assert Path(first).parent == kernels
    assert run(COMPILING, clone, NUMBA_CACHE_DIR=kernels) == (first, 0)


def test_kernels_are_kept_with_the_user_or_else_beside_the_package(tmp_path):
    nowhere = tmp_path / "a file"
    nowhere.write_text("", encoding="utf-8")
    assert run(FINDING, XDG_CACHE_HOME=tmp_path)[0].startswith(str(tmp_path / "minicnn"))
    assert run(FINDING, XDG_CACHE_HOME=nowhere)[0].startswith(str(Path(kept.__file__).parent))
    assert run(COMPILING, NUMBA_CACHE_DIR=nowhere) == ("None", 1)  # in memory only


def test_only_kernels_that_nobody_used_for_long_are_removed(tmp_path):
    for name, days in (("kernels-old", 31), ("kernels-new", 29), ("another", 365)):
        (tmp_path / name).mkdir()
        (tmp_path / name / "file").write_text("", encoding="utf-8")
        then = time() - days * 24 * 3600
        os.utime(tmp_path / name, (then, then))
    remove_unused(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"kernels-new", "another"}


