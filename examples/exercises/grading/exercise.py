"""An exercise is two files of one name: the blank, and in `keys` all that is known of it.

A key states

    TITLE, MINUTES               how it is listed
    PAGE                         the page and the section that derive it
    PREDICTION, BECAUSE          the answer to the question
    HINTS                        a question, a formula, and a part of the line that does it
    LIBRARY                      the file and the function that do it in the library
    BLANK, GIVES                 the function to be written, and the names of what it returns
    a function of BLANK's name   a solution

and as far as it can: `paper`, `cases`, `loops`, `measured`, `library`, `extras` and MISTAKES, for
the steps of `steps.py`, which says what they are; `run(function, *arguments)`, where a blank is not
simply called; SLIPS, functions that `extras` must catch, each with words of what it says then;
`remarks()`, what is said besides, once the answer is right.
"""

import ast
import importlib.util
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from textwrap import dedent
from types import ModuleType
from typing import Any

from .book import ROOT

FOLDER = Path(__file__).parents[1]


@dataclass(frozen=True)
class Exercise:
    path: Path

    @property
    def number(self) -> str:
        return self.path.name[:2]

    @property
    def key_path(self) -> Path:
        return FOLDER / "keys" / self.path.name

    @cached_property
    def key(self) -> ModuleType:
        return module_of(self.key_path)

    @cached_property
    def facts(self) -> dict[str, Any]:
        """What the key states in capitals, read without running it: some keys start numba."""
        found = {}
        for line in ast.parse(self.key_path.read_text(encoding="utf-8")).body:
            if isinstance(line, ast.Assign) and isinstance(line.value, ast.Constant | ast.Tuple):
                try:
                    value = ast.literal_eval(line.value)
                except ValueError:  # it is computed
                    continue
                (target,) = line.targets
                many = isinstance(target, ast.Tuple)
                names = target.elts if many else [target]
                found |= {name.id: v for name, v in zip(names, value if many else [value])}
        return found

    @property
    def name(self) -> str:
        return f"{self.number} {self.facts['TITLE']}"

    @property
    def blank(self) -> str:
        return self.facts["BLANK"]

    @property
    def gives(self) -> tuple[str, ...]:
        return self.facts["GIVES"]

    @cached_property
    def arguments(self) -> list[str]:
        """The names of what the blank is given."""
        return [a.arg for a in function_of(self.key_path, self.blank).args.args]

    @property
    def solution(self) -> str:
        return source_of(self.key_path, self.blank)

    @property
    def library(self) -> str:
        """The library's own way to do it, with the place where it stands."""
        file, function = self.facts["LIBRARY"]
        return f"# {file}\n{source_of(ROOT / file, function)}"

    @property
    def hints(self) -> list[str]:
        """A question, a formula, and the line of the solution that it is about."""
        *words, part = self.facts["HINTS"]
        (line,) = (line for line in self.solution.splitlines() if part in line)
        return [*words, line.strip()]


def exercises() -> list[Exercise]:
    """The files that have a key; others are a learner's copies."""
    found = (Exercise(path) for path in sorted(FOLDER.glob("[0-9][0-9]_*.py")))
    return [exercise for exercise in found if exercise.key_path.exists()]


def module_of(path: Path) -> ModuleType:
    """The module in a file, whose name need not be one that Python can import."""
    spec = importlib.util.spec_from_file_location(f"exercise_{path.stem}", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def function_of(path: Path, name: str) -> ast.FunctionDef:
    """A function of a file, or a method: `Class.method`."""
    place: Any = ast.parse(path.read_text(encoding="utf-8"))
    for part in name.split("."):
        (place,) = (
            line
            for line in place.body
            if isinstance(line, ast.FunctionDef | ast.ClassDef) and line.name == part
        )
    return place


def source_of(path: Path, name: str) -> str:
    """The lines of a function, with its decorators."""
    function = function_of(path, name)
    first = min([function.lineno, *(d.lineno for d in function.decorator_list)])
    lines = path.read_text(encoding="utf-8").splitlines()[first - 1 : function.end_lineno]
    return dedent("\n".join(lines))
