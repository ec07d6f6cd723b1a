"""The tables and the figure of the Zener study, with the report's minutes beside ours."""

import numpy as np
from matplotlib.figure import Figure
from results import table

# (network, epochs): minutes on its CPU, on that CPU with SSE4.2, on a K80 GPU
MINUTES = {
    ("4 layers", 25): (3.4, 2.6, None), ("4 layers", 50): (7.3, None, None),
    ("4 layers", 100): (15.9, 14.2, 6.6), ("4 layers", 200): (None, None, 25.5),
    ("4 layers", 400): (None, 110.0, 120.0), ("7 layers", 25): (4.7, 3.5, None),
    ("7 layers", 50): (9.3, None, None),
}  # fmt: skip
ONE, ALL = "one against the rest", "five symbols"  # the tasks
LINES = ("-", "--", ":", "-.")


def minutes(found: dict) -> str:
    """Time of all folds with the report's optimiser, and what the report says it took."""
    networks = [r for r in found["epochs"] if r["task"] == ONE and "report" in r["recipe"]]
    head, cells = ["epochs"], {}
    for row in networks:
        name = row["network"]
        head += [f"{name}, here", "report: CPU", "SSE4.2", "GPU"]
        for n, here in zip(row["epochs"], row["minutes"]):
            theirs = MINUTES.get((name, n), (None,) * 3)
            cells[name, n] = [f"{here:.3f}", *("" if m is None else f"{m:g}" for m in theirs)]
    rows = [
        [str(n), *(c for row in networks for c in cells.get((row["network"], n), [""] * 4))]
        for n in sorted({n for _, n in cells})
    ]
    lines = [f"{row['network']}: minutes = {row['slope']:.5f} · epochs "
             f"{'−' if row['start'] < 0 else '+'} {abs(row['start']):.3f} "
             f"(R² {row['r2']:.5f})" for row in networks]  # fmt: skip
    return table(head, rows) + "\n\n" + "; ".join(lines) + "."


def accuracy(found: dict) -> str:
    """Unseen cards that are right, in %, mean and standard deviation over the folds."""
    counts = sorted({n for row in found["epochs"] for n in row["epochs"]})
    rows = []
    for row in found["epochs"]:
        right = dict(zip(row["epochs"], row["accuracy"]))
        cells = [spread(*right[n]) if n in right else "" for n in counts]
        rows.append([f"{row['network']}, {row['task']}, {row['recipe']}", *cells])
    return table(["", *(f"{n} epochs" for n in counts)], rows)


def spread(mean: float, deviation: float) -> str:
    return f"{mean:.1f} ± {deviation:.1f}"


def penalties(found: dict) -> str:
    rows = [[row["penalty"], spread(*row["accuracy"]), f"{row['mean_weight']:.4f}"]
            for row in found["penalties"]]  # fmt: skip
    return table(["penalty", "right, %", "mean weight, absolute"], rows)


def flaws(found: dict) -> str:
    """What each fold ends with; where weights are kept, the last has seen its held-out cards."""
    rows = []
    for row in found["flaws"]:
        right, loss = 100 * np.array(row["accuracy"])[:, -1], np.array(row["loss"])[:, -1]
        figures = [f"{value:.1f}" for value in (right[0], right[-1], right.mean())]
        rows.append([f"{row['flaw']}, {row['recipe']}", *figures, f"{loss.mean():.3f}"])
    return table(["flaw", "first fold, %", "last fold, %", "mean, %", "loss"], rows)


def backends(found: dict) -> str:
    networks = [name for name in ("4 layers", "7 layers") if name in found["backends"][0]]
    rows = [[row["backend"], *(f"{row[name]:.4f}" for name in networks)]
            for row in found["backends"] if "gap" not in row]  # fmt: skip
    gaps = [f"\n\n{row['backend']}: {row['gap']}." for row in found["backends"] if "gap" in row]
    return table(["seconds an epoch", *networks], rows) + "".join(gaps)


def lanes(found: dict) -> str:
    """Milliseconds of a step, how many times faster than the slowest, and the registers' peak."""
    steps = {row["workload"]: row["ms"] for row in found["lanes"] if "ms" in row}
    rows = []
    for name, peak in found["lanes"][0]["peak_gflops"].items():
        row = [name, f"{peak:.0f}"]
        for ms in steps.values():
            row += [f"{ms[name]:.2f}", f"{max(ms.values()) / ms[name]:.2f}×"]
        rows.append(row)
    head = ["registers", "peak, GFLOP/s"]
    for work in steps:
        head += [f"{work}, ms", "faster"]
    return table(head, rows)


def batches(found: dict) -> str:
    """Images a second."""
    rates = {}
    for row in found["batches"]:
        network, _, size = row["workload"].rpartition(" b")
        for name, ms in row["ms"].items():
            rates[f"{network}, {name}", int(size)] = f"{1e3 * int(size) / ms:,.0f}"
    names, sizes = (list(dict.fromkeys(part)) for part in zip(*rates))
    rows = [[str(size), *(rates[name, size] for name in names)] for size in sizes]
    return table(["images/s, batch", *names], rows)


