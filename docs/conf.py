"""How the book is built: make docs. Pages are Markdown (MyST), mathematics becomes MathML, so that
the pages need no network, code is run (`executed.py`), and the API reference comes from the
docstrings.
"""

import re
import sys
from pathlib import Path

from docutils.nodes import SkipNode
from docutils.utils.math import latex2mathml

import minicnn

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "examples")]  # for executed.py, drawn.py and pages

project = "minicnn"
release = minicnn.__version__
html_title = f"minicnn {release}"
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx_gallery.gen_gallery", "executed"]
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["build", "results", "gallery"]
sphinx_gallery_conf = {
    "examples_dirs": "gallery",
    "gallery_dirs": "gallery_pages",
    "image_scrapers": ("drawn.drawn",),
    "download_all_examples": False,
    "show_signature": False,
    "abort_on_example_error": True,
}
html_theme = "furo"
html_math_renderer = "mathml"
html_copy_source = False
# Where it is not installed, the module that needs it still has docstrings to show.
autodoc_mock_imports = ["mpi4py"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
default_role = "literal"


def setup(app):
    app.add_html_math_renderer("mathml", (inline_formula, None), (displayed_formula, None))
    app.connect("autodoc-process-docstring", keep_formulas)


def inline_formula(translator, node):
    translator.body.append(latex2mathml.tex2mathml(node.astext()))
    raise SkipNode


def displayed_formula(translator, node):
    formula = latex2mathml.tex2mathml(node.astext(), as_block=True)
    translator.body.append(f'<div class="math">{formula}</div>')
    raise SkipNode


def keep_formulas(app, what, name, thing, options, lines):
    """Indented lines in a docstring are formulas or tables: show them as they stand.

    Elsewhere a star is a product and a bar an absolute value, not markup.
    """
    shown, inside = [], False
    for line in lines:
        indented = line.startswith("    ") and bool(line.strip())
        if indented and not inside:
            shown += ["", "::", ""]
        elif inside and line.strip() and not indented:
            shown.append("")
        inside = indented or (inside and not line.strip())
        shown.append(line if inside else escaped(line))
    lines[:] = shown


def escaped(line):
    """`code`, **bold** and a bullet stay as they are; another star or bar gets a backslash."""
    parts = re.split(r"(`[^`]*`|\*\*|^ *\* )", line)
    return "".join(
        part if k % 2 else re.sub(r"([*|])", r"\\\1", part) for k, part in enumerate(parts)
    )
