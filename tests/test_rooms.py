"""Imports go one way: data → network → layers → backends, and what trains them lies above."""

import ast
from pathlib import Path

import pytest

import minicnn

PACKAGE = Path(minicnn.__file__).parent
# From the ground up. A module imports from its own room and from lower floors.
FLOORS = (
    {"common"},
    {"backends"},
    {"initializers"},
    {"data", "layers"},
    {"gradcheck", "losses", "metrics", "network", "optimizers", "schedules"},
    {"microscope", "plotting"},
    {"files"},
    {"training"},
    {"distributed", "timing"},
    {"__init__"},
    {"__main__"},
)
MODULES = [path.relative_to(PACKAGE) for path in PACKAGE.rglob("*.py")]


def room(parts):
    """The first word of a path below the package, which may be a name that __init__ defines."""
    name = parts[0].removesuffix(".py")
    return name if any(name in rooms for rooms in FLOORS) else "__init__"


def floor(name):
    return next(k for k, rooms in enumerate(FLOORS) if name in rooms)


def is_for_types(node):
    return isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"


def imported_rooms(path):
    """The rooms of minicnn that a module imports from, at its top or inside a function."""
    tree = ast.parse((PACKAGE / path).read_text("utf-8"))
    tree.body = [node for node in tree.body if not is_for_types(node)]
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.level:
            above = path.parts[: len(path.parts) - node.level]
            inside = (node.module or "").split(".") if node.module else []
            for alias in node.names:
                yield room([*above, *inside, alias.name])


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_no_import_climbs(path):
    here = room(path.parts)
    for other in imported_rooms(path):
        assert other == here or floor(other) < floor(here), f"{path} imports {other}"


def test_the_top_folder_holds_the_story_of_a_step_and_little_else():
    assert set().union(*FLOORS) >= {path.parts[0].removesuffix(".py") for path in MODULES}
    assert len([path for path in PACKAGE.iterdir() if path.is_file()]) <= 12