TABLES = {
    "epochs": (minutes, accuracy), "penalties": (penalties,), "flaws": (flaws,),
    "backends": (backends,), "lanes": (lanes,), "batches": (batches,),
}  # fmt: skip


# ── the figure ───────────────────────────────────────────────────────────────────────────────


def plot(found: dict) -> Figure | None:
    """A panel per part that draws something; None where no such part was run."""
    panels = [(part, draw) for part, draw in PANELS.items() if part in found]
    if not panels:
        return None
    figure = Figure(figsize=(11, 3.8 * -(-len(panels) // 2)), layout="constrained")
    for k, (part, draw) in enumerate(panels, start=1):
        axes = figure.add_subplot(-(-len(panels) // 2), 2, k)
        draw(axes, found[part])
        axes.legend(fontsize=7, handlelength=4)  # long enough to tell dashes from dots
    return figure


def plot_epochs(axes, rows: list[dict]) -> None:
    mine = [r for r in rows if r["task"] == ONE and "report" in r["recipe"]]
    for row, marker in zip(mine, "os"):
        n = np.array(row["epochs"])
        axes.plot(n, row["minutes"], f"k{marker}", label=f"ours, {row['network']}")
        axes.plot(n, row["slope"] * n + row["start"], "k-", linewidth=0.8)
    for column, (name, line) in enumerate((("CPU", "--"), ("SSE4.2", "-."), ("GPU", ":"))):
        known = [(e, m[column]) for (net, e), m in MINUTES.items()
                 if net == "4 layers" and m[column] is not None]  # fmt: skip
        axes.plot(*zip(*known), f"k{line}x", label=f"the report, 4 layers, {name}")
    axes.set(xscale="log", yscale="log", xlabel="epochs", ylabel="time of 5 folds (minutes)",
             title="time against epochs (lines: least squares)")  # fmt: skip
    axes.set_xticks([25, 50, 100, 200, 400], ["25", "50", "100", "200", "400"])
    axes.minorticks_off()


def plot_lanes(axes, rows: list[dict]) -> None:
    if "ms" not in rows[0]:  # of --quick
        peaks = rows[0]["peak_gflops"]
        axes.bar([*peaks], peaks.values(), color="0.65", edgecolor="black", label="multiply-adds")
        axes.set(ylabel="peak (GFLOP/s)", title="vector registers, one thread")
        axes.set_ylim(top=1.2 * axes.get_ylim()[1])  # room for the legend
        return
    names = list(rows[0]["ms"])
    for k, (row, shade) in enumerate(zip(rows, ("black", "0.65"))):
        slowest = max(row["ms"].values())
        heights = [slowest / row["ms"][name] for name in names]
        at = np.arange(len(names)) + (k - 0.5) * 0.4
        axes.bar(at, heights, 0.4, color=shade, edgecolor="black", label=row["workload"])
    axes.set_xticks(range(len(names)), [n.replace(", ", ",\n") for n in names], fontsize=7)
    axes.set(ylabel="times as fast as the slowest", title="vector registers, one thread")


def plot_batches(axes, rows: list[dict]) -> None:
    lines = iter(LINES)
    for network in dict.fromkeys(row["workload"].rpartition(" b")[0] for row in rows):
        mine = [row for row in rows if row["workload"].startswith(network)]
        sizes = [int(row["workload"].rpartition(" b")[2]) for row in mine]
        for name in mine[0]["ms"]:
            rates = [1e3 * size / row["ms"][name] for size, row in zip(sizes, mine)]
            axes.plot(sizes, rates, "o", linestyle=next(lines), color="black", markersize=3,
                      label=f"{network}, {name}")  # fmt: skip
    axes.set(xscale="log", yscale="log", xlabel="batch size (images)",
             ylabel="training throughput (images/s)", title="batch size")  # fmt: skip
    axes.set_ylim(top=5 * axes.get_ylim()[1])  # room for the legend


PANELS = {"epochs": plot_epochs, "lanes": plot_lanes, "batches": plot_batches}


def plot_flaws(rows: list[dict]) -> Figure:
    """A panel for each flaw, beside the training without any, in grey; with the recipe that learns.
    """
    sound, *flawed = [row for row in rows if "report" not in row["recipe"]]
    figure = Figure(figsize=(9, 5), layout="constrained")
    panels = figure.subplots(2, -(-len(flawed) // 2), sharex=True, sharey=True, squeeze=False).flat
    for axes, row in zip(panels, flawed):
        for curves, color in ((sound, "0.7"), (row, "black")):
            for fold, accuracy in enumerate(curves["accuracy"]):
                epochs = np.arange(len(accuracy)) + fold * len(accuracy)
                axes.plot(epochs, 100 * np.array(accuracy), color=color, linewidth=1)
        axes.set_title(row["flaw"], fontsize=10)
    for axes in panels[len(flawed) :]:
        axes.axis("off")
    figure.supxlabel("epochs, fold after fold", fontsize=10)
    figure.supylabel("accuracy on the held-out fold (%)", fontsize=10)
    figure.suptitle(f"with {sound['recipe']}; grey: none of the flaws", fontsize=10)
    return figure
