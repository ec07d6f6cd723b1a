"""Runs the ```python blocks of every page, from top to bottom, while the book is built, and shows
below each block what it printed. The pages stay plain Markdown, to be read anywhere.
"""

import contextlib
import io
import re
import tempfile

from sphinx.errors import ExtensionError

BLOCK = re.compile(r"^```python\n(.*?)^```\n", re.DOTALL | re.MULTILINE)
PRINTED = "\n```{{code-block}} text\n:caption: prints\n\n{}\n```\n"


def setup(app):
    app.connect("source-read", run_page)


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
