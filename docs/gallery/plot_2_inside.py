"""
What a layer sees
=================

A network that has learned the Zener cards for four epochs, and the filters of its first layer: each
is a small pattern, and the layer's output is large where the image has it.
"""

import numpy as np

import minicnn as nn
from minicnn import plotting
from minicnn.data import zener_cards

cards = zener_cards(1000, seed=0)
network = nn.Sequential(
    nn.Conv2D(1, 8, 5, padding="same"), nn.ReLU(), nn.MaxPool2D(2),
    nn.Conv2D(8, 16, 5, padding="same"), nn.ReLU(), nn.MaxPool2D(2),
    nn.Flatten(), nn.Dense(16 * 6 * 6, 5),
    seed=0,
).to("numba")  # fmt: skip
loss = nn.SoftmaxCrossEntropy()
nn.fit(network, loss, nn.Adam(2e-3), cards, epochs=4, batch_size=20, progress=False)
figure = plotting.filters(network[0])

# %%
# One card on its way through the network, eight channels of each layer:

star = int(np.flatnonzero(cards.labels == cards.classes.index("S"))[0])
pixels = cards.images.astype(np.float32) / 255
figure = plotting.feature_maps(network, pixels[star])

# %%
# The backward pass, carried on to the image itself: bright is where a small change of a pixel would
# change the loss most.

figure = plotting.saliency(network, loss, pixels[:8], cards.labels[:8])
