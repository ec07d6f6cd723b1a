"""The tables and the figure of the Zener study, with the report's minutes beside ours."""

import numpy as np
from matplotlib.figure import Figure

# (network, epochs): minutes on its CPU, on that CPU with SSE4.2, on a K80 GPU
MINUTES = {
    ("4 layers", 25): (3.4, 2.6, None), ("4 layers", 50): (7.3, None, None),
    ("4 layers", 100): (15.9, 14.2, 6.6), ("4 layers", 200): (None, None, 25.5),
    ("4 layers", 400): (None, 110.0, 120.0), ("7 layers", 25): (4.7, 3.5, None),
    ("7 layers", 50): (9.3, None, None),
}  # fmt: skip
LINES = ("-", "--", ":", "-.")


def epochs(rows: list[dict]) -> str:
    lines = [
        f"{'5-fold cross-validation':58}{'':6}{'unseen cards':>16}{'':9}   the report's minutes",
        f"{'network':10}{'task':22}{'optimiser':26}{'epochs':>6}{'right, %':>16}{'minutes':>9}"
        "   CPU / SSE4.2 / GPU",
    ]
    for row in rows:
        for n, (mean, deviation), minutes in zip(row["epochs"], row["accuracy"], row["minutes"]):
            theirs = ""
            if row["task"] != "five symbols" and "report" in row["recipe"]:
                known = MINUTES.get((row["network"], n), (None,) * 3)
                theirs = " / ".join("–" if m is None else f"{m:g}" for m in known)
            lines.append(
                f"{row['network']:10}{row['task']:22}{row['recipe']:26}{n:6}"
                f"{mean:9.1f} ± {deviation:4.1f}{minutes:9.3f}   {theirs}"
            )
        lines.append(f"{'':10}minutes = {row['slope']:.5f} · epochs + {row['start']:.3f}, "
                     f"R² {row['r2']:.5f}")  # fmt: skip
    return "\n".join(lines)


def penalties(rows: list[dict]) -> str:
    lines = ["penalty, 4 layers, five symbols: unseen cards right, and the mean |weight|"]
    for row in rows:
        mean, deviation = row["accuracy"]
        right = f"{mean:.1f} ± {deviation:.1f} %"
        lines.append(f"{row['penalty']:12}{right:>16}{row['mean_weight']:12.4f}")
    return "\n".join(lines)


def flaws(rows: list[dict]) -> str:
    """What each fold ends with; where weights are kept, the last has seen its held-out cards."""
    lines = [f"{'one against the rest':28}{'optimiser':>26}{'first fold, %':>15}"
             f"{'last fold, %':>14}{'mean, %':>9}{'loss':>8}"]  # fmt: skip
    for row in rows:
        accuracy, loss = (np.array(row[name]) for name in ("accuracy", "loss"))
        first, last, mean = 100 * accuracy[0, -1], 100 * accuracy[-1, -1], 100 * accuracy[:, -1]
        lines.append(f"{row['flaw']:28}{row['recipe']:>26}{first:15.1f}{last:14.1f}"
                     f"{mean.mean():9.1f}{loss[:, -1].mean():8.3f}")  # fmt: skip
    return "\n".join(lines)


def backends(rows: list[dict]) -> str:
    lines = [f"{'seconds an epoch':18}{'4 layers':>10}{'7 layers':>10}"]
    for row in rows:
        cells = row.get("gap") or f"{row['4 layers']:10.4f}{row['7 layers']:10.4f}"
        lines.append(f"{row['backend']:18}{cells}")
    return "\n".join(lines)


def lanes(rows: list[dict]) -> str:
    """Milliseconds of a step, and how many times faster than the narrowest and oldest."""
    names = list(rows[0]["ms"])
    slowest = {row["workload"]: max(row["ms"].values()) for row in rows}
    lines = [f"{'ms a step, 1 thread':22}" + "".join(f"{row['workload']:>22}" for row in rows)]
    for name in names:
        cells = (f"{row['ms'][name]:13.2f}{slowest[row['workload']] / row['ms'][name]:8.2f}×"
                 for row in rows)  # fmt: skip
        lines.append(f"{name:22}" + "".join(cells))
    return "\n".join(lines)


def batches(rows: list[dict]) -> str:
    names = list(rows[0]["ms"])
    lines = [f"{'images/s':18}" + "".join(f"{name:>12}" for name in names)]
    for row in rows:
        size = int(row["workload"].rpartition(" b")[2])
        cells = "".join(f"{1e3 * size / row['ms'][name]:12,.0f}" for name in names)
        lines.append(f"{row['workload']:18}{cells}")
    return "\n".join(lines)


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
    mine = [r for r in rows if r["task"] != "five symbols" and "report" in r["recipe"]]
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


def plot_flaws(axes, rows: list[dict]) -> None:
    mine = [row for row in rows if "report" not in row["recipe"]]
    for k, (row, marker) in enumerate(zip(mine, "os^vDx")):
        accuracy = 100 * np.concatenate(row["accuracy"])
        shown = {"color": str(0.1 * k), "marker": marker, "markevery": (3 * k, 25), "markersize": 4}
        axes.plot(accuracy, linewidth=1, label=row["flaw"], **shown)
    per_fold = len(mine[0]["accuracy"][0])
    for fold in range(1, len(mine[0]["accuracy"])):
        axes.axvline(fold * per_fold, color="0.8", linewidth=0.8)
    axes.set(xlabel="epochs, fold after fold", ylabel="accuracy on the held-out fold (%)",
             title=f"the flaws, with {mine[0]['recipe']}")  # fmt: skip


def plot_lanes(axes, rows: list[dict]) -> None:
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


PANELS = {"epochs": plot_epochs, "flaws": plot_flaws, "lanes": plot_lanes, "batches": plot_batches}
