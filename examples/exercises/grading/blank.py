"""The file that a learner writes: is there anything in it, may it be run, and what does it say?"""

import ast
import tokenize
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np

from .exercise import Exercise, module_of

LETTERS = "a", "b", "c"
ANSWER = 'PREDICTION = "a", "b" or "c"'
CLOSED = "minicnn", "grading", "keys"  # where the solutions are


class NotBegunError(Exception):
    """There is nothing to grade yet; the lines say what to do."""

    def __init__(self, *lines: str) -> None:
        super().__init__("\n".join(lines))
        self.lines = lines


class WrongError(Exception):
    """An answer that is not right: in which step, and the lines that show it."""

    def __init__(self, step: str, *lines: str) -> None:
        super().__init__("\n".join([step, *lines]))
        self.step, self.lines = step, lines


def read(exercise: Exercise) -> tuple[Callable, str]:
    """The function that fills the blank, and the prediction.

    Raises what `refuse_unreadable` does, and NotBegunError for a question without an answer.
    """
    refuse_unreadable(exercise)
    exercise.key  # noqa: B018  a key may set up numba, before the blank imports it
    try:
        module = module_of(exercise.path)
    except (Exception, SystemExit) as error:
        raise WrongError("error", *told(error, exercise.path)) from None
    prediction = getattr(module, "PREDICTION", ...)
    if prediction is ...:
        raise NotBegunError(f"First the question: what do you expect? {ANSWER}")
    if not isinstance(prediction, str) or prediction not in LETTERS:
        raise WrongError("question", f"PREDICTION is {prediction!r}. {ANSWER}")
    return getattr(module, exercise.blank), prediction


def refuse_unreadable(exercise: Exercise) -> None:
    """Raise NotBegunError for an empty blank, WrongError for a file that Python cannot read, that
    lacks the function, or that imports a solution. Nothing of it is run.
    """
    path, name = exercise.path, exercise.blank
    try:
        with tokenize.open(path) as file:  # in the encoding that Python would read it in
            text = file.read()
    except (SyntaxError, UnicodeDecodeError):
        raise WrongError(
            "encoding", f"{path.name} is not UTF-8: tell your editor to save it so."
        ) from None
    try:
        tree = ast.parse(text, str(path))
    except SyntaxError as error:
        raise WrongError("syntax", f"line {error.lineno}: {error.msg}") from None
    refuse_solutions(tree)
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef) and n.name == name]
    if not functions:
        raise WrongError("name", f"the function {name} is not there any more")
    if is_empty(functions[-1]):
        raise NotBegunError(
            f"{name} is still empty. Open {path.name}, and answer its question first:", ANSWER,
            f"Then write {name} where the ... stands, and run this again.",
        )  # fmt: skip


def is_empty(function: ast.FunctionDef) -> bool:
    """Whether a function has nothing but a docstring and ... or pass."""
    return all(
        isinstance(line, ast.Pass)
        or (isinstance(line, ast.Expr) and isinstance(line.value, ast.Constant))
        for line in function.body
    )


def refuse_solutions(tree: ast.AST) -> None:
    for node in ast.walk(tree):
        imported = []
        if isinstance(node, ast.Import):
            imported = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            imported = [node.module or "."]
        for module in imported:
            if module.split(".")[0] in CLOSED:
                raise WrongError(
                    "import",
                    f"line {node.lineno} imports {module}, where the solution stands.",
                    "Write it with NumPy and plain Python. (--solution shows the library's way.)",
                )


def call(exercise: Exercise, function: Callable, arguments: tuple) -> tuple:
    """What a function returns, one value for each name in GIVES; its arguments stay as they are.

    Raises WrongError for an exception, and for what it changed or did not return.
    """
    given = copied(arguments)
    run = getattr(exercise.key, "run", None)
    try:
        with np.errstate(all="ignore"), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            found = run(function, *given) if run else function(*given)
    except WrongError:
        raise
    except (Exception, SystemExit) as error:
        raise WrongError(
            "error", *told(error, exercise.path), shapes(exercise, arguments)
        ) from None
    for name, before, after in zip(exercise.arguments, arguments, given):
        if changed(before, after):
            raise WrongError(
                "in place", f"{name} is changed: others still need it as it was. Work on a copy."
            )
    return one_each(exercise.gives, found)


def one_each(names: tuple[str, ...], found) -> tuple:
    wanted = ", ".join(names)
    if found is None:
        raise WrongError("nothing", f"It returns None, wanted {wanted}. Is a return missing?")
    if len(names) == 1:
        return (found,)
    if not isinstance(found, tuple | list) or len(found) != len(names):
        got = f"{len(found)} values" if isinstance(found, tuple | list) else type(found).__name__
        raise WrongError("shape", f"It returns {got}, wanted {len(names)} values: {wanted}")
    return tuple(found)


def told(error: BaseException, path: Path) -> list[str]:
    """An exception in a learner's words: what it says, and the line of the file that raised it."""
    said = [line.strip() for line in str(error).splitlines() if line.strip()]
    said = [line for line in said if not line.startswith("Failed in")][:2]  # numba's preamble
    lines = [f"{type(error).__name__}: {' '.join(said)}"]
    if isinstance(error, SystemExit):
        lines = ["Python is told to exit here, and then nothing can be graded: take that out."]
    inside = [f for f in traceback.extract_tb(error.__traceback__) if f.filename == str(path)]
    if inside:
        lines.append(f"line {inside[-1].lineno}: {inside[-1].line}")
    return lines


def copied(arguments: tuple) -> tuple:
    return tuple(a.copy() if isinstance(a, np.ndarray | list) else a for a in arguments)


def changed(before, after) -> bool:
    if isinstance(before, np.ndarray):
        return not np.array_equal(before, after, equal_nan=True)
    return isinstance(before, list) and before != after


def shapes(exercise: Exercise, arguments: tuple) -> str:
    """What a blank was called with, in words."""
    words = (
        f"an array {a.shape}" if isinstance(a, np.ndarray) else getattr(a, "__name__", repr(a))
        for a in arguments
    )
    said = ", ".join(f"{name} = {word}" for name, word in zip(exercise.arguments, words))
    return f"It was called with {said}."


def undecorated(function: Callable, name: str, decorator: str) -> Callable:
    """The Python function below one of numba's decorators; WrongError where that is gone."""
    if not hasattr(function, name):
        raise WrongError("decorator", f"{decorator} must stay above the function: numba runs it.")
    return getattr(function, name)


@contextmanager
def played(function: Callable, decorator: str, **names) -> Iterator[Callable]:
    """`with played(…) as plain:` a compiled function, and those of its file that it calls, as plain
    Python. names: what else its file's names stand for meanwhile.
    """
    plain = undecorated(function, "py_func", decorator)
    known = plain.__globals__
    helpers = {name: f.py_func for name, f in known.items() if hasattr(f, "py_func")}
    with mock.patch.dict(known, helpers | names):
        yield plain
