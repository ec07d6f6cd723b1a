"""The pages that the book offers as notebooks."""

import re

import notebooks
import pytest
from tables import PAGES

from tests.jupyter import run

OFFERED = [page for page in PAGES if notebooks.runs_anywhere(page.read_text(encoding="utf-8"))]


def cells(page, kind):
    return [c["source"] for c in notebooks.notebook(page)["cells"] if c["cell_type"] == kind]


PROMISED = [page for page in notebooks.PROMISED if "```python" in page.read_text("utf-8")]


def test_what_was_promised_is_offered():
    assert {*PROMISED} <= {*OFFERED}


@pytest.mark.parametrize("page", OFFERED, ids=lambda page: page.name)
def test_a_notebook_has_the_code_of_its_page_in_order_and_text_between(page):
    text = page.read_text(encoding="utf-8")
    code = [block.strip() for block in re.findall(r"^```python\n(.*?)^```", text, re.M | re.S)]
    assert cells(page, "code") == ["%matplotlib inline", *filter(None, code)]
    prose = "\n".join(cells(page, "markdown"))
    assert "```{" not in prose
    assert not re.search(r"\]\((?!https?:)", re.sub(r"```.*?```", "", prose, flags=re.S))


@pytest.mark.parametrize("page", PROMISED, ids=lambda page: page.name)
def test_a_notebook_runs_and_shows_its_figures(page, tmp_path):
    nbformat = pytest.importorskip("nbformat")
    book = nbformat.from_dict(notebooks.notebook(page))
    nbformat.validate(book)
    run(book, tmp_path)
    for cell in book.cells:
        if cell.cell_type == "code" and re.search(r"^figure  # ", cell.source, re.M):
            assert any("image/png" in output.get("data", {}) for output in cell.outputs)
