"""Fashion-MNIST with everything that helps, on the clock.

The network of the best MNIST run, half as wide again; every epoch sees the clothes mirrored, moved
and with a square cut out. After each epoch the 10,000 test images are judged; after the last, also
each together with its mirror image. --quick: a few images, two epochs.
"""

from collections.abc import Sequence

import numpy as np
from best_mnist import plot_errors, train
from duration import say_how_long
from networks import deepest
from options import chosen_backends, parser
from results import keep, table

from minicnn import AdamW, Sequential, SoftmaxCrossEntropy
from minicnn.data import Compose, CutOut, RandomCrop, RandomFlip, load_fashion_mnist

WIDTH = 24


def main() -> None:
    options = parser(__doc__, backend="numba", epochs=33).parse_args()
    (backend,) = chosen_backends(options)
    clothes, test = load_fashion_mnist(options.data)
    if options.quick:
        clothes, test, options.epochs = clothes[:1000], test[:1000], 2
    say_how_long(options, minutes=0.45 * options.epochs)
    changed = Compose([RandomFlip(), RandomCrop(2), CutOut(8)])
    network = deepest(WIDTH, options.seed).to(backend)
    run = train(
        network, AdamW(4e-3, weight_decay=0.05), clothes, test,
        epochs=options.epochs, seed=options.seed, augment=changed,
        loss=SoftmaxCrossEntropy(label_smoothing=0.1),
    )  # fmt: skip
    mirrored = test.images[..., ::-1]
    run["together"] = right_together(network, [test.images, mirrored], test.labels)
    found = {"backend": backend, "runs": {"best": [run]}}
    path = keep(options, "best_fashion", found, plot_errors(found, [0.93, 0.945]))
    print(f"{progress_table(found)}\n\n{path} and .png")


def right_together(network: Sequential, copies: Sequence[np.ndarray], labels: np.ndarray) -> float:
    """How many are right by the mean of the answers for an image's copies."""
    answers = sum(network.predict_probabilities(images) for images in copies)
    return float(np.mean(answers.argmax(axis=1) == labels))


def progress_table(found: dict) -> str:
    """How right, and how many minutes in, at every quarter of the training."""
    (run,) = found["runs"]["best"]
    last = len(run["accuracy"]) - 1
    rows = [
        [str(epoch + 1), f"{run['elapsed_s'][epoch] / 60:.1f}", f"{run['accuracy'][epoch]:.2%}"]
        for epoch in sorted({last * quarter // 4 for quarter in range(5)})
    ]
    rows.append([f"{last + 1}, and mirrored", rows[-1][1], f"{run['together']:.2%}"])
    return table(["epoch", "minutes", "right"], rows)


if __name__ == "__main__":
    main()
