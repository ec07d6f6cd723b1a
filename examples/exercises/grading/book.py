"""The book as a source: the numbers of a page's example on paper, and the mistakes that it shows.

So both stand in one place, and what an exercise says is what its chapter says.
"""

import contextlib
import io
import re
import tempfile
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
ON_PAPER = "On paper"


@cache
def text_of(page: str) -> str:
    path = DOCS / page
    if not path.exists():
        raise SystemExit(f"{path} is missing: the exercises belong to a clone of minicnn")
    return path.read_text(encoding="utf-8")


@cache
def names(page: str, section: str) -> dict:
    """What the code of a page has defined at the end of a section. What it writes is gone."""
    text = text_of(page)
    code = "\n".join(BLOCK.findall(text[: end_of(text, section)]))
    found: dict = {"__name__": "__main__"}
    with (
        contextlib.redirect_stdout(io.StringIO()),
        tempfile.TemporaryDirectory() as folder,
        contextlib.chdir(folder),
    ):
        exec(compile(code, str(DOCS / page), "exec"), found)
    return found


def end_of(text: str, section: str) -> int:
    start = text.index(f"\n## {section}\n") + 1
    following = HEADING.search(text, start + 3)
    return following.start() if following else len(text)


def section_of(page: str, name: str) -> str:
    """The heading of the section that defines a class."""
    text = text_of(page)
    return HEADING.findall(text[: text.index(f"\nclass {name}(")])[-1]


def shown(page: str, name: str) -> type:
    """A class of a page: a layer or a loss with a mistake, which its docstring states."""
    return names(page, section_of(page, name))[name]


def title(page: str) -> str:
    return text_of(page).splitlines()[0].removeprefix("# ")


def reference(page: str, section: str) -> str:
    return f"{title(page)} › {section} (docs/{page})"
