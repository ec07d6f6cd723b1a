"""Figures of a training run: its curves, its confusion matrix, its images; and how to save them.

Each function draws on the `figure` it is given, a Figure or one of its subfigures, or else on a new
Figure, and returns the whole Figure. None uses pyplot: there is no global state, nothing to close,
and no window opens. What colours tell is also told by line style, marker, text or lightness, so a
figure still reads when it is printed in grey.
"""

from __future__ import annotations

import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import MaxNLocator
from numpy.typing import ArrayLike

from ..common.arguments import as_array, instance, whole_number
from ..common.paths import path_text, whole_file

if TYPE_CHECKING:
    from ..training.rates import RateSweep

PANELS = {"loss": ("loss (mean per sample)", 1.0), "accuracy": ("accuracy (%)", 100.0)}
LINES: dict[str, dict[str, Any]] = {
    "train": {"color": "#08306b", "linestyle": "-", "marker": "o"},
    "validation": {"color": "#d95f02", "linestyle": "--", "marker": "s", "markerfacecolor": "w"},
}
MEDIANS = 100  # at most this many points on a line of many steps: single steps scatter
MARKERS = 12  # at most this many on a line of many epochs, so that its dashes stay visible


def training_curves(
    history_columns: Mapping[str, Sequence[float | None]],
    figure: Figure | SubFigure | None = None,
) -> Figure:
    """Loss and accuracy against the epoch, in two panels side by side.

    - history_columns: `train_loss`, `validation_loss`, `train_accuracy`, `validation_accuracy`, one
      value an epoch beginning with epoch 1; accuracies are fractions and are drawn in percent

    A line joins its finite values: None, NaN and infinity are left out. A column that is missing
    or has no finite value has no line, a panel without lines is not drawn, other columns are
    ignored.

    ValueError when nothing is left to draw.
    """
    who, wanted = "training_curves", "the columns of a history, history.columns"
    instance(history_columns, Mapping, "history_columns", who, wanted)
    columns = {
        f"{line}_{panel}": np.array(history_columns.get(f"{line}_{panel}", []), dtype=np.float64)
        for panel in PANELS
        for line in LINES
    }
    drawn = {name: values for name, values in columns.items() if np.isfinite(values).any()}
    panels = [panel for panel in PANELS if any(name.endswith(panel) for name in drawn)]
    if not panels:
        got = ", ".join(history_columns) or "no columns"
        raise ValueError(f"history_columns: got {got}; wanted a finite value in {list(columns)}")

    figure = _figure(figure, 4.2 * len(panels), 3.2)
    for position, panel in enumerate(panels, start=1):
        axes = figure.add_subplot(1, len(panels), position)
        label, scale = PANELS[panel]
        for line, style in LINES.items():
            values = drawn.get(f"{line}_{panel}")
            if values is not None:
                (index,) = np.nonzero(np.isfinite(values))
                every = math.ceil(len(index) / MARKERS)
                axes.plot(index + 1, scale * values[index], label=line, markevery=every, **style)
        axes.set(xlabel="epoch", ylabel=label)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        axes.grid(color="0.9")
        axes.legend()
    return figure.figure


def rate_sweep(sweep: RateSweep, figure: Figure | SubFigure | None = None) -> Figure:
    """The loss against the learning rate, as `find_learning_rate` found it, and its suggestion."""
    figure = _figure(figure, 5.0, 3.2)
    axes = figure.add_subplot()
    axes.plot(sweep.rates, sweep.losses, color="0.7", label="each batch")
    axes.plot(sweep.rates, sweep.smooth, color=LINES["train"]["color"], label="running mean")
    axes.axvline(sweep.suggestion, color="#d95f02", linestyle="--", label="suggestion")
    low, high = sweep.smooth.min(), sweep.smooth[0]
    axes.set(xscale="log", xlabel="learning rate", ylabel="loss (mean per sample)")
    if low < high:  # single batches, and the end of the sweep, may lie far above
        axes.set_ylim(low - 0.2 * (high - low), high + 0.5 * (high - low))
    axes.grid(color="0.9")
    axes.legend()
    return figure.figure


