"""A page for each source file that the book links to: without it, a browser would download them."""

from pathlib import Path

from docutils import nodes
from sphinx.addnodes import download_reference

ROOT = Path(__file__).parent.parent
LINKED = set()


def setup(app):
    app.connect("doctree-resolved", lead_to_pages)
    app.connect("html-collect-pages", pages)
    return {"parallel_read_safe": False}


def lead_to_pages(app, doctree, page):
    for node in list(doctree.findall(download_reference)):
        path = (ROOT / "docs" / page).parent.joinpath(node["reftarget"]).resolve()
        if path.suffix == ".py":
            name = path.relative_to(ROOT).as_posix()
            LINKED.add(name)
            uri = app.builder.get_relative_uri(page, f"_sources_of/{name}")
            node.replace_self(nodes.reference("", "", *node.children, refuri=uri, internal=True))


def pages(app):
    for name in sorted(LINKED):
        code = (ROOT / name).read_text(encoding="utf-8")
        shown = app.builder.highlighter.highlight_block(code, "python")
        yield f"_sources_of/{name}", {"title": name, "body": f"<h1>{name}</h1>{shown}"}, "page.html"
