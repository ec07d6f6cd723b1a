"""Fills in the tables of the README and the book from docs/results: python docs/tables.py

A table stands between a comment that says which files it shows, if any, and which function of
`examples` or of a file beside this one prints it, and an end:

    <!-- table thread_scaling.json thread_scaling:scaling_table -->
    <!-- end -->
"""

import re
import sys
from pathlib import Path
from pkgutil import resolve_name

DOCS = Path(__file__).parent
ROOT = DOCS.parent
PAGES = [ROOT / "README.md", *sorted(DOCS.rglob("*.md"))]
TABLE = re.compile(r"(<!-- table ((?:\S+\.json )*)(\S+) -->\n).*?(<!-- end -->)", re.DOTALL)

sys.path.insert(0, str(ROOT / "examples"))


def filled(text: str) -> str:
    """The text of a page, each table made anew from its results."""
    return TABLE.sub(fill, text)


def fill(found: re.Match) -> str:
    from results import load

    begin, names, function, end = found.groups()
    results = [load(DOCS / "results" / name) for name in names.split()]
    return f"{begin}\n{resolve_name(function)(*results)}\n\n{end}"


if __name__ == "__main__":
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if filled(text) != text:
            page.write_text(filled(text), encoding="utf-8")
            print(page.relative_to(ROOT))
