"""Links author and year, wherever a page or a docstring cites a work, to the list of works."""

import re
from itertools import groupby
from pathlib import Path

from docutils import nodes

PAGE = "references"
WORKS = re.findall(
    r"^\* \*\*(.+?)\.\*\*", Path(__file__).with_name(f"{PAGE}.md").read_text("utf-8"), re.M
)
CITED = re.compile(  # a line may end in the middle of one
    "|".join(re.escape(w).replace(r"\ ", r"\s+") for w in sorted(WORKS, key=len, reverse=True))
)
NO_PROSE = nodes.reference, nodes.literal, nodes.literal_block, nodes.title, nodes.raw, nodes.math


def setup(app):
    app.connect("doctree-read", name_the_works)
    app.connect("doctree-resolved", link)


def name_the_works(app, doctree):
    """An anchor for each work."""
    if app.env.docname == PAGE:
        for item in doctree.findall(nodes.list_item):
            item["ids"].append(anchor(re.match(CITED, item.astext())[0]))


def link(app, doctree, page):
    if page == PAGE:
        return
    there = app.builder.get_relative_uri(page, PAGE)
    join_lines(doctree)
    for text in list(doctree.findall(nodes.Text)):
        words = text.astext()
        if CITED.search(words) and not any(isinstance(p, NO_PROSE) for p in above(text)):
            parts, start = [], 0
            for found in CITED.finditer(words):
                target = f"{there}#{anchor(found[0])}"
                parts += [nodes.Text(words[start : found.start()]),
                          nodes.reference("", found[0], refuri=target, internal=True)]  # fmt: skip
                start = found.end()
            text.parent.replace(text, [*parts, nodes.Text(words[start:])])


def join_lines(doctree):
    """MyST makes a text of each line: one of all that follow each other."""
    for element in list(doctree.findall(nodes.TextElement)):
        runs = groupby(element.children, lambda node: isinstance(node, nodes.Text))
        joined = [[nodes.Text("".join(run))] if is_text else [*run] for is_text, run in runs]
        element[:] = [node for run in joined for node in run]


def anchor(work):
    return nodes.make_id(work)


def above(node):
    while node := node.parent:
        yield node
