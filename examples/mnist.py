"""Train a small CNN (8 and 16 filters, 3×3) on MNIST: 60,000 digits, tested on 10,000 others.

--quick takes 6,000 digits for training.
"""

from networks import mnist_cnn
from options import parser

from minicnn import Adam, SoftmaxCrossEntropy, evaluate, fit, plotting
from minicnn.data import load_mnist
from minicnn.schedules import OneCycle


def main() -> None:
    options = parser(__doc__, epochs=3).parse_args()
    train, test = load_mnist(options.data)
    if options.quick:
        train = train[:6000]
    network = mnist_cnn(seed=options.seed).to(options.backend)
    print(network.summary(train.images.shape[1:]), flush=True)
    loss = SoftmaxCrossEntropy()
    history = fit(
        network, loss, Adam(4e-3), train, test, epochs=options.epochs, batch_size=64,
        seed=options.seed, schedule=OneCycle(options.epochs),
    )  # fmt: skip
    found = evaluate(network, loss, test)
    print(f"\n{'epoch':>5}{'train loss':>12}{'test loss':>12}{'test accuracy':>15}{'seconds':>9}")
    for k in range(len(history)):
        print(
            f"{k + 1:5}{history['train_loss'][k]:12.4f}{history['validation_loss'][k]:12.4f}"
            f"{history['validation_accuracy'][k]:15.2%}{history['seconds'][k]:9.1f}"
        )
    print(f"\n{found.accuracy:.2%} of {len(test):,} test digits right ({options.backend})")
    path = options.out / "mnist.png"
    plotting.save(history.plot(), path)
    history.save(path.with_suffix(".json"))
    print(f"figure: {path.resolve()}")

if __name__ == "__main__":
    main()
