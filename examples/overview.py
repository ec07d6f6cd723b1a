"""The README's tables: what the library learns and how fast, and the five reports beside ours."""

from statistics import mean, stdev

from fashion_mnist import REPORT as FASHION
from results import table
from zener_study.report import ALL, ONE, spread


def learned(mnist: dict, best: dict, fashion: dict, best_fashion: dict) -> str:
    """Right answers on images that were not learned from, and seconds of an epoch."""
    rows = []
    for run in mnist["runs"]:
        rows.append(["MNIST, a small CNN", run, f"{run['accuracy']:.2%}", "mnist"])
    for title, found, script in (
        ("MNIST", best, "best_mnist"), ("Fashion-MNIST", best_fashion, "best_fashion")
    ):  # fmt: skip
        for name, runs in found["runs"].items():
            run = runs[0]
            seconds = {"backend": found["backend"], "history": {"seconds": run["elapsed_s"]},
                       "epoch_s": run["seconds"] / len(run["accuracy"])}  # fmt: skip
            last = [{"accuracy": run["accuracy"][-1]} for run in runs]
            rows.append([f"{title}, {name}", seconds, f"{over_seeds(last)} %", script])
    for name in dict.fromkeys(run["backend"] for run in fashion["runs"]):
        mine = [run for run in fashion["runs"] if run["backend"] == name]
        rows.append(["Fashion-MNIST, dense", mine[0], f"{over_seeds(mine)} %", "fashion_mnist"])
    cnn = fashion["cnn"]
    rows.append(["Fashion-MNIST, a CNN", cnn, f"{cnn['accuracy']:.2%}", "fashion_mnist"])
    return table(
        ["network", "backend", "epochs", "s an epoch", "test accuracy", "command"],
        [[task, run["backend"], str(len(run["history"]["seconds"])), f"{run['epoch_s']:.2f}",
          right, f"`python examples/{script}.py`"] for task, run, right, script in rows],
    )  # fmt: skip


def over_seeds(runs: list[dict]) -> str:
    """Mean and standard deviation of the accuracy, in %."""
    values = [100 * run["accuracy"] for run in runs]
    return f"{mean(values):.2f}" + (f" ± {stdev(values):.2f}" if values[1:] else "")


def reports(
    zener: dict, threads: dict, batches: dict, mnist: dict, best: dict, fashion: dict
) -> str:
    """What each report found, and what the same study finds here."""
    rows = [
        ["Zener cards, 4 layers, 5 folds",
         "100 epochs in 15.9 minutes, 400 in 110: more than linear", cards(zener), "zener"],
        ["Threads and dense nets",
         "1.7 times as fast on 2 threads; a collapse at 8 threads on 4 cores",
         more_threads(threads), "thread-scaling"],
        ["Batch-parallel MNIST", "26 % on 1 thread, 91.8 % on 12, “surprising”",
         larger_batches(batches), "batch-parallel"],
        ["MNIST, CPU against GPU", "up to 8 times faster on a GPU", digits(mnist, best),
         "mnist-sweeps"],
        ["Fashion-MNIST", f"{FASHION['test_accuracy']:.2%} in {FASHION['cpu_s']} s on a CPU, "
         f"{FASHION['gpu_s']} s on a GPU", clothes(fashion), "fashion-mnist"],
    ]  # fmt: skip
    linked = [[*row, f"[page](docs/studies/{page}.md)"] for *row, page in rows]
    return table(["report", "it found", "here", "why"], linked)


def cards(zener: dict) -> str:
    runs = {(row["task"], row["recipe"]): row for row in zener["epochs"]
            if row["network"] == "4 layers"}  # fmt: skip
    slow = next(run for (task, recipe), run in runs.items() if task == ONE and "report" in recipe)
    minutes = dict(zip(slow["epochs"], slow["minutes"]))
    one, all_five = (spread(*runs[task, "Adam 0.0005"]["accuracy"][-1]) for task in (ONE, ALL))
    return (f"{minutes[100]:.2f} and {minutes[400]:.2f} minutes, linear; Adam: {one} % of one "
            f"symbol against the rest right, {all_five} % of five")  # fmt: skip


def more_threads(found: dict) -> str:
    ms = {row["work"]: row["ms"] for row in found["scaling"] if row["backend"] == "numba"}
    dense, short = ms["dense b64"], ms["mnist b64"]
    cores = found["machine"]["cores"]
    return (f"{dense[1] / dense[2]:.2f} times on 2; short steps take {short[4] / short[2]:.1f} "
            f"times as long with 4 threads on {cores} cores as with 2")  # fmt: skip


def larger_batches(found: dict) -> str:
    runs = [run for run in found["runs"] if run["sweep"] == "scaled rate"]
    means = [mean(100 * run["accuracy"] for run in runs if run["batch"] == size)
             for size in {run["batch"] for run in runs}]  # fmt: skip
    return (f"it is the batch, not the threads: {min(means):.1f} to {max(means):.1f} % at any "
            "batch once the rate is scaled with it")  # fmt: skip


def digits(mnist: dict, best: dict) -> str:
    seconds = {run["backend"]: run["epoch_s"] for run in mnist["runs"]}
    runs = [{"accuracy": run["accuracy"][-1]} for run in best["runs"]["best"]]
    minutes = best["runs"]["best"][0]["seconds"] / 60
    return (f"numba {seconds['numpy'] / seconds['numba']:.0f} times as fast as NumPy, equally "
            f"right; {over_seeds(runs)} % in {minutes:.0f} minutes")  # fmt: skip


def clothes(found: dict) -> str:
    runs = [run for run in found["runs"] if run["backend"] == found["runs"][-1]["backend"]]
    seconds = sorted(sum(run["history"]["seconds"]) for run in runs)
    return (f"{over_seeds(runs)} % in {seconds[len(seconds) // 2]:.1f} s; a CNN "
            f"{found['cnn']['accuracy']:.2%}")  # fmt: skip
