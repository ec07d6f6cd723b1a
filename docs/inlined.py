"""Puts drawings (SVG) into the page itself: they take its colours, by day and by night."""

import re
from html import escape
from pathlib import Path

from docutils import nodes


def setup(app):
    app.connect("doctree-resolved", inline)


def inline(app, doctree, page):
    if app.builder.format != "html":
        return
    for image in list(doctree.findall(nodes.image)):
        if image["uri"].endswith(".svg"):
            svg = Path(app.srcdir, image["uri"]).read_text(encoding="utf-8")
            label = f'<svg role="img" aria-label="{escape(image.get("alt", ""), quote=True)}" '
            svg = re.sub("^<svg ", label, svg)
            image.replace_self(nodes.raw("", svg, format="html"))
