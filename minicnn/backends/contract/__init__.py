"""The table of contents of backprop: every operation of minicnn, its formula and its gradient.

Each backend (`numpy`, `numba`, `cuda`) has these functions under these names, in files of the same
names. A layer calls them and never learns which backend it is on. Begin with `convolution.py`.

Notation
--------
    x, w, b → y        forward: input, weight, bias, output
    dy → dx, dw, db    backward: dy is ∂L/∂y, the gradient of the loss L with respect to y
    N images, C channels in, F channels (filters) out, H × W pixels, OH × OW output pixels
    i, j output row and column · u, v a kernel's tap
    s stride · d dilation · p padding above and to the left

Rules
-----
* A **Batch** (x, y, dy, dx …) is opaque: only its backend knows how it lies in memory. It has
  `.shape`, batch first and NCHW, and `.dtype`. An **Array** (w, b, dw, db, statistics, optimiser
  slots) has the plain layout of the docstrings; `allocate` makes it, `read` and `write` reach it.
* Results live in the caller's `buffers` and stay valid until the same layer computes the same
  thing again, so a step allocates nothing. No function changes a Batch that it is given.
* Gradients of parameters are *written* to the Array that is passed (dw, db, …): they overwrite.
* Arguments are right when they get here: layers, losses and optimisers check them first.
* NaN and Inf in an input reach the output (the callers silence NumPy's warnings about them).
"""

from __future__ import annotations

from typing import Protocol

from . import (
    activation,
    arrays,
    bias,
    branches,
    convolution,
    data,
    dense,
    dropout,
    loss,
    normalization,
    pooling,
    steps,
    update,
)
from .names import Array, Batch, Data, Indices, Number, Scalar
from .steps import EpochSteps

__all__ = [
    "Array",
    "Backend",
    "Batch",
    "Data",
    "EpochSteps",
    "Indices",
    "Number",
    "Scalar",
    "operations",
]


class Backend(
    convolution.Operations,
    dense.Operations,
    bias.Operations,
    pooling.Operations,
    activation.Operations,
    normalization.Operations,
    dropout.Operations,
    branches.Operations,
    loss.Operations,
    update.Operations,
    arrays.Operations,
    data.Operations,
    steps.Operations,
    Protocol,
):
    """All of these operations."""


def operations() -> dict[str, str]:
    """Every operation, and its section: the name of the file that has it in every backend."""
    return {
        name: section.__module__.rpartition(".")[2]
        for section in Backend.__bases__
        for name in vars(section)
        if not name.startswith("_")
    }
