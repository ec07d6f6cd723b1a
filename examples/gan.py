"""Two networks against each other (Goodfellow et al. 2014): one draws digits, one tells them apart.

The generator never sees a digit. All that it learns from is the gradient of the discriminator with
respect to its *input*: where each pixel would have to change to look more real. A convolutional
pair (Radford et al. 2016) on MNIST, with a number for how good the drawings are; then a pair that
collapses, for its generator moves too fast. --quick: few digits and epochs, and a smaller
classifier to judge what is drawn.
"""

import numpy as np
from duration import say_how_long
from matplotlib.figure import Figure
from networks import lenet, mnist_cnn
from options import chosen_backends, parser
from results import keep, table

from minicnn import (
    Adam,
    BatchNorm,
    Conv2D,
    ConvTranspose2D,
    Dense,
    Flatten,
    LeakyReLU,
    ReLU,
    Reshape,
    Sequential,
    Sigmoid,
    SigmoidCrossEntropy,
    SoftmaxCrossEntropy,
    fit,
    plotting,
)
from minicnn.data import load_mnist
from minicnn.data.batches import in_batches, shuffled

LATENTS, BATCH = 64, 64
# Learning rates: the generator's, the discriminator's.
PAIRS = {"balanced": (1e-3, 1e-3), "collapsing": (4e-3, 2e-5)}


def generator(seed: int) -> Sequential:
    return Sequential(
        Dense(LATENTS, 64 * 49), BatchNorm(64 * 49), ReLU(), Reshape((64, 7, 7)),
        ConvTranspose2D(64, 32, 4, stride=2, padding=1), BatchNorm(32), ReLU(),
        ConvTranspose2D(32, 1, 4, stride=2, padding=1), Sigmoid(), seed=seed,
    )  # fmt: skip


def discriminator(seed: int) -> Sequential:
    """A logit, positive for what looks real. It has no BatchNorm: in training half of its batch is
    real and half is drawn, and each half would show in the mean of the other.
    """
    return Sequential(
        Conv2D(1, 32, 4, stride=2, padding=1), LeakyReLU(0.2),
        Conv2D(32, 64, 4, stride=2, padding=1), LeakyReLU(0.2),
        Flatten(), Dense(64 * 49, 1), seed=seed + 1,
    )  # fmt: skip


class Pair:
    """Generator and discriminator, and a step of each."""

    def __init__(self, rates: tuple[float, float], seed: int, backend: str) -> None:
        self.draw, self.judge = generator(seed).to(backend), discriminator(seed).to(backend)
        self.loss = SigmoidCrossEntropy().on(backend)
        self.optimizers = [Adam(rate, betas=(0.5, 0.999)) for rate in rates]
        self.rng = np.random.default_rng(seed)

    def codes(self, count: int) -> np.ndarray:
        return self.rng.standard_normal((count, LATENTS)).astype(np.float32)

    def discriminate(self, real: np.ndarray) -> float:
        """A step of the discriminator: cross-entropy, target 1 for real images, 0 for drawn ones.

            L = −mean(ln D(real), ln(1 − D(G(z)))),  D after a sigmoid
        """
        drawn = self.draw.forward(self.codes(len(real)), training=True)
        logits = self.judge.forward(np.concatenate([real, drawn]), training=True)
        loss = self.loss.forward(logits, np.repeat([1, 0], len(real)))
        self.judge.backward(self.loss.backward())
        self.optimizers[1].step(self.judge.parameters())
        return loss

    def generate(self, count: int) -> float:
        """A step of the generator: the same loss for drawn images, with target 1.

            L = −mean ln D(G(z));  ∂L/∂image comes out of D's backward and goes into G's

        It also leaves gradients in D, which nobody uses: D's next backward overwrites them.
        """
        drawn = self.draw.forward(self.codes(count), training=True)
        logits = self.judge.forward(drawn, training=True)
        loss = self.loss.forward(logits, np.ones(count, np.int64))
        self.draw.backward(self.judge.backward(self.loss.backward()))
        self.optimizers[0].step(self.draw.parameters())
        return loss


def main() -> None:
    options = parser(__doc__, backend="numba", epochs=8).parse_args()
    (backend,) = chosen_backends(options)
    digits, test = load_mnist(options.data)
    if options.quick:
        digits, test, options.epochs = digits[:1000], test[:500], 2
    say_how_long(options, minutes=0.45 * options.epochs)
    critic = (mnist_cnn if options.quick else lenet)(options.seed).to(backend)
    fit(critic, SoftmaxCrossEntropy(), Adam(1e-3), digits, epochs=min(2, options.epochs),
        batch_size=BATCH, seed=options.seed, progress=False)  # fmt: skip
    unseen, others = (as_floats(test.images[k::2]) for k in (0, 1))
    found: dict = {"backend": backend, "pairs": {}}
    found["real"] = {"distance": distance(critic, unseen, others), "classes": shares(test.labels)}
    sheets = {}
    for name, rates in PAIRS.items():
        pair = Pair(rates, options.seed, backend)
        found["pairs"][name], sheets[name] = trained(pair, digits.images, critic, unseen, options)
    print(f"\n{quality_table(found)}\n")
    path = keep(options, "gan", found, plot(found, sheets))
    print(f"{path} and .png")


