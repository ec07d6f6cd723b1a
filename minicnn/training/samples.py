"""Samples that were checked against network and loss, and brought to the network's backend."""

from __future__ import annotations

from reprlib import repr as shortened
from typing import Any, NamedTuple

import numpy as np

from ..backends.contract import Batch, Data, Indices
from ..common.arguments import as_array
from ..common.errors import warn
from ..data.augment import Augmented
from ..data.batches import as_samples
from ..data.dataset import Dataset
from ..layers.standardize import Standardize
from ..losses import Loss, Targets
from ..network import Sequential

Samples = Dataset | tuple[Any, Any]  # a data set, or (inputs, targets)
LOOKED_AT = 1000  # samples tell what all of them look like: a file need not be read twice


class Prepared(NamedTuple):
    """A data set that was checked and brought to the network's backend."""

    data: Data | Augmented
    targets: Targets
    shape: tuple[int, ...]
    dtype: Any
    classes: tuple[str, ...] | None = None

    @property
    def size(self) -> int:
        return self.shape[0]

    def batch(self, network: Sequential, indices: Indices) -> Batch:
        """The inputs of these samples, as the network's backend takes them."""
        ops, data = network.ops, self.data
        if isinstance(data, Augmented):
            drawn = data[np.asarray(indices)]
            data, indices = ops.upload(drawn), np.arange(len(drawn))
        return ops.gather(data, indices, self.dtype, network.buffers)


def prepare(network: Sequential, loss: Loss, samples: Samples, name: str) -> Prepared:
    """Check inputs and targets against network and loss, and bring them to the backend."""
    inputs, target = inputs_and_targets(samples, name)
    inputs = as_samples(inputs, name)
    if len(inputs) == 0:
        raise ValueError(f"{name}: there are no samples")
    if not isinstance(next(iter(network.layers), None), Standardize):
        warn_of_pixels(inputs, name)
    if len(inputs) != len(target):
        raise ValueError(f"{name}: {len(inputs)} inputs but {len(target)} targets")
    output = network.batch_shape(inputs.shape)
    dtype = network.dtype or np.dtype(np.float32)
    classes = samples.classes if isinstance(samples, Dataset) else None
    targets = loss.targets(target, output)
    return Prepared(network.ops.upload(inputs), targets, inputs.shape, dtype, classes)


def inputs_and_targets(samples: Samples, name: str) -> tuple[np.ndarray, np.ndarray]:
    """As arrays; TypeError, which says `name`, for what are no samples."""
    if isinstance(samples, Dataset):
        return samples.images, samples.labels
    if not (isinstance(samples, tuple) and len(samples) == 2):
        raise TypeError(f"{name}: wanted a Dataset or (inputs, targets), got {type(samples)}")
    inputs = as_array(samples[0], f"{name}: inputs")
    targets = as_array(samples[1], f"{name}: targets")
    if 0 in (inputs.ndim, targets.ndim):
        raise TypeError(f"{name}: wanted arrays of inputs and targets, got {shortened(samples)}")
    return inputs, targets


def warn_of_pixels(inputs: np.ndarray, name: str) -> None:
    """Floats from 0 to 255 are pixels that somebody forgot to scale: uint8 would be scaled here."""
    if inputs.dtype == np.uint8 or not inputs.size:
        return
    some = inputs[:: -(-len(inputs) // LOOKED_AT)]
    low, high = some.min(), some.max()
    if low >= 0 and 127 < high <= 255:
        warn(
            f"{name}: floats from {low:g} to {high:g} look like pixels, and networks learn from "
            "numbers near 0..1: divide them by 255, or pass uint8"
        )
