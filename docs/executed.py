"""Runs the ```python blocks of every page, from top to bottom, while the book is built, and shows
below each block what it printed. The pages stay plain Markdown, to be read anywhere.
"""

import contextlib
import io
import re
import tempfile
from importlib.util import find_spec
from pathlib import Path

from sphinx.errors import ExtensionError

BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
IMPORT = re.compile(r"^(?:import|from) (\w+)", re.MULTILINE)
PRINTED = "\n```{{code-block}} text\n:caption: prints\n\n{}\n```\n"


def setup(app):
    app.connect("builder-inited", refuse_what_is_missing)
    app.connect("source-read", run_page)


def refuse_what_is_missing(app):
    """Before minutes of building: is every package here that a page imports?"""
    pages = [page.read_text(encoding="utf-8") for page in Path(app.srcdir).rglob("*.md")]
    code = [block[1] for page in pages for block in BLOCK.finditer(page)]
    missing = sorted({name for name in IMPORT.findall("".join(code)) if find_spec(name) is None})
    if missing:
        raise ExtensionError(
            f"the pages import {', '.join(missing)}: pip install -e '.[docs]' in the clone"
        )


def run_page(app, page, source):
    names = {"__name__": "__main__"}

    def with_output(block):
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(block[1], names)
        except Exception as error:
            raise ExtensionError(f"{page}.md: {error!r} from\n{block[1]}") from error
        output = printed.getvalue().rstrip()
        return block[0] + (PRINTED.format(output) if output else "")

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        source[0] = BLOCK.sub(with_output, source[0])
