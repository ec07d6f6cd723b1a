"""The backends: `get(name)` gives the module that has the operations of `contract`."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import cast

from .contract import Backend

NAMES = ("numpy", "numba", "cuda")


@cache
def get(name: str) -> Backend:
    """The backend of that name, imported when it is first asked for.

    Raises ValueError for a name that is not a backend's and RuntimeError, with what is missing,
    for one that this machine cannot run.
    """
    if name not in NAMES:
        raise ValueError(f"no backend is called {name!r}; there are {', '.join(NAMES)}")
    try:
        module = import_module(f"{__name__}.{name}")
    except ImportError as error:
        raise RuntimeError(f"the backend {name!r} cannot run here: {error}") from error
    if name == "cuda":
        module.device.require()
    return cast(Backend, module)


def available() -> list[str]:
    """Names of the backends that this machine can run, the reference first.

    A simulated GPU is not among them: it checks kernels and is slow, so it is used on request only.
    """
    names = []
    for name in NAMES:
        try:
            module = get(name)
        except RuntimeError:
            continue
        if name != "cuda" or not module.device.SIMULATED:  # type: ignore[attr-defined]
            names.append(name)
    return names


def set_threads(number: int) -> None:
    """Run the `numba` backend on so many threads; its results do not depend on how many.

    Raises ValueError below 1 and RuntimeError where numba is missing.
    """
    get("numba")
    from .numba.runtime import set_threads

    set_threads(number)
