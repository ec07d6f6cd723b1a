"""Pages as notebooks, to be downloaded and run: the book is built with one of every page whose code
needs no more than minicnn.
"""

import ast
import json
import re
from pathlib import Path

DOCS = Path(__file__).parent
EXAMPLES = {path.stem for path in (DOCS.parent / "examples").glob("*")}
PROMISED = [DOCS / "start.md", *sorted((DOCS / "gallery").glob("*.md"))]  # tests run them as such
FENCE = re.compile(r"^```(\S+)(?: (\S+))?\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"!?\[([^]]*)\]\((?!https?:)[^)]*\)", re.DOTALL)
OFFER = """
```{{raw}} html
<p class="notebook"><a href="{}" download>This page as a notebook</a></p>
```
"""


def offer(app, page, text):
    """Write a page's notebook into the built book; the line at its end that leads there, or ""."""
    if not runs_anywhere(text):
        return ""
    target = Path(app.outdir, "_notebooks", f"{page}.ipynb")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(json.dumps(notebook(DOCS / f"{page}.md"), indent=1), encoding="utf-8")
    return OFFER.format("../" * page.count("/") + f"_notebooks/{page}.ipynb")


def runs_anywhere(text):
    """Has it code, of modules that an installed minicnn brings along?"""
    code = "".join(block[3] for block in FENCE.finditer(text) if block[1] == "python")
    return bool(code) and not EXAMPLES & set(re.findall(r"^(?:import|from) (\w+)", code, re.M))


def notebook(page):
    """A page as Jupyter keeps it: code to run in cells of its own, all else as text."""
    text, cells, start = page.read_text(encoding="utf-8"), [], 0
    for block in FENCE.finditer(text):
        if block[1] != "python" or not block[3].strip():
            continue
        cells += [text_cell(text[start : block.start()], page), code_cell(block[3])]
        start = block.end()
    cells = [code_cell("%matplotlib inline\n"), *cells, text_cell(text[start:], page)]
    cells = [cell for cell in cells if cell["source"]]
    for k, cell in enumerate(cells):
        cell["id"] = f"cell-{k}"
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    return {"cells": cells, "metadata": {"kernelspec": kernel}, "nbformat": 4, "nbformat_minor": 5}


def code_cell(code):
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [],
            "source": code.strip()}  # fmt: skip


def text_cell(text, page):
    """Markdown without what only Sphinx understands: pages it links to, code that it includes."""
    text = FENCE.sub(lambda block: plain(block, page), text)
    text = re.sub(r"<!--.*?-->\n?|^\(\S+\)=\n", "", text, flags=re.DOTALL | re.MULTILINE)
    return {"cell_type": "markdown", "metadata": {}, "source": LINK.sub(r"\1", text).strip()}


def plain(block, page):
    kind, argument, body = block.groups()
    if kind == "{literalinclude}":
        return f"```python\n{included(page.parent / argument, body)}\n```\n"
    return "" if kind.startswith("{") else block[0]


def included(path, options):
    """The lines of a function, Class.method or whole file that `literalinclude` shows."""
    source = path.read_text(encoding="utf-8")
    found = re.search(r":pyobject: (\S+)", options)
    if not found:
        return source.rstrip()
    scope = ast.parse(source)
    for name in found[1].split("."):
        scope = next(node for node in scope.body if getattr(node, "name", None) == name)
    first = min([scope.lineno, *(decorator.lineno for decorator in scope.decorator_list)])
    return "\n".join(source.splitlines()[first - 1 : scope.end_lineno])
