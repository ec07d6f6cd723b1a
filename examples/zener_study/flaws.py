"""The report's four flaws, one at a time and all together, on the 4-layer network, one symbol
against the rest.

A flaw is a change to the training that is right: pixels 0..1, logits into the loss, weights as He
et al. draw them, and fresh ones in every fold.
"""

import numpy as np
from networks import zener4

from minicnn import Sequential, Sigmoid, evaluate, fit
from minicnn.data import Dataset

from .folds import BATCH, folds, loss_of, targets_of

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
) -> dict:  # fmt: skip
    """Accuracy and loss of the held-out fold, each (folds, epochs).

    Both are those of the logits, also where the network ends in a sigmoid and is trained on it.
    """
    images = cards.images.astype(np.float32) if "pixels" in names else cards.images
    logits, loss = zener4(outputs=1).to(backend), loss_of(symbol)
    network = Sequential(*logits.layers, Sigmoid()) if "sigmoid" in names else logits
    found = []
    for k, (train, held_out) in enumerate(folds(images, targets_of(cards, symbol), seed)):
        if k == 0 or "kept" not in names:
            start(logits, seed + k, "deviation" in names)
        optimizer = make_optimizer()
        for epoch in range(epochs):
            fit(network, loss, optimizer, train, batch_size=BATCH, seed=epoch, progress=False)
            found.append(evaluate(logits, loss, held_out))
    shape = -1, epochs
    return {
        "accuracy": np.reshape([f.accuracy for f in found], shape).tolist(),
        "loss": np.reshape([f.loss for f in found], shape).tolist(),
    }


def start(network: Sequential, seed: int, deviation_one: bool) -> None:
    """Fresh weights, as `initialize` draws them or all with standard deviation 1."""
    network.initialize(seed)
    if deviation_one:
        rng = np.random.default_rng(seed)
        for parameter in network.parameters():
            parameter.value = rng.standard_normal(parameter.shape)
