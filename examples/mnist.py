"""Train a small CNN (8 and 16 filters, 3×3) on MNIST: 60,000 digits, tested on 10,000 others.

On every backend that this machine has, compared in one table, or on one: --backend numba.
--quick takes 6,000 digits for training, and 2,000 to be tested on.
"""

from backends_table import compared, train
from duration import say_how_long
from networks import mnist_cnn
from options import chosen_backends, parser
from results import keep

from minicnn import Adam, plotting
from minicnn.data import load_mnist
from minicnn.schedules import OneCycle


def main() -> None:
    options = parser(__doc__, backend="all", epochs=3).parse_args()
    say_how_long(options, minutes=0.5)
    digits, test = load_mnist(options.data)
    if options.quick:
        digits, test = digits[:6000], test[:2000]
    network = mnist_cnn(seed=options.seed)
    print(network.summary(digits.images.shape[1:]), flush=True)
    runs = []
    for backend in chosen_backends(options):
        run = train(
            network, backend, lambda: Adam(4e-3), digits, test,
            epochs=options.epochs, batch_size=64, seed=options.seed,
            schedule=OneCycle(options.epochs),
        )  # fmt: skip
        runs.append(run.figures())
        path = keep(options, "mnist", {"runs": runs}, None)
        plotting.save(run.history.plot(), options.out / f"mnist-{backend}.png")
    print(f"{compared(runs)}\n\n{path}, and a figure for each backend")


if __name__ == "__main__":
    main()
