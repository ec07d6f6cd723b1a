"""Zener cards: the 4-layer and the 7-layer network, five-way, on any backend.

1,000 cards to learn from, 500 unseen ones to be tested on. --backend all compares the backends in
one table per network; --quick trains for 2 epochs.
"""

from backends_table import table, train
from networks import zener4, zener7
from options import chosen_backends, parser

from minicnn import Adam
from minicnn.data import zener_cards
from minicnn.schedules import OneCycle


def main() -> None:
    options = parser(__doc__, epochs=16).parse_args()
    epochs = 2 if options.quick else options.epochs
    cards = zener_cards(1000, seed=options.seed)
    unseen = zener_cards(500, seed=options.seed + 1)
    for name, make in {"4 layers": zener4, "7 layers": zener7}.items():
        network = make(seed=options.seed)
        runs = []
        for backend in chosen_backends(options):
            run = train(
                network, backend, lambda: Adam(3e-3), cards, unseen, options.threads,
                epochs=epochs, batch_size=20, seed=options.seed, schedule=OneCycle(epochs),
            )  # fmt: skip
            runs.append(run)
            run.history.save(options.out / f"zener-{name.replace(' ', '-')}-{backend}.json")
        print(f"{name}\n{table(runs)}\n", flush=True)


if __name__ == "__main__":
    main()
