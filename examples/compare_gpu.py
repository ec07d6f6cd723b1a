"""Whole training steps on a GPU: minicnn's cuda backend beside PyTorch, at several batch sizes.

The networks of compare_frameworks.py; PyTorch in float32 without TF32, eager and as one CUDA graph.
Each framework runs in a process of its own, they take turns, and a step ends when its loss has been
read. Without a GPU, or without PyTorch, there is nothing to compare, and this says so.
"""

import json
import sys
from importlib.util import find_spec

from compare_frameworks import compare, machine
from frameworks.workloads import WORKLOADS, at_batch
from options import parser
from tqdm import tqdm

from minicnn import backends
from minicnn.files import whole_file

RUNNERS = {
    "cuda": ("numba", "minicnn", "cuda"),
    "torch": ("torch", "torch", "cuda"),
    "torch graph": ("torch", "torch", "cuda graph"),
}
BATCHES = (64, 256, 4096)


def main() -> None:
    options = parser(__doc__, epochs=0)
    options.add_argument("--rounds", type=int, default=7)
    options.add_argument("--seconds", type=float, default=0.3, help="of each turn")
    options = options.parse_args()
    try:
        backends.get("cuda")
    except RuntimeError as error:
        sys.exit(str(error))
    runners = {name: runner for name, runner in RUNNERS.items() if find_spec(runner[0])}
    names = [w.name for w in WORKLOADS if options.quick is False or w.name == "mnist b64"]
    works = [at_batch(name, batch) for name in dict.fromkeys(names) for batch in BATCHES]
    runs = []
    with tqdm(total=len(works) * options.rounds * len(runners), disable=None) as bar:
        for work in works:
            runs.append(compare(work, 1, runners, options, bar))
    path = options.out / "compare_gpu.json"
    with whole_file(path) as unfinished:
        unfinished.write_text(json.dumps({"machine": gpu(), "runs": runs}, indent=1) + "\n")
    print(table(runs, list(runners)))
    print(path.resolve())


def gpu() -> dict:
    from minicnn.backends.cuda.device import cuda

    return machine() | {"gpu": cuda.get_current_device().name.decode()}


def table(runs: list[dict], names: list[str]) -> str:
    """Milliseconds a step, GFLOP/s of minicnn, and PyTorch's eager time over minicnn's."""
    head = "".join(f"{name:>13}" for name in names)
    lines = [f"{'milliseconds a step':22}{head}{'GFLOP/s':>11}{'torch/cuda':>12}"]
    for run in runs:
        ms = run["ms"]
        cells = "".join(f"{ms[name]:13.3f}" for name in names)
        ratio = f"{ms['torch'] / ms['cuda']:.2f}×" if "torch" in ms else "–"
        rate = run["flops"] / ms["cuda"] / 1e6
        lines.append(f"{run['workload']:22}{cells}{rate:11.0f}{ratio:>12}")
    return "\n".join(lines)


if __name__ == "__main__":
    main()
