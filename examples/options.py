"""The flags that examples share, and what they set."""

import argparse
import io
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any

from threadpoolctl import threadpool_limits

from minicnn import backends, set_threads


def at_least(lowest: int) -> Callable[[str], int]:
    """The type of a flag that is a whole number, the lowest or above."""

    def whole_number(text: str) -> int:
        if not text.isdecimal() or int(text) < lowest:
            raise argparse.ArgumentTypeError(f"got {text}, wanted a whole number, {lowest} or more")
        return int(text)

    return whole_number


def writable(text: str) -> Path:
    """The type of a flag that is a folder to write to: made and tried now, as results that have
    nowhere to go are lost.
    """
    folder = Path(text)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        TemporaryFile(dir=folder).close()
    except OSError as error:
        wanted = f"wanted a folder that can be written to ({error.strerror})"
        raise argparse.ArgumentTypeError(f"got {folder}, {wanted}") from error
    return folder


FLAGS: dict[str, dict[str, Any]] = {
    "backend": {"default": "numpy"},
    "threads": {"type": at_least(1), "help": "threads of numba and of NumPy's BLAS"},
    "epochs": {"type": at_least(1)},
    "seed": {"type": at_least(0), "default": 0},
    "data": {"type": Path, "help": "folder with the data files"},
    # Text, for argparse gives a default to the type where it is text.
    "out": {"type": writable, "default": "results", "help": "folder for results"},
    "quick": {"action": "store_true", "help": "less of all: under a minute"},
}


def parser(
    description: str | None, flags: str = " ".join(FLAGS), **defaults: Any
) -> argparse.ArgumentParser:
    """A parser with those of the shared flags that the example reads; it adds its own, if any.

    defaults: of flags, and of what a helper reads and has no flag here. An example that can run
    "all" backends begins with them; the others take one.
    """
    if isinstance(sys.stdout, io.TextIOWrapper):  # where a terminal has no ±, tables show a ?
        sys.stdout.reconfigure(errors="replace")
    options = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [*backends.NAMES, *(["all"] if defaults.get("backend") == "all" else [])]
    for flag in flags.split():
        choices = {"choices": names} if flag == "backend" else {}
        options.add_argument(f"--{flag}", **FLAGS[flag], **choices)
    options.set_defaults(**defaults)
    return options


def chosen_backends(options: argparse.Namespace) -> list[str]:
    """The backends to run, on so many threads: the one asked for, or all that this machine can run.

    Ends the program with the reason for the one that was asked for and cannot run.
    """
    names = backends.available() if options.backend == "all" else [options.backend]
    try:
        for name in names:
            backends.get(name)
    except RuntimeError as error:
        sys.exit(str(error))
    threadpool_limits(options.threads, user_api="blas")
    if options.threads is not None and "numba" in names:
        set_threads(options.threads)
    return names
