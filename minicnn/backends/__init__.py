"""The backends: `get(name)` has the operations of `contract`, each from the file of its section."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from types import SimpleNamespace
from typing import cast

from .contract import Backend, operations

NAMES = ("numpy", "numba", "cuda")


@cache
def get(name: str) -> Backend:
    """The backend of that name, imported when it is first asked for.

    Raises ValueError for a name that is not a backend's and RuntimeError, with what is missing,
    for one that this machine cannot run.
    """
    if name not in NAMES:
        raise ValueError(f"no backend is called {name!r}; there are {', '.join(NAMES)}")
    found = SimpleNamespace()
    try:
        if name == "cuda":
            from .cuda.device import require

            require()
        for operation, section in operations().items():
            module = import_module(f"{__name__}.{name}.{section}")
            setattr(found, operation, getattr(module, operation))
    except ImportError as error:
        raise RuntimeError(f"the backend {name!r} cannot run here: {error}") from error
    return cast(Backend, found)


def leave(part: object, backend: str) -> None:
    """Drop what a layer or a loss keeps on a backend of the last batch: elsewhere it is of no use,
    and a machine without a GPU could not even unpickle it.
    """
    for name, value in [*vars(part).items()]:
        if type(value).__module__.startswith(f"{__name__}.{backend}."):
            delattr(part, name)


def available() -> list[str]:
    """Names of the backends that this machine can run, the reference first.

    A simulated GPU is not among them: it checks kernels and is slow, so it is used on request only.
    """
    return [name for name in NAMES if runs(name)]


def runs(name: str) -> bool:
    try:
        get(name)
    except RuntimeError:
        return False
    if name == "cuda":
        from .cuda.device import SIMULATED

        return not SIMULATED
    return True


def set_threads(number: int) -> None:
    """Run the `numba` backend on so many threads; its results do not depend on how many.

    Raises ValueError below 1, TypeError for what is no whole number, and RuntimeError where numba
    is missing.
    """
    get("numba")
    from .numba.runtime import set_threads

    set_threads(number)
