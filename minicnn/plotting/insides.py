"""Pictures of what goes on inside a network: its filters, its feature maps, what it looks at, and
what it is wrong about."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from ..common.arguments import as_array, instance, whole_number
from ..layers.convolution import Conv2D
from ..losses import Loss
from ..metrics import class_numbers
from ..network import Sequential, likeliest, probabilities
from .figures import image_grid

AT_MOST = 8  # filters, channels or maps of a layer in one row or column


def filters(layer: Conv2D) -> Figure:
    """What a convolution looks for: a row per filter, a column per channel that it sees (filters
    that see one channel share a row).

    Black is the smallest weight of all that are shown, white the largest; at most AT_MOST of each.
    """
    instance(layer, Conv2D, "layer", "filters", "a Conv2D")
    weight = layer.weight.value[:AT_MOST, :AT_MOST]
    channels = weight.shape[1]
    columns = channels if channels > 1 else AT_MOST
    return image_grid(weight.reshape(-1, *weight.shape[2:]), columns=columns)


def feature_maps(network: Sequential, image: np.ndarray) -> Figure:
    """One image on its way through the network: a row per layer that gives images.

    image: (C, H, W), float32 or float64. Each row shows at most AT_MOST channels, black at the
    row's smallest number and white at its largest. Raises ValueError for a shape that the network
    cannot take, and where no layer gives images.
    """
    rows, x = [], as_array(image, "image")[np.newaxis]
    network.output_shape(x.shape[1:])
    for layer in network.layers:
        x = layer.forward(x)
        if x.ndim == 4:
            rows.append((type(layer).__name__, x[0, :AT_MOST]))
    if not rows:
        raise ValueError("feature_maps: no layer of the network gives images (C, H, W)")
    figure = Figure(figsize=(1.1 * AT_MOST + 1, 1.15 * len(rows)), layout="constrained")
    for row, (name, maps) in enumerate(rows):
        for column, pixels in enumerate(maps):
            axes = figure.add_subplot(len(rows), AT_MOST, row * AT_MOST + column + 1)
            axes.imshow(pixels, cmap="gray", vmin=maps.min(), vmax=maps.max())
            axes.set(xticks=[], yticks=[])
            if column == 0:
                height, width = pixels.shape
                axes.set_ylabel(f"{name}\n{height} × {width}", size=7)
    return figure


def saliency(network: Sequential, loss: Loss, images: np.ndarray, target: Any) -> Figure:
    """Where a pixel would change the loss: |∂L/∂image|, below each image (Simonyan et al. 2014).

    images (N, C, H, W), float32 or float64; target as the loss takes it. Of several channels the
    largest gradient counts. Black is no change; each image has a scale of its own. Three channels
    are shown as colours, others as their mean. The parameters' `.grad` are overwritten, as by every
    backward pass.
    """
    images = as_array(images, "images")
    instance(loss, Loss, "loss", "saliency", "a loss such as SoftmaxCrossEntropy()")
    loss = loss.on(network.backend)
    loss.forward(network.forward(images), target)
    slopes = np.abs(network.backward(loss.backward())).max(axis=1, keepdims=True)
    seen = images if images.shape[1] == 3 else images.mean(axis=1, keepdims=True)
    above, below = up_to_one(seen - seen.min(axis=(1, 2, 3), keepdims=True)), up_to_one(slopes)
    rows = np.concatenate([above, np.broadcast_to(below, above.shape)])
    return image_grid(rows, columns=len(images))


def up_to_one(images: np.ndarray) -> np.ndarray:
    """Each image (C, H, W) divided by its largest number; one of zeros stays."""
    top = images.max(axis=(1, 2, 3), keepdims=True)
    return np.divide(images, top, out=np.zeros_like(images), where=top > 0)


def confident_mistakes(
    images: np.ndarray, logits: np.ndarray, labels: np.ndarray, classes: Sequence[str],
    count: int = 15,
) -> Figure:  # fmt: skip
    """The images that the network is most sure of and wrong about, most sure first.

    images (N, C, H, W); logits (N, C), or (N, 1) for the classes 0 and 1 as in `predict_classes`;
    labels int (N,); classes: their names. Above each image is what the network says and how sure it
    is (softmax), and what it is. At most `count` are shown.
    Raises ValueError when there is no mistake, and, as TypeError, for what does not fit together.
    """
    images, logits = as_array(images, "images"), as_array(logits, "logits")
    labels = class_numbers("labels", labels, len(classes))
    whole_number(count, "count", "confident_mistakes")
    if logits.ndim != 2 or max(logits.shape[1], 2) != len(classes):
        raise ValueError(
            f"logits: got shape {logits.shape}, wanted a column for each of {len(classes)} classes"
        )
    if not len(images) == len(logits) == len(labels):
        raise ValueError(
            f"confident_mistakes: got {len(images)} images, {len(logits)} rows of logits and "
            f"{len(labels)} labels, wanted as many of each"
        )
    if not np.isfinite(logits).all():
        raise ValueError("logits: got NaN or infinity, wanted finite values")
    said, sure = likeliest(logits), probabilities(logits).max(axis=1)
    wrong = np.flatnonzero(said != labels)
    if not len(wrong):
        raise ValueError("confident_mistakes: every image is classified right")
    worst = wrong[np.argsort(-sure[wrong], kind="stable")][:count]
    titles = [f"{classes[said[k]]} ({sure[k]:.0%}),\nis {classes[labels[k]]}" for k in worst]
    return image_grid(images[worst], titles, columns=5)
