"""
A training, from cards to mistakes
==================================

The five Zener symbols, drawn with random sizes, places, slants and noise:
"""

import minicnn as nn
from minicnn import plotting
from minicnn.data import zener_cards

cards, unseen = zener_cards(1000, seed=0), zener_cards(500, seed=1)
names = [cards.classes[label] for label in cards.labels[:20]]
figure = plotting.image_grid(cards.images[:20], names, columns=10)

# %%
# A small network learns them. After each epoch it is judged on cards that it does not learn from.

network = nn.Sequential(
    nn.Conv2D(1, 16, 5, padding="same"), nn.ReLU(), nn.MaxPool2D(2),
    nn.Conv2D(16, 32, 5, padding="same"), nn.ReLU(), nn.MaxPool2D(2),
    nn.Flatten(), nn.Dense(32 * 6 * 6, 5),
    seed=0,
).to("numba")  # fmt: skip
history = nn.fit(
    network, nn.SoftmaxCrossEntropy(), nn.Adam(2e-3), cards, unseen, epochs=6, batch_size=20,
    progress=False,
)  # fmt: skip
figure = history.plot()

# %%
# Which symbols does it take for which others?

found = nn.evaluate(network, nn.SoftmaxCrossEntropy(), unseen)
print(f"{found.accuracy:.1%} of the unseen cards are right")
figure = plotting.confusion_matrix(found.confusion, unseen.classes)

# %%
# And the cards that it is most sure of, and wrong about:

pixels = unseen.images.astype("float32") / 255
logits = network.predict(pixels)
figure = plotting.confident_mistakes(pixels, logits, unseen.labels, unseen.classes, count=5)
