"""Formulas as MathML: no script and no network, and a font that comes with the book."""

import re
import xml.etree.ElementTree as ElementTree

from docutils.nodes import SkipNode
from docutils.utils.math import latex2mathml

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
    text = re.sub(r' xmlns="[^"]*"', "", text).replace("&ApplyFunction;", "\u2061")
    tree = ElementTree.fromstring(text)
    for node in tree.iter("munderover"):
        index_beside_the_accent(node)
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
