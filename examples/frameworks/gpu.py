"""What `compare_frameworks.py --backend cuda` compares: single kernels, an epoch, and whole steps.

Kernels: minicnn's matrix product and convolution beside cuBLAS and cuDNN (through PyTorch), and an
element-wise kernel beside a plain copy. Epoch: 60,000 digits through the LeNet-like network.
Steps: the networks of the other backends at three batch sizes, beside PyTorch in float32 without
TF32, eager and as one CUDA graph; each in a process of its own, by turns, timed by CUDA events.
"""

import os
from importlib.util import find_spec
from statistics import median
from time import perf_counter

import numpy as np
from results import save, table
from tqdm import tqdm

import minicnn as m
from frameworks.minicnn_step import network
from frameworks.workloads import at_batch
from minicnn import backends
from minicnn.backends import scalar

RUNNERS = {
    "cuda": ("numba", "minicnn_cuda", "cuda"),
    "torch": ("torch", "torch", "cuda"),
    "torch graph": ("torch", "torch", "cuda graph"),
}
BATCHES = (64, 256, 4096)


def compare_on_gpu(options, compare) -> None:
    """compare: times the runners of some workloads. What is known is saved after each network."""
    path, report = options.out / "compare_gpu.json", {"gpu": gpu_name(), "runs": []}
    report |= {"kernels": kernel_times(), "lenet_b256_epoch_s": epoch_seconds(5)}
    save(path, report)
    runners = {name: runner for name, runner in RUNNERS.items() if find_spec(runner[0])}
    cores = {name: {"cores": os.cpu_count()} for name in runners}  # for the host's own threads
    names = dict.fromkeys(name.rpartition(" b")[0] for name in options.workloads)
    turns = len(names) * len(BATCHES) * options.rounds * len(runners)
    with tqdm(total=turns, disable=None) as bar:
        for name in names:
            works = [at_batch(name, batch) for batch in BATCHES]
            report["runs"] += compare(works, 1, runners, options, bar, cores)
            save(path, report)
    tables = [kernels_table(report), epoch_sentence(report), steps_table(report)]
    print("\n\n".join([report["gpu"], *tables, str(path.resolve())]))


def gpu_name() -> str:
    from minicnn.backends.cuda.device import cuda

    return cuda.get_current_device().name


def measured(found: dict) -> str:
    """A sentence: when, and on what."""
    machine = found["machine"]
    names = ", ".join(f"{name} {version}" for name, version in machine["packages"].items())
    return f"Measured on {machine['date']}: {found['gpu']}, Python {machine['python']}, {names}."


def epoch_sentence(found: dict) -> str:
    seconds = found["lenet_b256_epoch_s"]
    return f"The LeNet-like network at batch 256: 60,000 images in {seconds:.3f} s."


# ── single kernels ───────────────────────────────────────────────────────────────────────────


def kernel_times() -> list[dict]:
    """Milliseconds, and the rate in GFLOP/s or GB/s, of minicnn's kernel and of its peer's."""
    convolutions = convolution_row(1, 32, 28), convolution_row(32, 64, 14)
    return [element_wise_row(), product_row(4096), *convolutions]


def element_wise_row(count: int = 1 << 26) -> dict:
    from minicnn.backends.cuda.device import cuda, queue

    ops = backends.get("cuda")
    x, buffers = ops.from_numpy(normal(count, 1)), ops.Buffers()
    copy = cuda.device_array(count, np.float32)
    ours = timed(lambda: ops.activation_forward(x, scalar.relu, (), buffers))
    peer = timed(lambda: copy.copy_to_device(x.flat, stream=queue()))
    return row("relu, beside a copy", ours, peer, 8 * count, "GB/s")


def product_row(n: int) -> dict:
    """With the errors of both as well: minicnn's products come from shorter numbers."""
    ops = backends.get("cuda")
    a, b = normal(n, n), normal(n, n, seed=1)
    x, (w,), buffers = ops.from_numpy(a), ops.allocate([b]), ops.Buffers()
    ours = timed(lambda: ops.dense_forward(x, w, None, buffers))
    errors, peer = [error_of(ops.to_numpy(ops.dense_forward(x, w, None, buffers)), a, b)], None
    if find_spec("torch"):
        import torch

        torch.backends.cuda.matmul.allow_tf32 = False
        theirs, turned = torch.tensor(a, device="cuda"), torch.tensor(b, device="cuda").T
        peer = torch_timed(lambda: theirs @ turned)
        errors.append(error_of((theirs @ turned).cpu().numpy(), a, b))
    made = row(f"dense {n}³, beside cuBLAS", ours, peer, 2 * n**3, "GFLOP/s")
    return made | {"errors": errors}


