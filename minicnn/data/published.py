"""Data sets that are published as files: found on disk, or else downloaded once into the user's
cache, where only what has the published SHA-256 is kept.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from pathlib import Path

from ..common.paths import path_text


@dataclass(frozen=True)
class Source:
    """A published set: its files lie in one folder, each as it was published or without `suffix`.

    twin: the folder of another set, whose files have the same names.
    """

    title: str
    folder: str
    files: tuple[str, ...]
    mirrors: tuple[str, ...]
    sha256: tuple[str, ...]  # of the files as published, in their order
    suffix: str = ""
    twin: str = ""

    @property
    def published(self) -> tuple[str, ...]:
        return tuple(f"{name}{self.suffix}" for name in self.files)


def locate(source: Source, directory: str | os.PathLike[str] | None) -> list[Path]:
    """The paths of the files: in `directory`; or, where it is None, in the folder that MINICNN_DATA
    names, in the cache, or downloaded into it.

    FileNotFoundError when `directory` is given and lacks a file; OSError when a file cannot be
    downloaded. Both say which files are wanted, the latter also from where.
    """
    if directory is not None:
        found = _find(source, Path(path_text(directory, "directory", source.title)))
        if not found:
            either = f", each with or without {source.suffix}" if source.suffix else ""
            raise FileNotFoundError(
                f"{source.title}: not all files are in {directory} or in its subfolder "
                f"{source.folder}; wanted {', '.join(source.files)}{either}"
            )
        return found
    variable = os.environ.get("MINICNN_DATA")
    found = _find(source, Path(variable)) if variable else []
    return found or _from_cache(source)


def folder_on_disk(source: Source) -> Path | None:
    """Where the files are found without a download: under MINICNN_DATA or in the user's cache."""
    import pooch  # only here: most programs find their data on disk and start faster without it

    variable = os.environ.get("MINICNN_DATA")
    for root in ([Path(variable)] if variable else []) + [Path(pooch.os_cache("minicnn"))]:
        found = _find(source, root)
        if found:
            return found[0].parent
    return None


def _find(source: Source, root: Path) -> list[Path]:
    """The paths of the files, or an empty list unless one folder has them all."""
    folders = [root / source.folder]
    if root.name != source.twin:
        folders.append(root)  # digits must not pass for clothes
    for folder in folders:
        pairs = [(folder / name, folder / f"{name}{source.suffix}") for name in source.files]
        paths = [next(filter(Path.is_file, pair), None) for pair in pairs]
        found = [path for path in paths if path]
        if len(found) == len(source.files):
            return found
    return []


def _from_cache(source: Source) -> list[Path]:
    """The files in the user's cache: also in one that can only be read, if all are there."""
    import pooch  # only here: who has the data on disk need not wait for it

    cache = Path(pooch.os_cache("minicnn"))
    if found := _find(source, cache):
        return found
    pooch.get_logger().setLevel("WARNING")  # by default it announces every file
    pairs = zip(source.published, source.sha256, strict=True)
    return [_download(source, name, sha256, cache / source.folder) for name, sha256 in pairs]


def _download(source: Source, name: str, sha256: str, folder: Path) -> Path:
    """The file, from the first mirror that sends what was published."""
    import pooch

    failures = []
    for mirror in source.mirrors:
        url = f"{mirror}{name}"
        try:
            # pooch writes to a temporary file beside the final one and moves it there only when its
            # hash is right; a file that is already there and right is not fetched again.
            path = pooch.retrieve(
                url,
                known_hash=f"sha256:{sha256}",
                fname=name,
                path=folder,
                progressbar=sys.stderr.isatty(),
            )
        except (OSError, ValueError) as error:  # ValueError: the hash is wrong
            failures.append(f"  {url}: {error}")
        else:
            return Path(path)
    message = [f"{source.title}: could not download {name} to {folder}:", *failures]
    message.append(
        "The environment variable MINICNN_DATA may point to a folder that holds the files"
        f"{', packed or not' if source.suffix else ''}. They are published as:"
    )
    message += [f"  {mirror}{file}" for file in source.published for mirror in source.mirrors]
    raise OSError("\n".join(message))
