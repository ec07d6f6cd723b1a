"""The file: one page, with its style, its program and its data inside."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from tqdm import tqdm

from ..common.arguments import as_array, instance
from ..common.paths import path_text, whole_file
from ..data.batches import as_samples
from ..losses import Loss, MeanSquaredError, SigmoidCrossEntropy, SoftmaxCrossEntropy
from ..network import Sequential
from .described import described, refuse_slow
from .encoded import encoded
from .measured import wired
from .recorded import Step, recorded, rounded, step
from .twin import Twin

VERSION = 2  # of the data's layout
MOST_IMAGES = 16
MOST_BYTES = 1_500_000
LOSSES = SoftmaxCrossEntropy, SigmoidCrossEntropy, MeanSquaredError

# In the order in which they stand in the page: first what computes, then what shows it.
ENGINE = (
    "engine/arrays.js",
    "layers/kinds.js",
    "layers/windows.js",
    "layers/convolution.js",
    "layers/dense.js",
    "layers/activation.js",
    "layers/pooling.js",
    "layers/normalization.js",
    "layers/dropout.js",
    "layers/branches.js",
    "layers/measured.js",
    "engine/losses.js",
    "engine/optimizers.js",
    "engine/mistakes.js",
    "engine/engine.js",
    "engine/check.js",
    "engine/formulas.js",
    "engine/reading.js",
    "engine/affects.js",
    "engine/nudge.js",
    "engine/cones.js",
)
PAGE = (
    "page/numbers.js",
    "page/state.js",
    "page/grid.js",
    "page/thumbnails.js",
    "page/formula.js",
    "page/curves.js",
    "page/nudging.js",
    "page/timeline.js",
    "page/keyboard.js",
    "page/main.js",
)


def write(
    path: str | os.PathLike[str],
    network: Sequential,
    loss: Loss,
    images: Any,
    labels: Any,
    steps: Sequence[Step] | None = None,
    classes: Sequence[str] | None = None,
    half: bool = False,
) -> None:
    """One HTML file that shows every number of a training step: who made it, and whom it affects.

    network: a Sequential, with branches or without, of layers that the page knows
    (`described.KNOWN`), or whose slopes it can measure (`measured.py`). loss: one of the library's
    three. images (N, …): at most 16, uint8 pixels or floats, the batch of the step;
    labels: their targets, as the loss takes them. steps: moments of a training, made by
    `microscope.step`; by default the network as it is now. classes: names of the outputs. half:
    round the weights to float16, three digits, so that twice as many fit; the page says so.

    The page opens from disk and asks nobody: it holds the weights and computes everything else
    anew, in float64, in training mode. It says whether it found the sums that minicnn found, and
    what is the first that differs. The network is left as it was. The file is written whole or not
    at all; in a terminal a bar says how far it is.

    Raises TypeError for a container with a forward of its own, and for what is no network, loss or
    step; ValueError for more than 16 images or none, for steps of another network, for more
    multiply-adds than a browser does in an instant, for a layer that cannot be measured, for
    weights too large for float16, and for a file above 1.5 MB.
    """
    path = path_text(path, "path", "microscope.write")
    data = collected(network, loss, images, labels, steps, classes, half)
    text = assembled(data)
    size = len(text.encode())
    if size > MOST_BYTES:
        count = len(data["steps"])
        each = len(json.dumps(data["steps"][0]))
        raise ValueError(
            f"microscope.write: the file would have {size:,} bytes, {count} × {each:,} of them for "
            f"the steps, and may have {MOST_BYTES:,}: pass fewer steps, steps without their "
            "optimizer, half=True, or a smaller network"
        )
    with whole_file(path) as unfinished:
        unfinished.write_text(text, encoding="utf-8")


def collected(
    network: Sequential,
    loss: Loss,
    images: Any,
    labels: Any,
    steps: Sequence[Step] | None = None,
    classes: Sequence[str] | None = None,
    half: bool = False,
) -> dict[str, Any]:
    """The page's data, as JSON can hold it; checked."""
    who = "microscope.write"
    instance(network, Sequential, "network", who, "a Sequential")
    instance(loss, Loss, "loss", who, "a loss such as SoftmaxCrossEntropy()")
    if type(loss) not in LOSSES:
        known = ", ".join(kind.__name__ for kind in LOSSES)
        raise TypeError(f"{who}: the page knows the losses {known}, not {type(loss).__name__}")
    images = as_samples(images, f"{who}: images")
    if not 1 <= len(images) <= MOST_IMAGES:
        raise ValueError(f"{who}: wanted 1 to {MOST_IMAGES} images, got {len(images)}")
    output = network.batch_shape(images.shape)
    refuse_slow(network, images.shape[1:])
    moments = [step(network)] if steps is None else list(steps)
    check_steps(moments, network)
    if half:
        moments = [rounded(moment) for moment in moments]
    if classes is not None and len(classes) != output[1]:
        raise ValueError(f"{who}: {len(classes)} classes for {output[1]} outputs")
    refuse_large(network, moments)

    own, twin = loss.on("numpy"), Twin(network, images.shape[1:])
    pixels = images / 255 if images.dtype == np.uint8 else images.astype(np.float64)
    targets = own.targets(labels, output)
    rows = as_array(targets.data, "targets")[as_array(targets.rows, "rows")]
    rows = rows / 255 if rows.dtype == np.uint8 else rows.astype(np.float64)
    right = None if targets.labels is None else targets.labels.tolist()
    soft = isinstance(loss, SoftmaxCrossEntropy)
    divisor = own.divisor(targets, np.arange(len(images))) if soft else rows.size
    steps_of, slopes_of = [], []
    for moment in tqdm(moments, "microscope", unit=" steps", delay=2, leave=False, disable=None):
        steps_of.append(recorded(twin, own, pixels, labels, moment))
        slopes_of.append(twin.measured(moment.state))
    layers = described(twin.nodes)
    for k in slopes_of[0]:
        layers[k]["ends"], kept = wired([found[k] for found in slopes_of])
        for one, arrays in zip(steps_of, kept):
            one["kept"][k] = arrays
    return {
        "version": VERSION,
        "half": half,
        "layers": layers,
        "classes": None if classes is None else list(map(str, classes)),
        "loss": {"kind": type(loss).__name__, "text": repr(loss), "divisor": divisor or 1.0,
                 "target": encoded(rows)},
        "images": encoded(images),
        "labels": right,
        "steps": steps_of,
    }  # fmt: skip


