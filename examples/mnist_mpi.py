"""Train the CNN of mnist.py on several processes or machines:

    mpiexec -n 4 python examples/mnist_mpi.py --backend numba --threads 1

Every step's 64 digits are shared out among the ranks. Only rank 0 prints and writes.
"""

from networks import mnist_cnn
from options import chosen_backends, parser

from minicnn import Adam, SoftmaxCrossEntropy, distributed, plotting
from minicnn.data import load_mnist
from minicnn.schedules import OneCycle


def main() -> None:
    options = parser(__doc__, epochs=3).parse_args()
    chosen_backends(options)
    with distributed.job() as comm:
        digits, test = load_mnist(options.data)
        if options.quick:
            digits, test = digits[:6000], test[:2000]
        network = mnist_cnn(seed=options.seed).to(options.backend)
        history = distributed.fit(
            comm, network, SoftmaxCrossEntropy(), Adam(4e-3), digits, test,
            epochs=options.epochs, batch_size=64, seed=options.seed,
            schedule=OneCycle(options.epochs),
        )  # fmt: skip
        if comm.rank == 0:
            print(f"{comm.size} rank(s), {options.backend}, {len(digits):,} digits")
            for epoch in range(len(history)):
                print(
                    f"epoch {epoch + 1}: loss {history['train_loss'][epoch]:.4f}, "
                    f"test accuracy {history['validation_accuracy'][epoch]:.2%}, "
                    f"{history['seconds'][epoch]:.1f} s"
                )
            path = options.out / f"mnist-mpi-{comm.size}.json"
            history.save(path)
            plotting.save(history.plot(), path.with_suffix(".png"))
            print(f"curves and figure in {path.resolve()} and .png")


if __name__ == "__main__":
    main()
