"""Paths that are paths, files that are regular, and files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from errno import EINVAL
from pathlib import Path
from reprlib import repr as shortened
from stat import S_ISDIR, S_ISREG
from threading import get_ident
from typing import Any


def path_text(path: Any, name: str, owner: str) -> str:
    """The path as text; TypeError, naming owner and argument, for what is none.

    `open` would take a number, True among them, for a file that the process has open already.
    """
    text = os.fspath(path) if isinstance(path, str | os.PathLike) else None
    if not isinstance(text, str):
        raise TypeError(f"{owner}: {name} must be a str or an os.PathLike, got {shortened(path)}")
    return text


def refuse_special(path: str | os.PathLike[str]) -> None:
    """OSError for a FIFO, a socket or a device: to open one may wait for ever, to replace one
    would take it from those who use it. What is not there passes, and folders have their own error.
    """
    if os.path.exists(path):
        mode = os.stat(path).st_mode
        if not (S_ISREG(mode) or S_ISDIR(mode)):
            raise OSError(EINVAL, "is a FIFO, a socket or a device, wanted a regular file", path)


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """`with whole_file(path) as unfinished:` write to `unfinished`; then it becomes `path`.

    The unfinished file lies in the same folder (made if need be), because only within one file
    system is replacing a file a single step. If the block raises, `path` stays as it was.
    """
    path = Path(os.path.realpath(path))  # of a link, the file that it points to
    refuse_special(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # File systems limit a name's bytes, not its characters, and half a character is no text.
    start = path.name.encode(errors="ignore")[:100].decode(errors="ignore")
    unfinished = path.with_name(f".{start}.{os.getpid()}.{get_ident()}.part")
    try:
        yield unfinished
        if path.exists():
            unfinished.chmod(path.stat().st_mode)
        os.replace(unfinished, path)
    except OSError as error:  # of a full disk Python does not say which file it was
        if error.errno is None or error.filename not in (None, unfinished, str(unfinished)):
            raise
        raise OSError(error.errno, error.strerror, str(path)) from error
    finally:
        unfinished.unlink(missing_ok=True)
