"""
Learning rates over time
========================

A schedule says by what factor the optimiser's learning rate is multiplied at a moment of the
training; an epoch may be a fraction.
"""

import numpy as np
from matplotlib.figure import Figure

import minicnn as nn
from minicnn.data import zener_cards
from minicnn.schedules import Cosine, OneCycle, StepDecay, WarmUp

schedules = {
    "constant": None,
    "StepDecay(4)": StepDecay(4),
    "Cosine(8)": Cosine(8),
    "WarmUp(2, Cosine(6))": WarmUp(2, Cosine(6)),
    "OneCycle(8)": OneCycle(8),
}
lines = ("-", "--", ":", "-.", (0, (5, 1, 1, 1, 1, 1)))
figure = Figure(figsize=(7, 3.5), layout="constrained")
axes, epochs = figure.add_subplot(), np.linspace(0, 8, 400)
for line, (name, schedule) in zip(lines, schedules.items()):
    factors = [1.0 if schedule is None else schedule(epoch) for epoch in epochs]
    axes.plot(epochs, factors, linestyle=line, color="black", label=name)
axes.set(xlabel="epoch", ylabel="factor of the learning rate")
axes.legend()

# %%
# What they do to a training: the same network, the same peak rate, the same order of the cards.

cards, unseen = zener_cards(500, seed=0), zener_cards(500, seed=1)
figure = Figure(figsize=(7, 3.5), layout="constrained")
axes = figure.add_subplot()
for line, (name, schedule) in zip(lines, schedules.items()):
    network = nn.Sequential(
        nn.Conv2D(1, 8, 5, padding="same"), nn.ReLU(), nn.MaxPool2D(2),
        nn.Conv2D(8, 16, 5, padding="same"), nn.ReLU(), nn.MaxPool2D(2),
        nn.Flatten(), nn.Dense(16 * 6 * 6, 5),
        seed=0,
    ).to("numba")  # fmt: skip
    history = nn.fit(
        network, nn.SoftmaxCrossEntropy(), nn.SGD(0.1, momentum=0.9), cards, unseen, epochs=8,
        batch_size=20, schedule=schedule, progress=False,
    )  # fmt: skip
    axes.plot(np.arange(1, 9), history["validation_loss"], linestyle=line, color="black",
              marker="o", markersize=3, label=name)  # fmt: skip
axes.set(xlabel="epoch", ylabel="loss on unseen cards", yscale="log")
axes.legend()

# %%
# One training each, so the order of the curves is this seed's. What is not: while the rate is large
# the loss jumps about, and where the rate comes down to almost nothing it settles.
