"""The backend with one change in its sources that makes a kernel wrong.

The places are found by what stands there: barriers, atomic additions, and stores into arrays in
functions that know their thread. The changed file is compiled in memory; nothing on disk changes.
"""

import ast
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import SourceFileLoader
from importlib.util import spec_from_file_location
from pathlib import Path
from typing import NamedTuple

from minicnn import backends
from minicnn.backends import cuda as package

from .host import launch_recordings_one_by_one

KINDS = ("without a barrier", "without an atomic addition", "stores one further")


class Mutant(NamedTuple):
    kind: str
    file: str  # normalization.py
    line: int
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line} {self.kind}: {self.old.strip()}"

    @property
    def module(self) -> str:
        return f"{package.__name__}.{self.file.removesuffix('.py')}"


def all_mutants() -> list[Mutant]:
    found = []
    for path in sorted(Path(package.__file__).parent.glob("*.py")):
        source = path.read_text(encoding="utf-8")
        stores = set(lines_of_stores(ast.parse(source)))
        for line, old in enumerate(source.splitlines(), 1):
            for kind, new in changes(old, line in stores):
                found.append(Mutant(kind, path.name, line, old, new))
    return found


def changes(old: str, stores: bool) -> Iterator[tuple[str, str]]:
    """What can be made of a line of a kernel."""
    if old.strip().startswith("cuda.syncthreads()"):
        yield KINDS[0], old.replace("cuda.syncthreads()", "pass")
    if found := re.fullmatch(r"(\s*)cuda\.atomic\.add\((\w+), (\w+), (\w+)\)", old):
        yield KINDS[1], "{}{}[{}] += {}".format(*found.groups())
    if stores:
        place = re.match(r"(\s*\w+\[)(.+?)(\](?:, .+?\])? [-+*/]?= .*)", old)
        inner = place[2].rpartition(", ")  # of several indices, the last
        yield KINDS[2], f"{place[1]}{inner[0]}{inner[1]}({inner[2]}) + 1{place[3]}"


def lines_of_stores(tree: ast.AST) -> Iterator[int]:
    """Where a function that asks for its thread or block assigns to a number of an array."""
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef) or not knows_its_thread(function):
            continue
        for node in within(function):
            if isinstance(node, ast.Assign | ast.AugAssign) and node.lineno == node.end_lineno:
                target = node.targets[0] if isinstance(node, ast.Assign) else node.target
                target = target.elts[0] if isinstance(target, ast.Tuple) else target
                array = target.value if isinstance(target, ast.Subscript) else None
                if isinstance(array, ast.Name) and array.id not in own_arrays(function):
                    yield node.lineno


def own_arrays(function: ast.FunctionDef) -> set[str]:
    """A thread's own ones, which become registers: beyond them a compiler may do what it likes."""
    return {
        node.targets[0].id
        for node in within(function)
        if isinstance(node, ast.Assign) and "local.array" in ast.unparse(node.value)
    }


def knows_its_thread(function: ast.FunctionDef) -> bool:
    asked = {"grid", "threadIdx", "blockIdx"}
    return any(isinstance(n, ast.Attribute) and n.attr in asked for n in within(function))


def within(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """Its own statements, not those of functions inside."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef):
            yield node
            yield from within(node)


class Loader(SourceFileLoader):
    """Loads a module with one line changed."""

    mutant: Mutant

    def get_code(self, fullname):
        lines = Path(self.path).read_text(encoding="utf-8").splitlines()
        lines[self.mutant.line - 1] = self.mutant.new
        return compile("\n".join(lines), self.path, "exec")


class Finder(MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self.mutant = mutant

    def find_spec(self, fullname, path, target=None):
        if fullname != self.mutant.module:
            return None
        loader = Loader(fullname, str(Path(package.__file__).parent / self.mutant.file))
        loader.mutant = self.mutant
        return spec_from_file_location(fullname, loader.path, loader=loader)


@contextmanager
def installed(mutant: Mutant) -> Iterator[None]:
    """Inside, the backend `cuda` is the mutant."""
    finder, kept = Finder(mutant), take_out()
    sys.meta_path.insert(0, finder)
    try:
        launch_recordings_one_by_one()
        yield
    finally:
        sys.meta_path.remove(finder)
        take_out()
        sys.modules.update(kept)
        backends.cuda = package


def take_out() -> dict:
    """Forget the backend's modules, so that it is imported again; they are returned."""
    backends.get.cache_clear()
    names = [name for name in sys.modules if f"{name}.".startswith(f"{package.__name__}.")]
    return {name: sys.modules.pop(name) for name in names}
