"""Tame cards and wild ones: how accuracy falls with each amount by which cards vary, and what a
network says of cards that are wilder than those it was trained on (distribution shift).
"""

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from networks import zener4, zener7
from results import keep, table
from tqdm import tqdm

from minicnn import Adam, SoftmaxCrossEntropy, evaluate, fit, plotting
from minicnn.data import ZenerStyle, zener_cards
from minicnn.schedules import OneCycle

TAME, WILD = ZenerStyle(), ZenerStyle.report()
TRAINED = {"tame": TAME, "the report's": WILD}
DRAWN = {"tame": TAME, "sketched": replace(TAME, sketched=True)}
# From nothing to the most; everything else stays as it is on tame cards.
AMOUNTS: dict[str, tuple[float, ...]] = {
    "size": (0, 0.15, 0.3, 0.45), "thickness": (0, 0.3, 0.6, 0.8),
    "orientation": (0, 45, 90, 135, 180), "position": (0, 0.5, 1, 1.25, 1.5),
    "dithering": (0, 0.25, 0.5, 0.75, 1), "stray_marks": (0, 3, 6, 12),
}  # fmt: skip


def study(options) -> None:
    """Trains a network on each style, judges both on all others, and writes zener-styles.*."""
    count, judged, epochs, make = 16000, 1000, 15, zener7
    if options.quick:
        count, judged, epochs, make = 300, 50, 2, zener4
    networks = {}
    for name, style in TRAINED.items():
        networks[name] = make(seed=options.seed).to(options.backend)
        fit(
            networks[name], SoftmaxCrossEntropy(), Adam(1e-3),
            zener_cards(count, options.seed, style), epochs=epochs, batch_size=64,
            seed=options.seed, schedule=OneCycle(epochs),
        )  # fmt: skip

    def right(style: ZenerStyle) -> dict[str, float]:
        """Of each network, the cards of a style that it gets right, in %."""
        unseen = zener_cards(judged, options.seed + 1, style)
        return {name: 100 * evaluate(network, SoftmaxCrossEntropy(), unseen).accuracy
                for name, network in networks.items()}  # fmt: skip

    cases = [(drawn, name, value) for drawn in DRAWN for name in AMOUNTS for value in AMOUNTS[name]]
    found = {
        "backend": options.backend, "cards": count, "judged": judged, "epochs": epochs,
        "styles": {name: right(s) for name, s in (DRAWN | {"the report's": WILD}).items()},
        "amounts": [
            {"drawn": drawn, "amount": name, "value": value,
             "right": right(replace(DRAWN[drawn], **{name: value}))}
            for drawn, name, value in tqdm(cases, desc="styles", disable=None)
        ],
    }  # fmt: skip
    print(f"\n{shift(found)}\n\n{amounts(found)}")
    path = keep(options, "zener-styles", found, plot(found))
    plotting.save(contact_sheet(options.seed), options.out / "zener-styles-cards.png")
    print(f"\n{path}, its .png, and cards beside it")


def shift(found: dict) -> str:
    """Unseen cards of each style that are right, in %, by what the network was trained on."""
    head = ["trained on", *(f"judged on {name}" for name in found["styles"])]
    rows = [[name, *(f"{right[name]:.1f}" for right in found["styles"].values())]
            for name in found["styles"]["tame"]]  # fmt: skip
    return table(head, rows)


def amounts(found: dict) -> str:
    """The same with one amount at a time changed, on tame cards and on sketched ones."""
    right: dict[Any, list[str]] = {}
    for row in found["amounts"]:
        cells = right.setdefault((row["amount"], row["value"]), [])
        cells += [f"{value:.1f}" for value in row["right"].values()]
    networks = found["styles"]["tame"]
    head = [f"{drawn} cards, trained on {name}" for drawn in DRAWN for name in networks]
    return table(
        ["", *head], [[f"{name} {value:g}", *cells] for (name, value), cells in right.items()]
    )


def plot(found: dict) -> Figure:
    """A panel for each amount."""
    figure = Figure(figsize=(11, 6.5), layout="constrained")
    for k, name in enumerate(AMOUNTS, start=1):
        axes = figure.add_subplot(2, 3, k)
        for drawn, marker in zip(DRAWN, "os"):
            rows = [r for r in found["amounts"] if (r["amount"], r["drawn"]) == (name, drawn)]
            for trained, line in zip(rows[0]["right"], ("-", "--")):
                axes.plot(
                    [r["value"] for r in rows], [r["right"][trained] for r in rows],
                    f"k{line}{marker}", markersize=4, linewidth=1,
                    markerfacecolor="k" if line == "-" else "w", label=f"{drawn}, {trained}",
                )  # fmt: skip
        axes.set(xlabel=f"ZenerStyle({name}=…)", ylim=(0, 103))
        if k % 3 == 1:
            axes.set_ylabel("unseen cards that are right (%)")
        if k == 1:
            axes.legend(title="judged on, trained on", fontsize=7, title_fontsize=7)
    return figure


def contact_sheet(seed: int, columns: int = 8) -> Figure:
    """The five symbols, one a row: tame cards on the left, the report's on the right."""
    figure = Figure(figsize=(11, 3.6), layout="constrained")
    for half, (name, style) in zip(figure.subfigures(1, 2), TRAINED.items()):
        cards = zener_cards(5 * columns, seed, style)
        order = np.argsort(cards.labels, kind="stable")
        plotting.image_grid(cards.images[order], columns=columns, figure=half)
        half.suptitle(f"{name} cards", fontsize=9)
    return figure