def check_steps(moments: list[Step], network: Sequential) -> None:
    """TypeError or ValueError for what is no step of this network."""
    if not moments:
        raise ValueError("microscope.write: wanted at least one step, got none")
    wanted = {name: p.shape for name, p in network.state().items()}
    for position, moment in enumerate(moments):
        instance(moment, Step, f"step {position}", "microscope.write", "a microscope.step(…)")
        if {name: array.shape for name, array in moment.state.items()} != wanted:
            raise ValueError(f"microscope.write: step {position} is one of another network")


def refuse_large(network: Sequential, moments: list[Step]) -> None:
    """ValueError for weights that alone are too many, before any of them is turned into text."""
    arrays = [array for moment in moments for array in moment.state.values()]
    size = sum(array.nbytes for array in arrays) * 4 // 3
    if size > MOST_BYTES:
        numbers = sum(p.value.size for p in network.state().values())
        raise ValueError(
            f"microscope.write: {len(moments)} × {numbers:,} numbers are {size:,} bytes, "
            f"and a file may have {MOST_BYTES:,}: pass fewer steps, half=True, or a "
            "smaller network"
        )


def assembled(data: dict[str, Any]) -> str:
    """The page with its style, its program and its data."""
    written = json.dumps(data, allow_nan=False, separators=(",", ":")).replace("</", "<\\/")
    page = source("page/page.html")
    for mark, text in (
        ("/* style */", source("page/style.css")),
        ("/* program */", program(ENGINE + PAGE)),
        ("/* data */", written),
    ):
        before, after = page.split(mark)
        page = before + text + after
    return page


def program(names: Sequence[str]) -> str:
    """These files one after the other, as one script."""
    return '"use strict";\n' + "\n".join(source(name) for name in names)


def source(name: str) -> str:
    return (Path(__file__).parent / name).read_text(encoding="utf-8")
