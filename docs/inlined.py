"""Puts drawings (SVG) into the page itself: they take its colours, by day and by night. Other
pictures lead to their files: on a phone the letters of a plot are too small to be read in the page.
"""

import re
from html import escape
from pathlib import Path

from docutils import nodes


def setup(app):
    app.connect("doctree-resolved", inline)


def inline(app, doctree, page):
    if app.builder.format != "html":
        return
    images = "../" * page.count("/") + app.builder.imagedir
    for image in list(doctree.findall(nodes.image)):
        if image["uri"].endswith(".png"):
            file = app.env.images[image["uri"]][1]
            to_file = {"refuri": f"{images}/{file}", "internal": True}
            image.replace_self(nodes.reference("", "", image.deepcopy(), **to_file))
        elif image["uri"].endswith(".svg"):
            svg = Path(app.srcdir, image["uri"]).read_text(encoding="utf-8")
            label = f'<svg role="img" aria-label="{escape(image.get("alt", ""), quote=True)}" '
            svg = re.sub("^<svg ", label, svg)
            image.replace_self(nodes.raw("", svg, format="html"))
