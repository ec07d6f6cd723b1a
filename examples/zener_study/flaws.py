"""The report's four flaws, one at a time and all together, on the 4-layer network, one symbol
against the rest.

A flaw is a change to the training that is right: pixels 0..1, logits into the loss, weights as He
et al. draw them, and fresh ones in every fold.
"""

import numpy as np
from networks import zener4

from minicnn import Sequential, Sigmoid, fit
from minicnn.data import Dataset

from .folds import BATCH, Curves, curves, folds, loss_of, targets_of

FLAWS = {
    "none": (),
    "pixels 0..255": ("pixels",),
    "sigmoid twice": ("sigmoid",),
    "weights with deviation 1": ("deviation",),
    "weights kept between folds": ("kept",),
    "all four": ("pixels", "sigmoid", "deviation", "kept"),
}


def flawed(
    names: tuple[str, ...], make_optimizer, cards: Dataset, symbol: int, backend: str,
    epochs: int, seed: int,
) -> Curves:  # fmt: skip
    images = cards.images.astype(np.float32) if "pixels" in names else cards.images
    network, histories = zener4(outputs=1).to(backend), []
    if "sigmoid" in names:
        network = Sequential(*network.layers, Sigmoid())
    for k, (train, held_out) in enumerate(folds(images, targets_of(cards, symbol), seed)):
        if k == 0 or "kept" not in names:
            start(network, seed + k, "deviation" in names)
        history = fit(
            network, loss_of(symbol), make_optimizer(), train, held_out, epochs=epochs,
            batch_size=BATCH, seed=seed + k, progress=False,
        )  # fmt: skip
        histories.append(history)
    return curves(histories)


def start(network: Sequential, seed: int, deviation_one: bool) -> None:
    """Fresh weights, as `initialize` draws them or all with standard deviation 1."""
    network.initialize(seed)
    if deviation_one:
        rng = np.random.default_rng(seed)
        for parameter in network.parameters():
            parameter.value = rng.standard_normal(parameter.shape)
