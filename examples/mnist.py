"""Train a small CNN (8 and 16 filters, 3×3) on MNIST: 60,000 digits, tested on 10,000 others.

--quick takes 6,000 digits for training; --backend all compares the backends in one table.
"""

from backends_table import table, train
from networks import mnist_cnn
from options import chosen_backends, parser

from minicnn import Adam, plotting
from minicnn.data import load_mnist
from minicnn.schedules import OneCycle


def main() -> None:
    options = parser(__doc__, epochs=3).parse_args()
    digits, test = load_mnist(options.data)
    if options.quick:
        digits = digits[:6000]
    network = mnist_cnn(seed=options.seed)
    print(network.summary(digits.images.shape[1:]), flush=True)
    runs = []
    for backend in chosen_backends(options):
        run = train(
            network, backend, lambda: Adam(4e-3), digits, test, options.threads,
            epochs=options.epochs, batch_size=64, seed=options.seed,
            schedule=OneCycle(options.epochs),
        )  # fmt: skip
        runs.append(run)
        path = options.out / f"mnist-{backend}.json"
        run.history.save(path)
        plotting.save(run.history.plot(), path.with_suffix(".png"))
        print(f"{backend}: curves and figure in {path.resolve()} and .png", flush=True)
    print(f"\n{table(runs)}")


if __name__ == "__main__":
    main()
