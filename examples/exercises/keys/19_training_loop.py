import numpy as np
from grading.blank import WrongError
from threadpoolctl import threadpool_limits

from minicnn import (
    Adam,
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    evaluate,
)
from minicnn.data import ZenerStyle, zener_cards

TITLE, MINUTES = "the training loop", 30
PAGE = "one-step.md", "The update"
PREDICTION = "c"
BECAUSE = "labels that belong to other images teach nothing, so it guesses"
HINTS = (
    "Which order must images and labels share? And who hands whose gradient to whom?",
    "an epoch: order = rng.permutation(N); for each batch of it: forward, loss, backward, step",
    "network.backward",
)
LIBRARY = "minicnn/training/step.py", "forward_and_backward"
BLANK, GIVES = "train", ("losses",)
ENOUGH = 0.95
BATCH = 20
GRADIENT, PARAMETERS = "the gradient of the loss", ["a parameter"]


def train(network, loss, optimizer, images, labels, epochs, batch_size, rng):
    losses = []
    for _ in range(epochs):
        order, seen = rng.permutation(len(images)), []
        for start in range(0, len(order), batch_size):
            batch = order[start : start + batch_size]
            predictions = network.forward(images[batch], training=True)
            seen.append(loss.forward(predictions, labels[batch]))
            network.backward(loss.backward())
            optimizer.step(network.parameters())
        losses.append(sum(seen) / len(seen))
    return losses


class Witness:
    """Stands in for a network, its loss and its optimizer, and notes who was called with what."""

    def __init__(self):
        self.calls, self.batches, self.answers, self.modes, self.given = "", [], [], [], []

    def forward(self, x, training_or_labels=False, *, training=False):
        if np.ndim(x) == 4:
            self.calls += "f"
            self.batches.append([int(value) for value in x[:, 0, 0, 0]])
            self.modes.append(training or training_or_labels)
            return np.array([[value] for value in self.batches[-1]], float)
        self.calls += "l"
        self.answers.append([int(label) for label in training_or_labels])
        return float(len(self.answers))

    __call__ = forward

    def backward(self, dy=None):
        self.calls += "g" if dy is None else "b"
        self.given.append(dy)
        return GRADIENT

    def parameters(self):
        return PARAMETERS

    def step(self, parameters):
        self.calls += "s"
        self.given.append(parameters)


def extras(function):
    watch(function)
    learn(function)


