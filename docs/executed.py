"""Runs the ```python blocks of every page, from top to bottom, while the book is built, and shows
below each block what it printed, or the figure that its last line names:

    figure  # what there is to see, for who cannot see it

or the HTML file that it names, in a frame:

    page = "file.html"  # what it is

The pages stay plain Markdown, to be read anywhere.
"""

import base64
import contextlib
import io
import re
import shutil
import tempfile
from html import escape
from importlib.util import find_spec
from pathlib import Path

import notebooks
from sphinx.errors import ExtensionError

BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
IMPORT = re.compile(r"^(?:import|from) (\w+)", re.MULTILINE)
FIGURE = re.compile(r"^figure  # (.+)\n\Z", re.MULTILINE)
FRAME = re.compile(r'^page = "([\w-]+\.html)(#\S*)?"  # (.+)\n\Z', re.MULTILINE)
PRINTED = "\n```{{code-block}} text\n:class: {}\n:caption: prints\n\n{}\n```\n"
DRAWN = '\n```{{raw}} html\n<img class="drawn {}" alt="{}" src="data:image/png;base64,{}">\n```\n'
FRAMED = '\n```{{raw}} html\n<iframe class="page" title="{}" src="{}"></iframe>\n```\n'


def setup(app):
    app.connect("builder-inited", refuse_what_is_missing)
    app.connect("source-read", run_page)


def refuse_what_is_missing(app):
    """Before minutes of building: is every package here that a page imports?"""
    pages = [page.read_text(encoding="utf-8") for page in Path(app.srcdir).rglob("*.md")]
    missing = sorted(name for name in imports("\n".join(pages)) if find_spec(name) is None)
    if missing:
        raise ExtensionError(
            f"the pages import {', '.join(missing)}: pip install -e '.[docs]' in the clone"
        )


def imports(text):
    """The packages that the blocks of this text import."""
    return {name for block in BLOCK.finditer(text) for name in IMPORT.findall(block[1])}


def run_page(app, page, source):
    names = {"__name__": "__main__"}
    link = notebooks.offer(app, page, source[0])

    def with_output(block):
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                exec(block[1], names)
        except Exception as error:
            raise ExtensionError(f"{page}.md: {error!r} from\n{block[1]}") from error
        output = printed.getvalue().rstrip()
        shown = PRINTED.format(kind(output), output) if output else ""
        if alt := FIGURE.search(block[1]):
            shown += drawn(names["figure"], alt[1])
        if frame := FRAME.search(block[1]):
            shown += framed(app, page, *frame.groups(""))
        return block[0] + shown

    with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
        source[0] = BLOCK.sub(with_output, source[0]) + link


def kind(output):
    """Lines of prose may be broken, those of a table may not."""
    aligned = any(re.search(r"\S {3,}\S", line) for line in output.splitlines())
    return "table-of-text" if aligned else "prose"


def drawn(figure, alt):
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    pictures = "image" if all(axes.images for axes in figure.axes) else ""  # else a plot
    return DRAWN.format(pictures, escape(alt), base64.b64encode(file.getvalue()).decode())


def framed(app, page, file, place, words):
    """The file is kept in the built book; place: what stands after it in its address."""
    folder = Path(app.outdir, "_pages", Path(page).name)
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(file, folder)
    address = "../" * page.count("/") + f"_pages/{folder.name}/{file}{place}"
    return FRAMED.format(escape(words), address)
