"""History: what happened in each epoch of a training."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ..common.paths import path_text, whole_file
from ..common.tables import aligned

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COLUMNS = {  # and how a table shows their numbers
    "train_loss": ".4f",
    "train_accuracy": ".2%",
    "validation_loss": ".4f",
    "validation_accuracy": ".2%",
    "learning_rate": ".3g",
    "seconds": ".1f",
}
SHOWN = 10  # of many epochs, the table has as many first and last ones


@dataclass(repr=False)
class History:
    """One list per column, one entry per epoch; None where there is nothing to record.

    train_loss, validation_loss: means over the samples. train_accuracy, validation_accuracy:
    shares 0..1. learning_rate: at the epoch's last step. seconds: training and validation.
    """

    columns: dict[str, list[float | None]] = field(
        default_factory=lambda: {name: [] for name in COLUMNS}
    )

    def append(self, **epoch: float | None) -> None:
        for name in COLUMNS:
            value = epoch[name]
            self.columns[name].append(None if value is None else float(value))

    def __len__(self) -> int:
        return len(self.columns["seconds"])

    def __getitem__(self, name: str) -> list[float | None]:
        return self.columns[name]

    def __repr__(self) -> str:
        """A table with a line for each epoch; of more than 20, the first and the last ten."""
        columns = [["epoch", *map(str, range(1, len(self) + 1))]]
        for name, form in COLUMNS.items():
            if any(value is not None for value in self[name]):
                shown = ["" if value is None else format(value, form) for value in self[name]]
                columns.append([name.replace("_", " "), *shown])
        lines = aligned([*zip(*columns)], left=0)
        if len(self) > 2 * SHOWN:
            lines[1 + SHOWN : -SHOWN] = [f"... {len(self) - 2 * SHOWN} more ..."]
        return "\n".join(lines)

    def plot(self) -> Figure:
        """Loss and accuracy against epochs, as a matplotlib figure."""
        from ..plotting import training_curves  # matplotlib takes a second to import

        return training_curves(self.columns)

    def save(self, path: str | Path) -> None:
        """Write the columns as JSON. The file is whole or not there: it is replaced at once."""
        with whole_file(path_text(path, "path", "History.save")) as unfinished:
            unfinished.write_text(json.dumps(self.columns, indent=1) + "\n", encoding="utf-8")
