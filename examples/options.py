"""The flags that all examples share, and what they set."""

import argparse
import io
import sys
from pathlib import Path

from minicnn import backends, set_threads


def parser(description: str | None, epochs: int) -> argparse.ArgumentParser:
    """A parser with the shared flags; an example adds its own, if it has any."""
    if isinstance(sys.stdout, io.TextIOWrapper):  # where a terminal has no ±, tables show a ?
        sys.stdout.reconfigure(errors="replace")
    options = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--backend", choices=[*backends.NAMES, "all"], default="numpy")
    options.add_argument("--threads", type=int, help="threads of numba and of NumPy's BLAS")
    options.add_argument("--epochs", type=int, default=epochs)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--data", type=Path, help="folder with the data files")
    options.add_argument("--out", type=Path, default=Path("results"), help="folder for results")
    options.add_argument("--quick", action="store_true", help="less of all: under a minute")
    return options


def chosen_backends(options: argparse.Namespace) -> list[str]:
    """The backends to run: the one that was asked for, or all that this machine can run.

    Ends the program with the reason for the one that was asked for and cannot run.
    """
    names = backends.available() if options.backend == "all" else [options.backend]
    try:
        for name in names:
            backends.get(name)
    except RuntimeError as error:
        sys.exit(str(error))
    if options.threads is not None and "numba" in names:
        set_threads(options.threads)
    return names
