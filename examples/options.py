"""The flags that all examples share."""

import argparse
from pathlib import Path

from minicnn import backends


def parser(description: str | None, epochs: int) -> argparse.ArgumentParser:
    """A parser with the shared flags; an example adds its own, if it has any."""
    options = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    options.add_argument("--backend", choices=backends.available(), default="numpy")
    options.add_argument("--epochs", type=int, default=epochs)
    options.add_argument("--seed", type=int, default=0)
    options.add_argument("--data", type=Path, help="folder with the data files")
    options.add_argument("--out", type=Path, default=Path("results"), help="folder for results")
    options.add_argument("--quick", action="store_true", help="less data: under a minute")
    return options
