"""Formulas as MathML: no script and no network, and a font that comes with the book."""

import re
import xml.etree.ElementTree as ElementTree

from docutils.nodes import SkipNode
from docutils.utils.math import latex2mathml

THIN = "0.1667em"
APPLIED = "\u2061"  # the invisible sign between a function and what it is a function of
ACCENTS = {"ˆ", "ˉ", "¯", "˜", "˙", "→"}


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (displayed, None))


def inline(translator, node):
    translator.body.append(mathml(node.astext()))
    raise SkipNode


def displayed(translator, node):
    formula = mathml(node.astext(), as_block=True)
    translator.body.append(f'<div class="math">{formula}</div>')
    raise SkipNode


def mathml(formula, as_block=False):
    text = latex2mathml.tex2mathml(formula, as_block=as_block)
    text = re.sub(r' xmlns="[^"]*"', "", text).replace("&ApplyFunction;", APPLIED)
    tree = ElementTree.fromstring(text)
    for node in tree.iter("munderover"):
        index_beside_the_accent(node)
    for node in tree.iter("msub"):
        if node[0].tag == "munder" and node[0][1].text == "⏟":
            node.tag = "munder"  # what is said of a brace stands below it, not beside it
    for node in tree.iter("mo"):
        if node.text == "|":
            node.attrib |= {"lspace": "0", "rspace": "0"}
    for node in list(tree.iter()):
        space_functions(node)
    for node in tree.iter("mtext"):
        node.text = (node.text or "").replace("\\_", "_")
    return ElementTree.tostring(tree, encoding="unicode")


def index_beside_the_accent(node):
    """docutils draws the k of x̂ₖ under the x, as it does a sum's."""
    base, below, above = node
    if above.text in ACCENTS:
        accented = ElementTree.Element("mover", accent="true")
        accented.extend([base, above])
        node.tag = "msub"
        node[:] = [accented, below]


def space_functions(row):
    """Thin spaces around log, tanh, max, as TeX has them: none beside an operator or a bracket."""
    children = list(row)
    for k, node in enumerate(children):
        name = node[0] if node.tag == "munder" else node
        before = children[k - 1] if k else None
        after = children[k + 1] if k + 1 < len(children) else None
        left = THIN if before is not None and before.tag != "mo" else "0"
        right = THIN if after is not None and after.tag != "mo" else "0"
        if name.tag == "mo" and (name.text or "").isalpha() and len(name.text) > 1:  # max
            name.attrib |= {"lspace": left, "rspace": right}
        elif after is not None and after.tag == "mo" and after.text == APPLIED:
            if left != "0":
                row.insert(list(row).index(node), ElementTree.Element("mspace", width=THIN))
        elif node.tag == "mo" and node.text == APPLIED:
            node.attrib |= {"lspace": "0", "rspace": right}
