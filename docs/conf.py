"""How the book is built: make docs. Pages are Markdown (MyST), mathematics becomes MathML, so that
the pages need no network, and the API reference comes from the docstrings.
"""

from importlib.metadata import version

from docutils.utils.math import latex2mathml

project = "minicnn"
release = version("minicnn")
html_title = f"minicnn {release}"
extensions = ["myst_parser", "sphinx.ext.autodoc"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["build", "results"]
html_theme = "furo"
html_math_renderer = "mathml"
html_copy_source = False

# Where it is not installed, its module still has docstrings to show.
autodoc_mock_imports = ["mpi4py"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
default_role = "literal"


def setup(app):
    inline, block = (lambda translator, node, b=b: mathml(translator, node, b) for b in (0, 1))
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
    app.connect("autodoc-process-docstring", keep_formulas)
    app.connect("doctree-read", link_to_the_repository)


def mathml(translator, node, as_block):
    """The formula as the browser itself sets it."""
    from docutils.nodes import SkipNode

    converted = latex2mathml.tex2mathml(node.astext(), as_block=bool(as_block))
    translator.body.append(f'<div class="math">{converted}</div>' if as_block else converted)
    raise SkipNode


def keep_formulas(app, what, name, thing, options, lines):
    """Indented lines in a docstring are formulas or tables: show them as they stand."""
    shown, inside = [], False
    for line in lines:
        indented = line.startswith("    ") and bool(line.strip())
        if indented and not inside:
            shown += ["", "::", ""]
        elif inside and line.strip() and not indented:
            shown.append("")
        inside = indented or (inside and not line.strip())
        shown.append(line)
    lines[:] = shown


REPOSITORY = "https://github.com/minicnn/minicnn/blob/main/"


def link_to_the_repository(app, doctree):
    """Links to source files, which are right in the repository, but no pages of the book."""