def error_of(product: np.ndarray, a: np.ndarray, b: np.ndarray, rows: int = 64) -> float:
    """How far a · bᵀ is from float64's, in its first rows: root of the mean squares of both."""
    exact = a[:rows].astype(np.float64) @ b.T.astype(np.float64)
    return float(np.sqrt(((product[:rows] - exact) ** 2).mean() / (exact**2).mean()))


def convolution_row(channels: int, filters: int, size: int, batch: int = 4096) -> dict:
    ops, layer = backends.get("cuda"), m.Conv2D(channels, filters, 5, padding="same")
    shape = (channels, size, size)
    window, flops = layer.window(shape), 2 * batch * layer.multiply_adds(shape)
    x, (w, b) = (
        ops.from_numpy(normal(batch, *shape)),
        ops.allocate([layer.weight.value, layer.bias.value]),
    )
    buffers = ops.Buffers()
    ours = timed(lambda: ops.conv2d_forward(x, w, b, window, 1, buffers))
    peer = None
    if find_spec("torch"):
        import torch

        torch.backends.cudnn.allow_tf32, torch.backends.cudnn.benchmark = False, True
        theirs = torch.nn.Conv2d(channels, filters, 5, padding=2, device="cuda")
        images = torch.randn(batch, *shape, device="cuda")
        with torch.no_grad():
            peer = torch_timed(lambda: theirs(images))
    title = f"conv {channels}→{filters} 5×5 {size}², batch {batch}, beside cuDNN"
    return row(title, ours, peer, flops, "GFLOP/s")


CALLS = 10  # between two events, so that what the host does for a call is hidden by the one before


def timed(run, repeats: int = 10) -> float:
    """Median milliseconds of a call, one of CALLS between two events."""
    from minicnn.backends.cuda.device import cuda, queue

    run()  # may compile, and takes memory
    times = []
    for _ in range(repeats):
        begin, end = cuda.event(), cuda.event()
        begin.record(queue())
        for _ in range(CALLS):
            run()
        end.record(queue())
        end.synchronize()
        times.append(begin.elapsed_time(end) / CALLS)
    return median(times)


def torch_timed(run, repeats: int = 10) -> float:
    from frameworks.torch_step import milliseconds

    milliseconds(run, 3)
    return median(milliseconds(run, CALLS) for _ in range(repeats))


def row(name: str, ours: float, peer: float | None, work: int, unit: str) -> dict:
    return {
        "name": name,
        "unit": unit,
        "ms": ours,
        "rate": work / ours / 1e6,
        "peer_ms": peer,
        "peer_rate": peer and work / peer / 1e6,
    }


def normal(*shape: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


# ── an epoch ─────────────────────────────────────────────────────────────────────────────────


def epoch_seconds(epochs: int) -> float:
    """Median seconds of an epoch after the first, which compiles and records; of one, its own."""
    rng, work = np.random.default_rng(0), at_batch("lenet b64", 256)
    images = rng.integers(0, 256, (60_000, *work.shape), dtype=np.uint8)
    net, labels = network(work).to("cuda"), rng.integers(0, work.outputs, len(images))
    start = perf_counter()
    history = m.fit(net, m.SoftmaxCrossEntropy(), m.Adam(), (images, labels), epochs=epochs,
                    batch_size=work.batch, progress=False)  # fmt: skip
    print(f"{epochs} epochs in {perf_counter() - start:.1f} s, compiling included")
    return median(history["seconds"][1:] or history["seconds"])


# ── tables ───────────────────────────────────────────────────────────────────────────────────


def steps_table(found: dict) -> str:
    """Milliseconds a step, GFLOP/s of minicnn, and PyTorch's eager time over minicnn's."""
    names, rows = list(RUNNERS), []
    for run in found["runs"]:
        ms = run["ms"]
        ratio = f"{ms['torch'] / ms['cuda']:.2f}" if "torch" in ms else "–"
        figures = [f"{ms[name]:.3f}" if name in ms else "–" for name in names]
        rows.append([run["workload"], *figures, f"{run['flops'] / ms['cuda'] / 1e6:.0f}", ratio])
    return table(["milliseconds a step", *names, "cuda, GFLOP/s", "torch/cuda"], rows)


def kernels_table(found: dict) -> str:
    rows = []
    for k in found["kernels"]:
        share = "–" if k["peer_ms"] is None else f"{k['peer_ms'] / k['ms']:.0%}"
        errors = ", ".join(f"{error:.1e}" for error in k.get("errors", []))
        rows.append([k["name"], f"{k['ms']:.3f}", f"{k['rate']:.0f} {k['unit']}", share, errors])
    return table(["kernel", "ms", "rate", "of the peer", "error, its"], rows)
