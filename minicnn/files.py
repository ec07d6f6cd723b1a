"""Files that are whole or not there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import get_ident


@contextmanager
def whole_file(path: str | os.PathLike[str]) -> Iterator[Path]:
    """`with whole_file(path) as unfinished:` write to `unfinished`; then it becomes `path`.

    The unfinished file lies in the same folder (made if need be), because only within one file
    system is replacing a file a single step. If the block raises, `path` stays as it was.
    """
    path = Path(os.path.realpath(path))  # of a link, the file that it points to
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name[:100]}.{os.getpid()}.{get_ident()}.part")
    try:
        yield unfinished
        if path.exists():
            unfinished.chmod(path.stat().st_mode)
        os.replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)