def watch(function):
    """What is done, with what, in which order: ten images in three epochs of batches of four."""
    witness, images = Witness(), np.zeros((10, 1, 2, 2), np.float32)
    images[:, 0, 0, 0] = np.arange(10)
    labels, rng, unused = 100 + np.arange(10), np.random.default_rng(19), np.random.default_rng(19)
    given = images.copy(), labels.copy()
    losses = function(witness, witness, witness, *given, 3, 4, rng)
    calls, batches = witness.calls, witness.batches
    demand(calls, "Nothing is called.")
    demand(
        calls == "flgbs" * (len(calls) // 5),
        f"The first calls are {in_words(calls[:5])}.", f"Wanted, for a batch: {in_words('flgbs')}.",
    )  # fmt: skip
    sizes = [len(batch) for batch in batches]
    demand(
        sizes == [4, 4, 2] * 3,
        f"10 images, 3 epochs, batches of 4: yours have {sizes},", f"wanted {[4, 4, 2] * 3}.",
    )  # fmt: skip
    demand(all(witness.modes), "The network is not told that it trains: forward(x, training=True).")
    orders = [batches[k] + batches[k + 1] + batches[k + 2] for k in (0, 3, 6)]
    demand(
        all(sorted(order) == list(range(10)) for order in orders),
        f"An epoch must show every image once; the first shows images {sorted(orders[0])}.",
    )
    labelled = [[label - 100 for label in answers] for answers in witness.answers]
    demand(
        labelled == batches,
        f"Images {batches[0]} come with the labels of images {labelled[0]}:",
        "labels must follow their images.",
    )
    demand(
        orders[0] != sorted(orders[0]) and orders[0] != orders[1],
        "The order is the same in every epoch: draw a new one each time, rng.permutation(N).",
    )
    demand(
        rng.bit_generator.state != unused.bit_generator.state,
        "The order is not drawn by the rng that is given: rng.permutation(N).",
    )
    for name, before, after in zip(("images", "labels"), (images, labels), given):
        demand(
            np.array_equal(before, after),
            f"{name} is changed: others still need it as it was. Work on a copy.",
        )
    wanted = [None, GRADIENT, PARAMETERS] * 9
    demand(
        all(type(ours) is type(due) and ours == due for ours, due in zip(witness.given, wanted)),
        "network.backward takes what loss.backward() returns, optimizer.step what "
        "network.parameters() does.",
    )
    demand(
        np.shape(losses) == (3,)
        # The mean over batches, or over images, as the library's fit has it.
        and any(np.allclose(losses, means) for means in ([2, 5, 8], [1.8, 4.8, 7.8])),
        f"Of the losses 1 to 9, three an epoch, the means are [2, 5, 8]; yours {losses}.",
    )


def demand(right, *lines):
    if not right:
        raise WrongError("the loop", *lines)


def in_words(calls):
    names = {"f": "network.forward", "l": "loss.forward", "g": "loss.backward",
             "b": "network.backward", "s": "optimizer.step"}  # fmt: skip
    return ", ".join(names[call] for call in calls)


def learn(function):
    style = ZenerStyle(orientation=10, stray_marks=1)
    cards, unseen = zener_cards(800, seed=0, style=style), zener_cards(400, seed=1, style=style)
    network = Sequential(
        Conv2D(1, 12, 5), ReLU(), MaxPool2D(3), Conv2D(12, 24, 3), ReLU(),
        MaxPool2D(2, ceil_mode=True), Flatten(), Dense(216, 5), seed=0,
    )  # fmt: skip
    loss, images = SoftmaxCrossEntropy(), cards.images.astype(np.float32) / 255
    rng = np.random.default_rng(0)
    with threadpool_limits(1, user_api="blas"):  # a second thread crawls while other programs run
        function(network, loss, Adam(5e-3), images, cards.labels, 6, BATCH, rng)
    accuracy = evaluate(network, loss, unseen).accuracy
    if accuracy < ENOUGH:
        raise WrongError(
            "the cards", f"{accuracy:.1%} of unseen cards are right, wanted {ENOUGH:.0%}"
        )


# ── mistakes, each as a loop of its own ──────────────────────────────────────────────────────


def steps_of(network, loss, optimizer, images, labels, batches):
    seen = []
    for batch, of_labels in batches:
        seen.append(loss.forward(network.forward(images[batch], training=True), labels[of_labels]))
        network.backward(loss.backward())
        optimizer.step(network.parameters())
    return sum(seen) / len(seen)


def labels_in_order(network, loss, optimizer, images, labels, epochs, batch_size, rng):
    """labels must follow their images"""
    epoch = [slice(k, k + batch_size) for k in range(0, len(images), batch_size)]
    return [
        steps_of(
            network, loss, optimizer, images, labels,
            [(order[part], part) for part in epoch],
        )
        for order in (rng.permutation(len(images)) for _ in range(epochs))
    ]  # fmt: skip


def never_shuffled(network, loss, optimizer, images, labels, epochs, batch_size, rng):
    """draw a new one each time"""
    epoch = [np.arange(len(images))[k : k + batch_size] for k in range(0, len(images), batch_size)]
    return [
        steps_of(network, loss, optimizer, images, labels, zip(epoch, epoch))
        for _ in range(epochs)
    ]


def rest_left_out(network, loss, optimizer, images, labels, epochs, batch_size, rng):
    """batches of 4: yours have"""
    whole = len(images) // batch_size * batch_size
    return train(
        network, loss, optimizer, images[:whole], labels[:whole], epochs, batch_size, rng
    )


def no_step(network, loss, optimizer, images, labels, epochs, batch_size, rng):
    """The first calls are"""
    for k in range(0, len(images), batch_size):
        loss.forward(network.forward(images[k : k + batch_size]), labels[k : k + batch_size])
        network.backward(loss.backward())


def drawn_elsewhere(network, loss, optimizer, images, labels, epochs, batch_size, rng):
    """not drawn by the rng that is given"""
    rng = np.random.default_rng(0)
    return train(network, loss, optimizer, images, labels, epochs, batch_size, rng)


def shuffled_in_place(network, loss, optimizer, images, labels, epochs, batch_size, rng):
    """images is changed"""
    losses = train(network, loss, optimizer, images, labels, epochs, batch_size, rng)
    rng.shuffle(images)
    return losses


def predictions_sent_back(network, loss, optimizer, images, labels, epochs, batch_size, rng):
    """network.backward takes what loss.backward() returns"""

    def backward(dy=None):
        return right(images if dy is not None else None)

    right, network.backward = network.backward, backward
    return train(network, loss, optimizer, images, labels, epochs, batch_size, rng)


SLIPS = (
    labels_in_order, never_shuffled, rest_left_out, no_step, drawn_elsewhere, shuffled_in_place,
    predictions_sent_back,
)  # fmt: skip