def confusion_matrix(
    matrix: ArrayLike, classes: Sequence[str], figure: Figure | SubFigure | None = None
) -> Figure:
    """The counts of a confusion matrix, each cell shaded by its share of the true class (its row).

    - matrix: (classes, classes), integer counts, rows true classes, columns predicted ones
    - classes: their names

    ValueError when the matrix is not (classes, classes).
    """
    counts = as_array(matrix, "matrix")
    n = len(classes)
    if n == 0 or counts.shape != (n, n):
        raise ValueError(f"matrix: got shape {counts.shape}, wanted {(n, n)} for {n} classes")
    percent = 100.0 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)

    longest = max(map(len, classes))
    wide, high = 1.8 + 0.09 * longest, 0.9 + 0.09 * longest  # inches for labels and colour bar
    figure = _figure(figure, wide + max(0.42 * n, 2.2), high + max(0.42 * n, 2.2))
    axes = figure.add_subplot()
    image = axes.imshow(percent, cmap="Greys", vmin=0.0, vmax=100.0)
    figure.colorbar(image, ax=axes, label="share of the true class (%)")
    axes.set(xlabel="predicted class", ylabel="true class")
    axes.set_xticks(range(n), classes)
    axes.set_yticks(range(n), classes)
    if longest > 2:
        axes.tick_params(axis="x", rotation=90)

    # The widest count must fit in its cell; a digit is about 0.64 of the font size wide.
    inches = min(figure.bbox.width / figure.dpi - wide, figure.bbox.height / figure.dpi - high)
    fitting = 72.0 * inches / n / (0.64 * len(str(counts.max())) + 0.4)
    size = min(max(fitting, 2.0), 9.0)  # a subfigure may leave no room at all
    for (row, column), count in np.ndenumerate(counts):
        red, green, blue, _ = image.to_rgba(percent[row, column])
        # Where white and black ink stand out equally well from a grey cell.
        ink = "white" if 0.299 * red + 0.587 * green + 0.114 * blue < 0.46 else "black"
        axes.text(column, row, str(count), color=ink, size=size, ha="center", va="center")
    return figure.figure


def gradient_norms(
    norms: Mapping[str, Sequence[float]], figure: Figure | SubFigure | None = None
) -> Figure:
    """The Euclidean norm of each layer's gradient against the training step, on a log scale.

    - norms: by layer, first layer first, one norm a step beginning with step 1

    Lines run from dark, the first layer, to light, the last, each with its own dashes. Of more than
    MEDIANS steps a line shows the medians of neighbouring ones. A norm that is zero, NaN or
    infinite has no place on a log scale and leaves a gap.

    ValueError when no layer has a norm to draw.
    """
    instance(norms, Mapping, "norms", "gradient_norms", "a dict of each layer's norms")
    series = {layer: np.array(values, dtype=np.float64) for layer, values in norms.items()}
    drawn = {layer: np.isfinite(values) & (values > 0) for layer, values in series.items()}
    if not any(mask.any() for mask in drawn.values()):
        raise ValueError("norms: wanted a finite norm above zero in at least one layer")

    figure = _figure(figure, 5.6, 3.4)
    axes = figure.add_subplot()
    for index, (layer, values) in enumerate(series.items()):
        parts = np.array_split(np.arange(len(values)), min(len(values), MEDIANS) or 1)
        axes.plot(
            [part.mean() + 1 for part in parts],
            [np.median(values[part][drawn[layer][part]].tolist() or np.nan) for part in parts],
            color=str(0.6 * index / max(len(series) - 1, 1)),
            linestyle=(0, (1 + 2 * index, index)) if index else "-",
            marker=".",  # so that a norm between two gaps is seen
            markersize=3,
            label=layer,
        )
    many = max(map(len, norms.values())) > MEDIANS
    label = "norm of the gradient" + (", medians" if many else "")
    axes.set(xlabel="training step", ylabel=label, yscale="log")
    axes.grid(color="0.9")
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return figure.figure


