"""Moments of a training, and what the network says and learns from the images in each of them."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..common.arguments import instance
from ..layers.base import Layer
from ..layers.dropout import Dropout
from ..layers.pooling import MaxPool2D
from ..losses import Loss
from ..network import Sequential, snapshot
from ..optimizers import Optimizer
from .described import KNOWN
from .encoded import encoded
from .twin import Twin


class Step(NamedTuple):
    """A network between two steps of its training; `step` makes it.

    state: copies of its arrays by name. n: how many steps were made. optimizer: what the next one
    needs to know, None where it is not shown.
    """

    state: dict[str, np.ndarray]
    n: int
    optimizer: dict[str, Any] | None = None


def step(network: Sequential, optimizer: Optimizer | None = None, n: int | None = None) -> Step:
    """The network as it is now, and what its optimiser remembers.

    To be called during a training, for instance by `fit`'s after_epoch, and passed to `write`. n:
    the number under the slider; by default the steps that the optimiser has made, or 0. Raises
    TypeError for what is no network or optimiser, ValueError for an optimiser of another network.
    """
    who = "microscope.step"
    instance(network, Sequential, "network", who, "a Sequential")
    if optimizer is None:
        return Step(snapshot(network), n or 0)
    instance(optimizer, Optimizer, "optimizer", who, "an optimizer")
    numbers = ("lr", "weight_decay", "momentum", "nesterov", "alpha", "betas", "eps")
    known = {name: getattr(optimizer, name) for name in numbers if hasattr(optimizer, name)}
    learned = {name: p for name, p in network.state().items() if p.learned}
    slots = {}
    for slot, arrays in optimizer.slots.items():
        if [a.shape for a in arrays] != [p.shape for p in learned.values()]:
            raise ValueError(f"{who}: the optimizer's {slot} is that of another network")
        slots[slot] = {name: a.value.copy() for name, a in zip(learned, arrays)}
    about = {"kind": type(optimizer).__name__, "steps": optimizer.steps, "slots": slots} | known
    return Step(snapshot(network), optimizer.steps if n is None else n, about)


@np.errstate(over="ignore")  # is refused
def rounded(moment: Step) -> Step:
    """The same with float16 in place of floats; ValueError for numbers that are too large."""
    state = {}
    for name, array in moment.state.items():
        state[name] = array.astype(np.float16) if array.dtype.kind == "f" else array
        if not np.isfinite(state[name]).all():
            raise ValueError(f"microscope.write: {name} has numbers that are no float16")
    return moment._replace(state=state)


def recorded(
    twin: Twin, loss: Loss, images: np.ndarray, target: Any, moment: Step
) -> dict[str, Any]:
    """What the page stores of a moment: arrays, what cannot be computed again to the bit, and sums
    with which it compares itself.

    The sums are those of a step of the network itself. `values` and `gradients` are of each array;
    `back` is what each node handed back; None where no gradient came. Of classes that are not the
    library's, `said` has the numbers.
    """
    value, output, slopes = twin.step(moment.state, loss, images, target)
    if not np.isfinite(value):
        raise ValueError(f"microscope.write: at step {moment.n} the loss is {value}")
    heard = twin.heard
    reference = {
        "loss": value,
        "logits": encoded(output),
        "values": [sums(images), *(sums(one["y"]) for one in heard)],
        "gradients": [sums(slopes), *(sums(one.get("dy")) for one in heard)],
        "back": [sums(one.get("dx")) for one in heard],
        "params": {
            name: sums(p.grad) for name, p in twin.network.state().items() if p.grad is not None
        },
    }
    kept = [not_computed_again(node.layer) for node in twin.nodes]
    return {
        "n": moment.n,
        "params": {name: encoded(array) for name, array in moment.state.items()},
        "kept": kept,
        "said": {
            k: encoded(one["dx"])
            for k, (node, one) in enumerate(zip(twin.nodes, heard))
            if type(node.layer) not in KNOWN and "dx" in one
        },
        "optimizer": optimizer_of(moment),
        "reference": reference,
    }


def not_computed_again(layer: Layer) -> dict[str, Any]:
    """The pooling's winners, for rounding may break a tie elsewhere; dropout's mask."""
    match layer:
        case MaxPool2D():
            few = np.uint8 if np.prod(layer.kernel_size) <= 256 else np.int32
            return {"winner": encoded(layer.winner.astype(few))}
        case Dropout() if layer.training:
            return {"mask": encoded(layer.mask != 0)}
        case _:
            return {}


def sums(array: np.ndarray | None) -> list[float] | None:
    """The sum; one with a weight for each place, which notices numbers that were exchanged; and
    that of the absolute values, which says how exact these can be. engine/check.js has the same.
    """
    if array is None:
        return None
    flat = array.ravel()
    weights = np.arange(flat.size) * 7919 % 101 / 101
    return [float(flat.sum()), float((flat * weights).sum()), float(np.abs(flat).sum())]


def optimizer_of(moment: Step) -> dict[str, Any] | None:
    if moment.optimizer is None:
        return None
    slots = {
        slot: {name: encoded(array) for name, array in arrays.items()}
        for slot, arrays in moment.optimizer["slots"].items()
    }
    return moment.optimizer | {"slots": slots}
