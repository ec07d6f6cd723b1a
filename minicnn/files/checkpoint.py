"""Checkpoints: a network, its optimiser and the progress of a training, in one file.

Everything random in a training is a function of (seed, epoch), or of a counter that is part of the
network's state, and a schedule is a function of time. So a training that is resumed goes on with
the very same bits although no generator is saved: on the same backend, and on numba with the same
number of lanes, in whose order sums are taken.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from dataclasses import field as default
from itertools import zip_longest
from math import isnan
from typing import Any, NamedTuple

from ..common.arguments import instance
from ..common.errors import ModelFileError
from ..common.paths import path_text
from ..layers.base import Layer
from ..network import Sequential, restore, snapshot
from ..optimizers import Optimizer
from .description import (
    Arrays,
    arguments_of,
    build_network,
    build_optimizer,
    describe_network,
    describe_optimizer,
    frozen_names,
    take_state,
)
from .history import COLUMNS, History
from .kinds import classes
from .model_file import field, read_model_file, shown, write_model_file

FORMAT = "minicnn model, version 1"


@dataclass
class Best:
    """The epoch (from 0) of the lowest validation loss so far, and the network's state then."""

    loss: float
    epoch: int
    state: Arrays


@dataclass
class Progress:
    """How far `fit` has come: its arguments as text, what each epoch recorded, the best epoch."""

    arguments: dict[str, str]
    history: History = default(default_factory=History)
    best: Best | None = None

    def compare(self, loss: float, network: Sequential) -> None:
        """Keep the last epoch's state if its validation loss is the lowest."""
        if not isnan(loss) and (self.best is None or loss < self.best.loss):
            self.best = Best(loss, len(self.history) - 1, snapshot(network))

    def ended(self, epochs: int, patience: int | None) -> bool:
        """Whether all epochs are done, or `patience` of them since the best one."""
        best = -1 if self.best is None else self.best.epoch  # no loss that was a number yet
        waited = len(self.history) - 1 - best
        return len(self.history) >= epochs or (patience is not None and waited >= patience)


class Checkpoint(NamedTuple):
    """What `load` finds; optimizer and progress are None when the file holds none."""

    network: Sequential
    optimizer: Optimizer | None
    progress: Progress | None


def save(
    path: str | os.PathLike[str],
    network: Sequential,
    optimizer: Optimizer | None = None,
    progress: Progress | None = None,
) -> None:
    """Write a network, and what training it further needs, to a file that `load` reads.

    The file (by custom an .npz) holds the layers' classes and arguments as JSON, and all arrays of
    their state: no code, nothing of the backend, and no initialisers. Equal states give equal
    bytes. `path` is replaced in one step: whenever the process dies, it is the old file or the new.

    Raises TypeError for a path that is no str or os.PathLike, a network that is no Sequential, an
    optimiser that is not minicnn's own, and a layer that is neither that nor registered; ValueError
    for an optimiser that trains other parameters than the network's and for more layers or bytes
    than `load` takes; OSError, naming the file, if it cannot be written or is no regular file.
    """
    if isinstance(path, Sequential):
        raise TypeError("save: the path comes first: save(path, network)")
    path = path_text(path, "path", "save")
    instance(network, Sequential, "network", "save", "a Sequential")
    with network.alone():  # as after a whole step, were another thread to train it
        header, arrays = contents(network, optimizer, progress)
        write_model_file(path, header, arrays)


def contents(
    network: Sequential, optimizer: Optimizer | None, progress: Progress | None
) -> tuple[dict[str, Any], Arrays]:
    """What `save` writes: the header, and the arrays that it names."""
    header: dict[str, Any] = {"format": FORMAT, "network": describe_network(network)}
    arrays = {f"network/{name}": value for name, value in snapshot(network).items()}
    if optimizer is not None:
        header["optimizer"] = describe_optimizer(optimizer)
        shapes = [p.shape for p in network.parameters()]
        for name, slot in optimizer.slots.items():
            if [p.shape for p in slot] != shapes:
                raise ValueError(
                    f"save: the optimizer's {name} belongs to parameters of shapes "
                    f"{[p.shape for p in slot]}, the network's are {shapes}"
                )
            arrays |= {f"optimizer/{name}/{k}": p.value for k, p in enumerate(slot)}
    if progress is not None:
        best = progress.best
        header["progress"] = {
            "arguments": progress.arguments,
            "history": progress.history.columns,
            "best": None if best is None else {"loss": best.loss, "epoch": best.epoch},
        }
        if best is not None:
            arrays |= {f"best/{name}": value for name, value in best.state.items()}
    return header, arrays


