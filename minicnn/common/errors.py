"""The errors that are minicnn's own; everything else raises Python's ValueError, TypeError, …"""

import sys
import warnings


class DataFileError(ValueError):
    """A data file is not what it claims to be: the message names the file, found and wanted."""


class ModelFileError(ValueError):
    """A model file is not what it claims to be: the message names the file, found and wanted."""


def warn(message: str) -> None:
    """A UserWarning about the line that called minicnn, from however deep inside."""
    # np.errstate, as a decorator, calls through NumPy's code, or through contextlib's in NumPy 1.
    inside, depth = ("minicnn", "numpy", "contextlib"), 1
    while sys._getframe(depth).f_globals.get("__name__", "").split(".")[0] in inside:
        depth += 1
    warnings.warn(message, stacklevel=depth + 1)
