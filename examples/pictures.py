"""Pictures of a network that learns MNIST: filters, feature maps, saliency, gradients, mistakes.

One epoch, written out step by step: this is what `fit` does, with a look at every gradient.
"""

import numpy as np
from matplotlib.figure import Figure
from networks import mnist_cnn
from options import chosen_backends, parser
from tqdm import tqdm

from minicnn import Adam, SoftmaxCrossEntropy, plotting
from minicnn.data import load_mnist
from minicnn.data.batches import in_batches, shuffled


def main() -> None:
    options = parser(__doc__, backend="numba", epochs=1).parse_args()
    (backend,) = chosen_backends(options)
    digits, test = load_mnist(options.data)
    if options.quick:
        digits = digits[:6000]
    network = mnist_cnn(options.seed).to(backend)
    noise = network[0].weight.value.copy()
    norms = train(network, digits, options)
    pixels = test.images.astype(np.float32) / 255
    logits, loss = network.predict(pixels), SoftmaxCrossEntropy()
    print(f"{(logits.argmax(1) == test.labels).mean():.2%} of the test digits are right")
    first = [int(np.flatnonzero(test.labels == digit)[0]) for digit in range(10)]
    figures = {
        "filters": filters(noise, network[0].weight.value),
        "feature-maps": plotting.feature_maps(network, pixels[first[7]]),
        "saliency": plotting.saliency(network, loss, pixels[first], test.labels[first]),
        "gradient-norms": plotting.gradient_norms(norms),
        "mistakes": plotting.confident_mistakes(pixels, logits, test.labels, test.classes),
    }
    for name, figure in figures.items():
        plotting.save(figure, options.out / f"pictures-{name}.png")
    print(f"{', '.join(figures)}: {options.out.resolve()}/pictures-*.png")


def filters(before: np.ndarray, after: np.ndarray) -> Figure:
    """Three rows: the filters before and after training, and what training added to each."""
    figure = Figure(figsize=(8.8, 3.6), layout="constrained")
    rows = {"before": before, "after": after, "added": after - before}
    for part, (name, weights) in zip(figure.subfigures(3, 1), rows.items()):
        part.supylabel(name, fontsize=9)
        plotting.image_grid(weights[:, 0], columns=8, figure=part)
    return figure


def train(network, digits, options) -> dict[str, list[float]]:
    """Train for the epochs asked for; the norm of each layer's gradient at every step."""
    loss, optimizer = SoftmaxCrossEntropy().to(network.backend), Adam(2e-3)
    learners = {
        f"{position} {type(layer).__name__}": layer
        for position, layer in enumerate(network.layers)
        if layer.parameters()
    }
    norms: dict[str, list[float]] = {name: [] for name in learners}
    for epoch in range(options.epochs):
        batches = list(in_batches(shuffled(len(digits.labels), options.seed, epoch), 64))
        for indices in tqdm(batches, desc=f"epoch {epoch + 1}", disable=None):
            x = digits.images[indices].astype(np.float32) / 255
            loss.forward(network.forward(x, training=True), digits.labels[indices])
            network.backward(loss.backward())
            for name, layer in learners.items():
                squares = (float(np.square(p.grad).sum()) for p in layer.parameters())
                norms[name].append(sum(squares) ** 0.5)
            optimizer.step(network.parameters())
    return norms


if __name__ == "__main__":
    main()
