"""Five architectures at one price, and why deep networks need a way around their layers.

First, five networks of about four million multiply-adds an image learn Fashion-MNIST: plain
(what the reports trained), and ones like VGG, Inception, ResNet and MobileNet. Then networks of 8
to 32 layers, with and without shortcuts: what they learn, and how large the gradient is that each
layer gets. --quick: a few images, one seed, two depths.
"""

import sys
from statistics import mean, median, stdev

import numpy as np
from duration import say_how_long
from matplotlib.figure import Figure
from networks import chain, inception, mobilenet, plain, resnet, vgg
from options import chosen_backends, parser
from results import keep, table

from minicnn import Adam, Sequential, SoftmaxCrossEntropy, evaluate, fit
from minicnn.data import Dataset, load_fashion_mnist
from minicnn.schedules import OneCycle

SHAPE = 1, 28, 28
BUDGET = 4_000_000  # multiply-adds an image; each width is the one that comes closest to it
ARCHITECTURES = {
    "plain": (plain, 19), "VGG": (vgg, 12), "Inception": (inception, 12), "ResNet": (resnet, 10),
    "MobileNet": (mobilenet, 18),
}  # fmt: skip
DEPTHS, WIDTH = (8, 14, 20, 32), 16
SAMPLES = 512  # that the gradients are measured on


def main() -> None:
    # Compiling the kernels of all five takes longer than the numpy backend does for a few images.
    backend = "numpy" if "--quick" in sys.argv else "numba"
    options = parser(__doc__, backend=backend, epochs=3).parse_args()
    (backend,) = chosen_backends(options)
    clothes, test = load_fashion_mnist(options.data)
    seeds, depths = [options.seed + k for k in range(3)], DEPTHS
    if options.quick:
        clothes, test, seeds, depths = clothes[:1000], test[:1000], seeds[:1], DEPTHS[:2]
        options.epochs = 1
    say_how_long(options, minutes=2.8 * options.epochs)

    found: dict = {"backend": backend, "images": len(clothes), "architectures": {}, "depths": []}
    for name, (build, width) in ARCHITECTURES.items():
        networks = [build(width, seed).to(backend) for seed in seeds]
        runs = [learn(network, clothes, test, options.epochs, seed)
                for network, seed in zip(networks, seeds)]  # fmt: skip
        found["architectures"][name] = {
            "width": width, "multiply_adds": networks[0].multiply_adds(SHAPE), "runs": runs,
            "parameters": sum(p.value.size for p in networks[0].parameters()),
        }  # fmt: skip
    print(f"\n{architecture_table(found)}\n")
    for depth in depths:
        for shortcuts in (False, True):
            network = chain(depth, WIDTH, shortcuts, options.seed).to(backend)
            at_first = gradient_norms(network, clothes[:SAMPLES])
            run = learn(network, clothes, test, 1, options.seed)
            found["depths"].append(
                {"depth": depth, "shortcuts": shortcuts, "gradient_norms": at_first, **run}
            )
    print(f"\n{depth_table(found)}\n")
    path = keep(options, "architectures", found, plot(found))
    print(f"{path} and .png")


def learn(network: Sequential, clothes: Dataset, test: Dataset, epochs: int, seed: int) -> dict:
    loss = SoftmaxCrossEntropy()
    history = fit(
        network, loss, Adam(3e-3), clothes, epochs=epochs, batch_size=64, seed=seed,
        schedule=OneCycle(epochs),
    )  # fmt: skip
    return {
        "seed": seed, "accuracy": evaluate(network, loss, test).accuracy,
        "train_loss": history["train_loss"][-1], "epoch_s": median(history["seconds"]),
    }  # fmt: skip


def gradient_norms(network: Sequential, clothes: Dataset) -> list[float]:
    """‖∂L/∂w‖ of every convolution, from the first to the last, at the weights as they are."""
    loss = SoftmaxCrossEntropy().on(network.backend)
    pixels = clothes.images.astype(np.float32) / 255
    loss.forward(network.forward(pixels, training=True), clothes.labels)
    network.backward(loss.backward())
    kernels = [p for p in network.parameters() if len(p.shape) == 4]
    return [float(np.linalg.norm(p.grad.ravel())) for p in kernels]


def architecture_table(found: dict) -> str:
    rows = []
    for name, of in found["architectures"].items():
        right = [100 * run["accuracy"] for run in of["runs"]]
        spread = f"{stdev(right):.2f}" if len(right) > 1 else "–"
        seconds = median(run["epoch_s"] for run in of["runs"])
        rows.append([name, f"{of['multiply_adds'] / 1e6:.2f}", f"{of['parameters']:,}",
                     f"{mean(right):.2f}", spread, f"{seconds:.1f}"])  # fmt: skip
    return table(
        ["network", "million multiply-adds", "parameters", "right, %", "±", "s an epoch"], rows
    )


def depth_table(found: dict) -> str:
    """Plain and with shortcuts beside each other: test accuracy, and first gradient over last."""
    rows = []
    for depth in dict.fromkeys(run["depth"] for run in found["depths"]):
        pair = [run for run in found["depths"] if run["depth"] == depth]
        right = [f"{run['accuracy']:.2%}" for run in pair]
        ratios = [run["gradient_norms"][0] / run["gradient_norms"][-1] for run in pair]
        rows.append([str(depth), *right, *(f"{ratio:.1f}" for ratio in ratios)])
    return table(
        ["layers", "plain: right", "shortcuts: right", "plain: first / last gradient",
         "shortcuts: first / last"], rows,
    )  # fmt: skip


def plot(found: dict) -> Figure:
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    for (name, of), marker in zip(found["architectures"].items(), "osD^v"):
        seconds = [run["epoch_s"] for run in of["runs"]]
        right_of = [100 * run["accuracy"] for run in of["runs"]]
        left.plot(seconds, right_of, marker, color="black", fillstyle="none", label=name)
    left.set_xlabel("seconds an epoch")
    left.set_ylabel("test images right (%)")
    left.legend()
    for run in found["depths"]:
        norms = run["gradient_norms"]
        right.plot(
            np.arange(1, len(norms) + 1), norms, "-" if run["shortcuts"] else "--", color="black",
            linewidth=0.5 + run["depth"] / 20,
            label={True: "with shortcuts", False: "plain"}[run["shortcuts"]]
            if run["depth"] == found["depths"][-1]["depth"] else None,
        )  # fmt: skip
        right.annotate(str(run["depth"]), (len(norms), norms[-1]), (4, 0), fontsize=8, va="center",
                       textcoords="offset points")  # fmt: skip
    right.margins(x=0.08)
    right.set_yscale("log")
    right.set_xlabel("convolution, from the first")
    right.set_ylabel("norm of its weights' gradient")
    right.legend(title="number: layers")
    return figure


if __name__ == "__main__":
    main()
