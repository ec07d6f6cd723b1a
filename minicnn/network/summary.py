"""A network as a table."""

from __future__ import annotations

from collections.abc import Iterator
from inspect import signature

import numpy as np

from ..common.tables import aligned
from ..layers.base import Layer
from ..layers.parameter import Shape
from .container import Container


def summary(network: Container, input_shape: Shape) -> str:
    """See `Sequential.summary`."""
    rows = [["", "layer", "by", "output", "parameters", "multiply-adds", "learned"]]
    rows += lines_of(network, input_shape)
    rows.append(["", "total", "", "", *counts(network, network.multiply_adds(input_shape))])
    if all(p.learned or p.statistic for p in network.state().values()):
        rows = [row[:-1] for row in rows]
    if not any(row[2] for row in rows[1:]):
        rows = [[*row[:2], *row[3:]] for row in rows]
    lines = [line.rstrip() for line in aligned(rows, left=rows[0].index("output") + 1)]
    rule = "-" * len(lines[0])
    return "\n".join([lines[0], rule, *lines[1:-1], rule, lines[-1]])


def lines_of(container: Container, input_shape: Shape, above: str = "") -> Iterator[list[str]]:
    """A line for every part, at any depth. above: the name of the container, with a dot."""
    computed = getattr(container, "computed", range(len(container)))
    for position, (name, layer, shape) in enumerate(container.inner(input_shape)):
        output = " x ".join(map(str, layer.output_shape(shape)))
        indent = "  " * above.count(".")
        if isinstance(layer, Container):
            yield [above + name, indent + type(layer).__name__, "", output, "", "", ""]
            yield from lines_of(layer, shape, f"{above}{name}.")
            continue
        way = layer.way(shape)
        if name.isdecimal() and position not in computed:
            way = "in the pooling"
        numbers = counts(layer, layer.multiply_adds(shape))
        yield [above + name, indent + call(layer), way, output, *numbers]


def call(layer: Layer) -> str:
    """The call that makes it, as one writes it: what has no default stands without its name."""
    text = repr(layer)
    for name, argument in signature(type(layer)).parameters.items():
        if argument.default is argument.empty:
            text = text.replace(f"{name}=", "", 1)
    return text


def counts(layer: Layer, multiply_adds: int) -> list[str]:
    """A line of the summary: numbers that are parameters, multiply-adds, and what is learned."""
    sizes = {p: int(np.prod(p.shape)) for p in layer.state().values() if not p.statistic}
    learned = sum(size for p, size in sizes.items() if p.learned)
    return [f"{n:,}" for n in (sum(sizes.values()), multiply_adds, learned)]
