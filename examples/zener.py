"""Zener cards: five symbols, networks of 4 and 7 layers, and what makes their training fast.

After a report that trained on a CPU, on a CPU with newer instructions and on a GPU. Here: 5-fold
cross-validation with fresh weights over up to 400 epochs, time against epochs, L1 and L2 penalties,
the report's four flaws one at a time, the backends side by side, the width of the vector registers,
and the batch size. Then tame cards and wild ones: how accuracy falls with each amount by which
cards vary, and what a network trained on one kind says of the other; that part has a JSON file of
its own, zener-styles.json. --parts runs some of these; --network FILE trains a network from the
report's text format instead (see minicnn/files/network_file.py).

--quick: a tenth of the cards, a few epochs, the smaller network alone, and of the vector registers
what they can add and multiply, without a training step.
"""

from pathlib import Path

import numpy as np
from duration import say_how_long
from networks import zener4, zener7
from options import at_least, chosen_backends, parser
from results import keep
from tqdm import tqdm
from zener_study import hardware, report, styles
from zener_study.flaws import FLAWS, flawed
from zener_study.folds import Curves, cross_validated

from minicnn import SGD, Adam, Penalty, backends, plotting, read_network
from minicnn.data import zener_cards

SYMBOL = 3  # the star, for one against the rest
RECIPES = {"SGD 0.001 (the report's)": lambda: SGD(1e-3), "Adam 0.0005": lambda: Adam(5e-4)}
PENALTIES = {"none": None, "L1 0.005": Penalty(l1=0.005), "L2 0.005": Penalty(l2=0.005)}
EPOCHS = {"4 layers": (zener4, (25, 50, 100, 200, 400)), "7 layers": (zener7, (25, 50, 100))}
QUICK = {"4 layers": (zener4, (3, 6, 12))}
MINUTES = dict.fromkeys(report.TABLES, 0.7) | {"epochs": 5.5, "styles": 0.8}


def main() -> None:
    options = parser(__doc__, "backend threads epochs seed out quick", backend="numba", epochs=100)
    options.add_argument("--parts", nargs="*", choices=MINUTES, default=[*MINUTES])
    options.add_argument("--network", type=Path, help="a file: `kernel filters` …, dense units")
    options.add_argument("--rounds", type=at_least(1), default=5, help="of timed turns")
    options.add_argument("--seconds", type=float, default=0.3, help="of each turn")
    options = options.parse_args()
    chosen_backends(options)
    if options.quick:
        options.epochs, options.rounds, options.seconds = 6, 2, 0.1
    cards = zener_cards(100 if options.quick else 1000, seed=options.seed)
    if options.network is not None:
        return train_described(options, cards)
    say_how_long(options, sum(MINUTES[part] for part in options.parts))
    if tables := [part for part in report.TABLES if part in options.parts]:
        measure(options, cards, tables)
    if "styles" in options.parts:
        styles.study(options)


def measure(options, cards, parts: list[str]) -> None:
    """Everything on the same cards: a table a part, all in zener.json, and a figure of them."""
    found: dict = {"backend": options.backend, "cards": len(cards.labels)}
    studies = {
        "epochs": lambda: epoch_study(options, cards),
        "penalties": lambda: penalty_study(options, cards),
        "flaws": lambda: flaw_study(options, cards),
        "backends": lambda: backend_study(options, cards),
        "lanes": lambda: hardware.lanes(options),
        "batches": lambda: hardware.batches(options),
    }
    for part in parts:
        found[part] = studies[part]()
        tables = (make(found) for make in report.TABLES[part])
        print("\n" + "\n\n".join(tables), flush=True)
        keep(options, "zener", found, None)
    if "flaws" in found:
        plotting.save(report.plot_flaws(found["flaws"]), options.out / "zener-flaws.png")
    path = keep(options, "zener", found, figure := report.plot(found))
    print(f"\n{path}{'' if figure is None else ' and .png'}")


def epoch_study(options, cards) -> list[dict]:
    """Every network, task and recipe: one training of the most epochs, read at all of them."""
    networks = QUICK if options.quick else EPOCHS
    cases = [(n, s, r) for n in networks for s in (SYMBOL, None) for r in RECIPES]
    rows = []
    for name, symbol, recipe in tqdm(cases, desc="epochs", disable=None):
        make, epochs = networks[name]
        network = make(outputs=5 if symbol is None else 1).to(options.backend)
        cross_validated(network, RECIPES[recipe], cards[:100], symbol, 1, 0)  # may compile
        curves = cross_validated(network, RECIPES[recipe], cards, symbol, epochs[-1], options.seed)
        rows.append(
            {
                "network": name,
                "task": report.ALL if symbol is None else report.ONE,
                "recipe": recipe,
                "epochs": epochs,
                "accuracy": [curves.at(n) for n in epochs],
                "minutes": [float(curves.seconds[:, :n].sum() / 60) for n in epochs],
                **line_through(curves),
            }
        )
    return rows


def line_through(curves: Curves) -> dict:
    """Least squares: minutes = slope · epochs + start, and how much of the variance it explains."""
    minutes = curves.seconds.sum(axis=0).cumsum() / 60
    epochs = np.arange(1, len(minutes) + 1)
    slope, start = np.polyfit(epochs, minutes, 1)
    left = minutes - (slope * epochs + start)
    return {"slope": slope, "start": start, "r2": float(1 - left.var() / minutes.var())}


def penalty_study(options, cards) -> list[dict]:
    rows = []
    for name, penalty in PENALTIES.items():
        network = zener4().to(options.backend)
        curves = cross_validated(
            network, RECIPES["Adam 0.0005"], cards, None, options.epochs, options.seed, penalty
        )
        size = float(np.mean([np.abs(p.value).mean() for p in network.parameters()]))
        rows.append({"penalty": name, "accuracy": curves.at(options.epochs), "mean_weight": size})
    return rows


def flaw_study(options, cards) -> list[dict]:
    rows = []
    for recipe, make_optimizer in RECIPES.items():
        for name, flaws in tqdm(FLAWS.items(), desc="flaws", disable=None):
            epochs = (options.epochs + 1) // 2
            curves = flawed(flaws, make_optimizer, cards, SYMBOL, options.backend, epochs,
                            options.seed)  # fmt: skip
            rows.append({"recipe": recipe, "flaw": name, **curves})
    return rows


def backend_study(options, cards) -> list[dict]:
    """Seconds of an epoch of cross-validation (800 cards, 200 judged) on every backend."""
    rows = []
    for name in backends.NAMES:
        row: dict = {"backend": name}
        try:
            backends.get(name)
        except RuntimeError as error:
            rows.append(row | {"gap": str(error)})
            continue
        epochs, networks = (2, QUICK) if options.quick else (4, EPOCHS)
        for network, (make, _) in networks.items():
            curves = cross_validated(make().to(name), lambda: SGD(1e-3), cards, None, epochs, 0)
            row[network] = float(np.median(curves.seconds[:, 1:]))
        rows.append(row)
    return rows


def train_described(options, cards) -> None:
    network = read_network(options.network, cards.images.shape[1:], outputs=5, seed=options.seed)
    network.to(options.backend)
    print(network.summary(cards.images.shape[1:]))
    curves = cross_validated(
        network, RECIPES["Adam 0.0005"], cards, None, options.epochs, options.seed
    )
    mean, deviation = curves.at(options.epochs)
    print(f"{options.epochs} epochs, 5 folds: {mean:.1f} ± {deviation:.1f} % of unseen cards, "
          f"{curves.seconds.sum():.1f} s")  # fmt: skip


if __name__ == "__main__":
    main()