def image_grid(
    images: np.ndarray,
    titles: Sequence[str] | None = None,
    columns: int = 8,
    figure: Figure | SubFigure | None = None,
) -> Figure:
    """Images side by side, row by row.

    - images: (N, H, W) grey or (N, C, H, W) with C = 1 grey or C = 3 red, green, blue; integers
      0 … 255 as uint8, or floats of any range: the smallest of all is drawn black and the largest
      white, so that filters and standardised images can be looked at, and compared
    - titles: one above each image
    - columns: images in a row

    ValueError for other shapes, no image, values that are not finite, columns below 1, or
    another number of titles than of images; TypeError for other dtypes.
    """
    pixels = _pixels(as_array(images, "images"))
    count, height, width, _ = pixels.shape
    whole_number(columns, "columns", "image_grid")
    if titles is not None and len(titles) != count:
        raise ValueError(f"titles: got {len(titles)}, wanted {count}, one an image")

    columns = min(columns, count)
    rows = math.ceil(count / columns)
    cell_height = height / width + (0.0 if titles is None else 0.3)
    figure = _figure(figure, 1.1 * columns, 1.1 * rows * cell_height)
    for position in range(count):
        axes = figure.add_subplot(rows, columns, position + 1)
        axes.imshow(pixels[position], cmap="gray", vmin=0.0, vmax=1.0, interpolation="nearest")
        axes.set(xticks=[], yticks=[])
        if titles is not None:
            axes.set_title(titles[position], size=8)
    return figure.figure


def timing_bars(
    labels: Sequence[str],
    milliseconds: Sequence[float],
    limits: Sequence[float],
    figure: Figure | SubFigure | None = None,
) -> Figure:
    """A bar per part of a step, from top to bottom, with the least time that it could take marked.

    - labels, milliseconds, limits: one entry a part; a limit of 0 is none

    ValueError when their lengths differ.
    """
    if not len(labels) == len(milliseconds) == len(limits):
        raise ValueError(
            f"timing_bars: got {len(labels)} labels, {len(milliseconds)} times and {len(limits)} "
            "limits, wanted as many of each"
        )
    figure = _figure(figure, 7.0, 1.2 + 0.24 * len(labels))
    axes = figure.add_subplot()
    places = range(len(labels))
    axes.barh(places, milliseconds, color="0.75", edgecolor="black", label="measured")
    marks = [limit or math.nan for limit in limits]
    axes.plot(marks, places, "k|", markersize=12, markeredgewidth=2, label="limit (roofline)")
    axes.set_yticks(places, labels)
    axes.invert_yaxis()
    axes.set(xlabel="time in a step (ms)", ylabel="part of the step")
    axes.legend()
    return figure.figure


def save(figure: Figure, path: str | os.PathLike[str]) -> None:
    """Write a figure to `path`, in the format its suffix names, making the folder if need be.

    The file appears whole or not at all: it is written under another name in the same folder, then
    renamed over what `path` may hold.

    ValueError, naming the formats there are, for another suffix.
    """
    path = Path(path_text(path, "path", "save"))
    suffix = path.suffix[1:].lower()
    formats = figure.canvas.get_supported_filetypes()
    if suffix not in formats:
        raise ValueError(f"path: got {str(path)!r}, wanted a suffix among {sorted(formats)}")
    with whole_file(path) as unfinished:
        figure.savefig(unfinished, format=suffix, dpi=150)


def _figure(figure: Figure | SubFigure | None, width: float, height: float) -> Figure | SubFigure:
    """The figure given, or a new one of this size in inches."""
    return Figure(figsize=(width, height), layout="constrained") if figure is None else figure


def _pixels(images: np.ndarray) -> np.ndarray:
    """(N, H, W, C) between 0 and 1, as imshow wants them, from what `image_grid` takes."""
    stack = images[:, None] if images.ndim == 3 else images
    if stack.ndim != 4 or stack.shape[1] not in (1, 3) or 0 in stack.shape:
        raise ValueError(
            f"images: got shape {images.shape}, wanted (N, H, W), (N, 1, H, W) or (N, 3, H, W)"
        )
    if stack.dtype == np.uint8:
        scaled = stack / 255.0
    elif np.issubdtype(stack.dtype, np.floating):
        if not np.isfinite(stack).all():
            raise ValueError("images: got NaN or infinity, wanted finite values")
        low, high = float(stack.min()), float(stack.max())
        scaled = (stack.astype(np.float64) - low) / ((high - low) or 1.0)
    else:
        raise TypeError(f"images: got dtype {images.dtype}, wanted uint8 or a float")
    return scaled.transpose(0, 2, 3, 1)
