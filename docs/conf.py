"""How the book is built: make docs. Pages are Markdown (MyST), and each file beside this one does
one thing to them: `executed.py` runs their code, `mathematics.py` draws formulas, `citations.py`
and `sources.py` lead to works and to source files, `inlined.py` places drawings, `notebooks.py`
offers pages as notebooks. The pages need no network. The API reference comes from the docstrings.
"""

import re
import sys
from pathlib import Path

import minicnn

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "examples")]  # for the files above, and for pages

project = "minicnn"
release = minicnn.__version__
html_title = f"minicnn {release}"
extensions = [
    "myst_parser", "sphinx.ext.autodoc", "sphinx.ext.viewcode", "sphinx.ext.githubpages",
    "sphinx_copybutton", "executed", "mathematics", "citations", "sources", "inlined",
]  # fmt: skip
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
exclude_patterns = ["build", "results"]
copybutton_prompt_text = r">>> |\.\.\. "
copybutton_prompt_is_regexp = True
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["book.css"]
html_math_renderer = "mathml"
html_copy_source = False
html_show_copyright = False
# Where it is not installed, the module that needs it still has docstrings to show.
autodoc_mock_imports = ["mpi4py"]
autodoc_member_order = "bysource"
autodoc_typehints = "none"
default_role = "literal"


def setup(app):
    app.connect("autodoc-process-docstring", keep_formulas)
    app.connect("autodoc-skip-member", leave_out_fields)


def leave_out_fields(app, what, name, thing, skip, options):
    """The fields of a NamedTuple stand in its signature, and Python says no more of them."""
    return skip or (thing.__doc__ or "").startswith("Alias for field number") or None


def keep_formulas(app, what, name, thing, options, lines):
    """Indented lines in a docstring are formulas or tables: show them as they stand.

    Elsewhere a star is a product and a bar an absolute value, not markup.
    """
    shown, inside = [], False
    for line in indented_rules(lines):
        indented = line.startswith("    ") and bool(line.strip())
        if indented and not inside:
            shown += ["", ".. code-block:: text", ""]
        elif inside and line.strip() and not indented:
            shown.append("")
        inside = indented or (inside and not line.strip())
        shown.append(line if inside else escaped(line))
    lines[:] = shown


def indented_rules(lines):
    """Where all that follows the first line is formulas, autodoc has taken their indentation."""
    rules = [line for line in lines[1:] if line.strip()]
    alone = rules and all(" ← " in line for line in rules)
    return [*lines[:1], *("    " + line for line in lines[1:])] if alone else lines


def escaped(line):
    """`code`, **bold**, *word* and a bullet stay; another star or bar gets a backslash."""
    parts = re.split(r"(`[^`]*`|\*\*|(?<!\S)\*\w+\*(?!\w)|^ *\* )", line)
    return "".join(
        part if k % 2 else re.sub(r"([*|])", r"\\\1", part) for k, part in enumerate(parts)
    )
