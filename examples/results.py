"""What every study does with its figures: say which machine they are of, write them down, draw
them, and print them as a table that a page of the book can show as it stands.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

import minicnn
from minicnn.common.paths import whole_file

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PACKAGES = "numpy", "numba", "numba-cuda", "torch", "tensorflow", "tensorflow-cpu", "keras", "jax"


def machine() -> dict:
    cpu = platform.processor()
    known_to_linux = Path("/proc/cpuinfo")
    if known_to_linux.exists():
        text = known_to_linux.read_text(encoding="utf-8")
        lines = (line.split(":") for line in text.splitlines())
        facts = {name.strip(): value[0].strip() for name, *value in lines if value}
        # Clouds hide a processor's name, but not its family.
        known = [f"{name} {facts[name]}" for name in ("cpu family", "model") if name in facts]
        cpu = facts.get("model name", cpu) + (f" ({', '.join(known)})" if known else "")
    packages = {"minicnn": minicnn.__version__}
    for name in PACKAGES:
        try:
            packages[name] = version(name)
        except PackageNotFoundError:
            continue
    return {
        "cpu": cpu,
        "cores": len(os.sched_getaffinity(0)),
        "python": platform.python_version(),
        "packages": packages,
        "date": time.strftime("%Y-%m-%d"),
    }


def save(path: Path, found: dict) -> None:
    """The figures as JSON, the machine first; `path` has the old ones or all of the new."""
    with whole_file(path) as unfinished:
        text = json.dumps({"machine": machine(), **found}, indent=1) + "\n"
        unfinished.write_text(text, encoding="utf-8")


def keep(options: argparse.Namespace, name: str, found: dict, figure: Figure | None) -> Path:
    """Writes NAME.json, and NAME.png where there is a figure; those of --quick say that they are.

    Returns the path of the JSON.
    """
    from minicnn import plotting  # matplotlib takes a second to import

    path = (options.out / f"{name}.json").resolve()
    save(path, {"quick": True, **found} if options.quick else found)
    if figure is not None:
        if options.quick:
            figure.suptitle("--quick: less of all than in the study", fontsize=8)
        plotting.save(figure, path.with_suffix(".png"))
    return path


def load(path: Path) -> dict:
    """What `save` wrote; JSON's names are text, so numbers among them become numbers again."""
    return json.loads(
        path.read_text(encoding="utf-8"),
        object_hook=lambda pairs: {int(k) if k.isdigit() else k: v for k, v in pairs.items()},
    )


def measured(found: dict) -> str:
    """A sentence: when, and on what."""
    machine = found["machine"]
    names = [f"{name} {version}" for name, version in machine["packages"].items()]
    return (f"Measured on {machine['date']}: {machine['cpu']}, {machine['cores']} cores, "
            f"Python {machine['python']}, {', '.join(names)}.")  # fmt: skip


def plain_ticks(axis) -> None:
    """Marks a logarithmic axis at 1, 2, 5, 10, 20 …, and writes them as just that."""
    from matplotlib.ticker import LogLocator, NullLocator

    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_major_formatter("{x:g}")
    axis.set_minor_locator(NullLocator())


def counted(count: int, thing: str) -> str:
    """1 thread, 2 threads."""
    return f"{count} {thing}{'s' * (count != 1)}"


def table(head: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown, columns aligned: names to the left, figures to the right."""
    widths = [max(map(len, column)) for column in zip(head, *rows)]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    lines = [
        " | ".join([row[0].ljust(widths[0]), *(c.rjust(w) for c, w in zip(row[1:], widths[1:]))])
        for row in (head, rule, *rows)
    ]
    return "\n".join(f"| {line} |" for line in lines)
