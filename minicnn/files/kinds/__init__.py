"""What files and other libraries know of each kind of layer: one statement a kind, in files that
are called like those of the layers.
"""

from . import (  # noqa: F401
    activation,
    branches,
    convolution,
    dense,
    dropout,
    normalization,
    pooling,
    standardize,
)
from .kind import (
    KINDS,
    Kind,
    Twin,
    argument_names,
    classes,
    default_arguments,
    kind_of,
    operator,
    register,
)

__all__ = [
    "KINDS",
    "Kind",
    "Twin",
    "argument_names",
    "classes",
    "default_arguments",
    "kind_of",
    "operator",
    "register",
]
