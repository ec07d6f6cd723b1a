"""The code of each page runs from top to bottom, and its links lead to files."""

import doctest
import re
import sys
import tomllib
from inspect import ismodule
from pathlib import Path

import cheat_sheet
import drawings
import notebooks
import numpy as np
import pytest
from tables import DOCS, PAGES, filled

import minicnn
from minicnn.backends.contract import operations


def text_of(page):
    return page.read_text(encoding="utf-8")


REFERENCE = "".join(text_of(page) for page in sorted((DOCS / "api").glob("*.md")))


# test_notebooks.py runs the others.
@pytest.mark.parametrize(
    "page", [p for p in PAGES if p not in notebooks.PROMISED], ids=lambda page: page.name
)
def test_the_code_of_a_page_runs(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code = re.findall(r"```python\n(.*?)```", text_of(page), re.DOTALL)
    exec("\n".join(code), {"__name__": "__main__"})


def test_the_extra_docs_brings_what_pages_import():
    project = tomllib.loads(text_of(DOCS.parent / "pyproject.toml"))["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras["docs"], *extras["onnx"]]
    brought = {re.match(r"[\w-]+", line)[0].replace("pillow", "PIL") for line in wanted}
    code = "".join(re.findall(r"```python\n(.*?)```", "".join(map(text_of, PAGES)), re.DOTALL))
    imported = {*re.findall(r"^(?:import|from) (\w+)", code, re.MULTILINE)}
    assert imported - {*sys.stdlib_module_names} - notebooks.EXAMPLES <= {*brought, "minicnn"}


SESSIONS = [page for page in PAGES if "```pycon\n" in text_of(page)]


@pytest.mark.parametrize("page", SESSIONS, ids=lambda page: page.name)
def test_what_a_page_shows_is_what_its_code_prints(page):
    session = "".join(re.findall(r"```pycon\n(.*?)```", text_of(page), re.DOTALL))
    test = doctest.DocTestParser().get_doctest(session, {}, page.name, str(page), 0)
    said = []
    with np.printoptions():
        found = doctest.DocTestRunner().run(test, out=said.append)
    assert found.attempted
    assert not found.failed, "".join(said)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_the_tables_of_a_page_show_the_results_that_it_names(page):
    assert filled(text_of(page)) == text_of(page), "python docs/tables.py fills them in"


def test_no_line_of_a_page_is_taken_for_a_comment():
    """MyST leaves out a line that begins with %, and breaks the paragraph there."""
    left_out = [
        (page.name, line)
        for page in PAGES
        for line in re.sub(r"(?s)^```.*?^```", "", text_of(page), flags=re.M).splitlines()
        if line.lstrip().startswith("%")
    ]
    assert not left_out


def test_the_cheat_sheet_has_every_operation_once():
    shown = [name for row in cheat_sheet.ROWS for name in row.forward + row.backward]
    assert sorted([*shown, *cheat_sheet.names_around()]) == sorted(operations())
    for name in shown:
        multiplies = " · " in cheat_sheet.documentation(name)
        assert not multiplies or " · " in " ".join(cheat_sheet.formula(name)), name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_links_to_exists(page):
    links = re.findall(r"\]\((?!https?:|#)([^)#]+)", text_of(page))
    missing = [link for link in links if not (page.parent / link).exists()]
    assert not missing


@pytest.mark.parametrize("make", drawings.PICTURES)
def test_every_drawing_is_what_its_function_draws(make):
    file = drawings.FOLDER / f"{make.__name__.replace('_', '-')}.svg"
    assert make().svg() == text_of(file), "python docs/drawings.py draws them"


CITES = re.compile(
    r"[A-Z][\w-]+(?:, [A-Z][\w-]+)*(?:\s+et\s+al\.|\s+(?:&|and)\s+[A-Z][\w-]+)?\s+(?:19|20)\d\d\b"
)
MONTHS = {"November 2026"}


def test_every_work_that_is_cited_is_in_the_list():
    sources = Path(minicnn.__file__).parent.rglob("*.py")
    works = re.findall(r"^\* \*\*(.+?)\.\*\*", text_of(DOCS / "references.md"), re.MULTILINE)
    texts = [text_of(path) for path in [*PAGES, *sources] if path.name != "references.md"]
    cited = {" ".join(found.split()) for text in texts for found in CITES.findall(text)} - MONTHS
    assert [name for name in cited if not name.endswith(tuple(works))] == []


@pytest.mark.parametrize("name", minicnn.__all__)
def test_every_public_name_stands_in_the_reference_with_what_it_is(name):
    thing = getattr(minicnn, name)
    module = thing.__name__ if ismodule(thing) else thing.__module__
    assert f".. automodule:: {module}" in REFERENCE
    assert thing.__doc__
