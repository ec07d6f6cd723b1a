"""Learn to tell the five Zener cards apart: generate 1,000 cards, train, test on unseen ones.

Trains the study's 4-layer and 7-layer network and writes one figure, and a page that shows every
number of a smaller network's training (microscope.html). Needs no download, and on NumPy nothing is
compiled. --quick: half the epochs.
"""

from math import fsum

from matplotlib.figure import Figure
from networks import zener4, zener7
from options import chosen_backends, parser

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
    fit,
    microscope,
    plotting,
)  # fmt: skip
from minicnn.data import Dataset, zener_cards
from minicnn.schedules import OneCycle


def main() -> None:
    # With a second thread, which gains little, steps crawl while other programs run.
    options = parser(
        __doc__, "backend threads epochs seed out quick", threads=1, epochs=8
    ).parse_args()
    chosen_backends(options)
    epochs = 4 if options.quick else options.epochs
    train = zener_cards(1000, seed=options.seed)
    unseen = zener_cards(500, seed=options.seed + 1)
    figure = Figure(figsize=(10, 9), layout="constrained")
    cards, *rows = figure.subfigures(3, 1, height_ratios=[0.75, 1, 1])
    cards.suptitle(f"20 of the {len(train)} cards to learn from")
    plotting.image_grid(
        train.images[:20], [train.classes[k] for k in train.labels[:20]], columns=10, figure=cards
    )
    print(f"{len(train)} cards to learn from, {len(unseen)} unseen ones to be tested on\n")
    lines = []
    for row, (name, make) in zip(rows, {"4 layers": zener4, "7 layers": zener7}.items()):
        network = make(seed=options.seed).to(options.backend)
        print(f"{name}\n{network.summary(train.images.shape[1:])}\n", flush=True)
        loss = SoftmaxCrossEntropy()
        history = fit(
            network, loss, Adam(5e-3), train, unseen, epochs=epochs, batch_size=20,
            seed=options.seed, schedule=OneCycle(epochs),
        )  # fmt: skip
        found = evaluate(network, loss, unseen)
        seconds = fsum(s for s in history["seconds"] if s is not None) / epochs
        lines.append(f"{name:10}{found.accuracy:10.1%}{seconds:10.2f}")
        curves, confusion = row.subfigures(1, 2, width_ratios=[1.7, 1])
        row.suptitle(f"{name}: {found.accuracy:.1%} of unseen cards right")
        plotting.training_curves(history.columns, figure=curves)
        plotting.confusion_matrix(found.confusion, unseen.classes, figure=confusion)
    print(f"{'network':10}{'unseen':>10}{'s/epoch':>10}\n" + "\n".join(lines))
    path = options.out / "demo.png"
    plotting.save(figure, path)
    print(f"\nfigure: {path.resolve()}")
    path = options.out / "microscope.html"
    under_the_microscope(path, train, unseen, epochs, options)
    print(f"every number of a training, to be opened in a browser: {path.resolve()}")


def under_the_microscope(path, train: Dataset, unseen: Dataset, epochs: int, options) -> None:
    """A network that is small enough to be looked at whole, after every epoch of its training."""
    network = Sequential(
        Conv2D(1, 6, 5, stride=2, padding=2), ReLU(), MaxPool2D(2, ceil_mode=True),
        Conv2D(6, 8, 3, padding=1), ReLU(), Flatten(), Dense(8 * 7 * 7, len(train.classes)),
        seed=options.seed,
    ).to(options.backend)  # fmt: skip
    loss, optimizer = SoftmaxCrossEntropy(), Adam(5e-3)
    steps = [microscope.step(network, optimizer)]

    def keep(epoch, network, history) -> None:
        steps.append(microscope.step(network, optimizer))

    fit(
        network, loss, optimizer, train, epochs=epochs, batch_size=20, seed=options.seed,
        after_epoch=keep, progress=False,
    )  # fmt: skip
    images, labels = unseen.images[:10], unseen.labels[:10]
    microscope.write(path, network, loss, images, labels, steps, unseen.classes)


if __name__ == "__main__":
    main()