def as_floats(images: np.ndarray) -> np.ndarray:
    return images.astype(np.float32) / 255


def trained(pair: Pair, images, critic, unseen, options) -> tuple[dict, list[np.ndarray]]:
    """Losses, quality and classes after every epoch, and what the same eight codes become."""
    same, rows, sheet = pair.codes(8), [], []
    for epoch in range(options.epochs):
        losses = []
        for indices in in_batches(shuffled(len(images), options.seed, epoch), BATCH):
            batch = as_floats(images[indices])
            losses.append((pair.discriminate(batch), pair.generate(len(batch))))
        drawn = pair.draw.predict(pair.codes(len(unseen)))
        rows.append({
            "losses": [float(v) for v in np.mean(losses, axis=0)],
            "distance": distance(critic, unseen, drawn),
            "classes": shares(critic.predict_classes(drawn)),
        })  # fmt: skip
        sheet.append(pair.draw.predict(same))
        print(f"epoch {epoch + 1}: Fréchet distance {rows[-1]['distance']:.1f}", flush=True)
    return {"rates": [optimizer.lr for optimizer in pair.optimizers], "epochs": rows}, sheet


def shares(labels: np.ndarray) -> list[float]:
    """How much of the whole each digit is."""
    return (np.bincount(labels, minlength=10) / len(labels)).tolist()


def distance(critic: Sequential, a: np.ndarray, b: np.ndarray) -> float:
    """Fréchet distance between two sets of images (Heusel et al. 2017), on the features before our
    own classifier's last layer (128 of them), each set taken for a normal distribution:

        |μ_a − μ_b|² + tr(C_a + C_b − 2 (C_a C_b)^½)
    """
    seen = Sequential(*critic.layers[:-1])
    (mean_a, cov_a), (mean_b, cov_b) = (
        (features.mean(axis=0), np.cov(features.T))
        for features in (seen.predict(images).astype(np.float64) for images in (a, b))
    )
    root = matrix_root(cov_a)  # C_a C_b has the eigenvalues of C_a^½ C_b C_a^½, which is symmetric
    both = np.trace(matrix_root(root @ cov_b @ root))
    return float(((mean_a - mean_b) ** 2).sum() + np.trace(cov_a) + np.trace(cov_b) - 2 * both)


def matrix_root(a: np.ndarray) -> np.ndarray:
    values, vectors = np.linalg.eigh((a + a.T) / 2)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def quality_table(found: dict) -> str:
    """After the last epoch; classes are our classifier's, and losses means over the epoch."""
    rows = [["real against real", *quality(found["real"]), "", "", "", ""]]
    for name, pair in found["pairs"].items():
        last = pair["epochs"][-1]
        rates = (f"{rate:g}" for rate in pair["rates"])
        losses = (f"{loss:.2f}" for loss in last["losses"][::-1])
        rows.append([name, *quality(last), *rates, *losses])
    return table(
        ["pair", "Fréchet distance", "the commonest digit", "rate of G", "rate of D", "loss of G",
         "loss of D"], rows,
    )  # fmt: skip


def quality(images: dict) -> list[str]:
    return [f"{images['distance']:.1f}", f"{max(images['classes']):.0%}"]


def plot(found: dict, sheets: dict) -> Figure:
    """Above, the losses; below, what the same eight codes become as the training goes on."""
    figure = Figure(figsize=(9, 5), layout="constrained")
    above, below = figure.subfigures(2, 1, height_ratios=(2, 3))
    plots = above.subplots(1, len(PAIRS), sharey=True)
    for axes, (name, pair) in zip(plots, found["pairs"].items()):
        losses = np.array([epoch["losses"] for epoch in pair["epochs"]])
        epochs = np.arange(1, len(losses) + 1)
        for column, (who, style) in enumerate((("discriminator", "-"), ("generator", "--"))):
            axes.plot(epochs, losses[:, column], style, color="black", label=who)
        axes.set_title(name, fontsize=9)
        axes.set_xlabel("epoch")
        axes.legend(fontsize=7)
    plots[0].set_ylabel("loss")
    below.suptitle("the same eight codes, from the first epoch to the last", fontsize=9)
    for part, sheet in zip(below.subfigures(1, len(PAIRS)), sheets.values()):
        chosen = np.linspace(0, len(sheet) - 1, min(4, len(sheet))).astype(int)
        plotting.image_grid(np.concatenate([sheet[k] for k in chosen]), columns=8, figure=part)
    return figure


if __name__ == "__main__":
    main()