def load(path: str | os.PathLike[str], layers: Iterable[type[Layer]] = ()) -> Checkpoint:
    """Read a file that `save` or `fit` wrote; the network is on the numpy backend.

    layers: classes that the file may name besides minicnn's own and those that are registered.

    The file may come from anyone: it runs no code but the constructors of these classes, with
    arguments of its choice, and takes no more memory than a few times its size (`read_model_file`
    says how many; of your own classes those can say so that state their `array_shapes`). Raises
    ModelFileError, naming the file, what was found and what was wanted, for anything but a whole
    model file, TypeError for a path that is no str or os.PathLike or a layer that is no class of
    layers, ValueError for one that has the name of another, and OSError if the file cannot be read
    or is not a regular one.
    """
    path = path_text(path, "path", "load")
    kinds = classes(layers, "load")
    try:
        header, arrays = read_model_file(path)
        if field(header, "format", str) != FORMAT:
            raise ModelFileError(f"is a {header['format'][:40]!r}, wanted a {FORMAT!r}")
        network = build_network(field(header, "network", dict), arrays, kinds)
        optimizer, progress = None, None
        if "optimizer" in header:
            optimizer = build_optimizer(header["optimizer"], network.parameters(), arrays)
        if "progress" in header:
            progress = build_progress(header["progress"], network, arrays)
        if arrays:
            raise ModelFileError(f"has arrays that nothing needs: {shown(arrays)}")
    except ModelFileError as error:
        raise ModelFileError(f"{path}: {error}") from error.__cause__
    return Checkpoint(network, optimizer, progress)


def build_progress(described: Any, network: Sequential, arrays: Arrays) -> Progress:
    """The progress, with the best epoch's state: it is taken out of `arrays`."""
    arguments = field(described, "arguments", dict)
    for name in arguments:
        field(arguments, name, str)
    columns = field(described, "history", dict)
    if [*columns] != [*COLUMNS]:
        raise ModelFileError(f"has a history of {shown(columns)}, wanted {', '.join(COLUMNS)}")
    epochs = len(field(columns, "seconds", list))
    for name in COLUMNS:
        column = field(columns, name, list)
        if len(column) != epochs or any(type(v) not in (float, type(None)) for v in column):
            raise ModelFileError(f"has a history whose {name} is not {epochs} numbers or null")
    best = field(described, "best", dict, type(None))
    if best is not None:
        loss, epoch = field(best, "loss", float), field(best, "epoch", int)
        if not 0 <= epoch < epochs:
            raise ModelFileError(f"has epoch {epoch} as the best, wanted one of {epochs}")
        best = Best(loss, epoch, take_state(network, arrays, "best/"))
    return Progress(arguments, History(columns), best)


def load_training(
    path: str | os.PathLike[str],
    network: Sequential,
    optimizer: Optimizer,
    arguments: dict[str, str],
    epochs: int,
) -> Training:
    """The training of this network, with this optimiser and these arguments, that a file holds.

    Raises ModelFileError as `load` does and for a file that holds no training, ValueError, naming
    what differs, for the file of another one.
    """
    own = {type(layer) for layer in network.walk()}
    saved = load(path, own)
    if saved.optimizer is None or saved.progress is None:
        raise ModelFileError(f"{os.fspath(path)}: holds no training, wanted one to go on with")
    old = saved.progress.arguments
    # Older files name no more than the shape of the inputs.
    asked = {k: old[k] if v.startswith(f"{old.get(k)} of ") else v for k, v in arguments.items()}
    names = [*{**old, **asked}]  # one of them may lack some
    there = facts(saved.network, saved.optimizer, old, names)
    here = facts(network, optimizer, asked, names)
    for was, now in zip_longest(there, here, fillvalue="no further layer"):
        if was != now:
            raise ValueError(
                f"fit: {os.fspath(path)} is of another training: it has {was}, this call has "
                f"{now}; resume=False starts again"
            )
    if len(saved.progress.history) > epochs:
        raise ValueError(
            f"fit: {os.fspath(path)} is of another training: it has done "
            f"{len(saved.progress.history)} epochs, this call has epochs={epochs}"
        )
    return Training(saved.network, saved.optimizer, saved.progress)


class Training(NamedTuple):
    """What is needed to go on."""

    network: Sequential
    optimizer: Optimizer
    progress: Progress

    def put_into(self, network: Sequential, optimizer: Optimizer) -> Progress:
        """Bring network and optimiser to where the training stopped."""
        restore(network, snapshot(self.network))
        optimizer.restore(self.optimizer.steps, self.optimizer.slots)
        return self.progress


def facts(
    network: Sequential, optimizer: Optimizer, arguments: dict[str, str], names: list[str]
) -> Iterator[str]:
    """What two trainings must have in common to be one. names: of arguments, in which order."""
    for name in names:
        yield f"{name}={arguments[name]}" if name in arguments else f"no {name}"
    yield f"optimizer={type(optimizer).__name__}({arguments_of(optimizer)})"
    yield f"parameters of {network.dtype}"
    for position, layer in enumerate(network.layers):
        frozen = frozen_names(layer)
        yield f"layer {position}: {layer!r}" + (f", frozen: {', '.join(frozen)}" if frozen else "")
