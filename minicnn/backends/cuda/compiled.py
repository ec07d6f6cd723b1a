"""What the compiler makes of every kernel, on any machine: python -m minicnn.backends.cuda.compiled

Kernels are compiled to the machine code of several generations of GPUs. It needs NVIDIA's compiler
libraries (the extra `cuda`), but no GPU and no driver. For each kernel the table
gives its registers a thread, its shared memory a block, its stack (a thread's arrays that did not
become registers), spills (registers that did not fit and went to memory) and instructions in
float64, of which a float32 kernel should have none. Where NVIDIA's nvdisasm is installed
(pip install nvidia-cuda-nvdisasm), the last column is the share of multiply-adds, or of tensor
cores' products of 16 × 8 × 8, among the instructions of the kernel's largest loop.
"""

import re
import subprocess
import tempfile
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace
from typing import NamedTuple
from unittest import mock

import numba
from cuda.core import Linker, LinkerOptions, ObjectCode
from cuda.pathfinder import find_nvidia_binary_utility

from .. import scalar
from ..contract import operations
from ..window import Window
from . import activation, convolution, grouped, pooling, tensor_cores, tile
from .device import KERNELS, cuda

GENERATIONS = ((7, 5), (8, 0), (9, 0), (9, 0, "a"))  # Turing, Ampere, Hopper, and all of Hopper
TAKEN = {
    "F": numba.float32[::1],
    "I": numba.int64[::1],
    "B": numba.uint8[::1],
    "n": numba.int64,
    "r": numba.float32,
}

TITLES = ("registers", "shared B", "stack B", "spilled B", "float64", "multiplies")


class Report(NamedTuple):
    registers: int
    shared_bytes: int
    stack_bytes: int
    spilled_bytes: int
    float64_instructions: int
    multiply_add_share: float | None  # None where there is no loop, or no nvdisasm


def all_kernels() -> dict:
    """Every kernel by name; of those that are made for a window, a LeNet-like network's."""
    for section in {*operations().values()}:
        import_module(f"{__package__}.{section}")
    for name, formula in vars(scalar).items():
        if slope := vars(scalar).get(f"{name}_slope"):
            activation.forward_elements(formula)
            activation.backward_elements(slope)
    wide = Window(kernel=(5, 5), stride=(1, 1), padding=(2, 2), image=(14, 14), output=(14, 14))
    half = Window(kernel=(2, 2), stride=(2, 2), padding=(0, 0), image=(14, 14), output=(7, 7))
    ways = [shape._replace(tensor_cores=True) for shape in tile.TILES]
    for shape, groups in [*((shape, 1) for shape in [*tile.TILES, *ways]), (tile.TILES[0], 2)]:
        convolution.forward_product(shape, wide, groups, 32, 64)
        convolution.input_product(shape, wide, groups, 32, 64)
        convolution.weight_product(shape, wide, groups, 32, 64)
    for channels, filters in ((1, 1), (1, 2), (4, 4)):
        grouped.forward_outputs(wide, channels, filters, True)
        grouped.input_pixels(wide, channels, filters)
        grouped.weight_sums(wide, channels, filters)
    pooling.max_pool(half, False)
    pooling.max_pool(half, True)
    for name in ("max_pool_slope", "avg_pool", "avg_pool_slope"):
        getattr(pooling, name)(half)
    return KERNELS


def kernels_for(generation: tuple) -> dict:
    """Those that it can run."""
    old = generation[:2] < tensor_cores.SINCE
    return {n: k for n, k in all_kernels().items() if not (old and tensor_cores.NAME in n)}


def compile_for(kernel, takes: list[str], generation: tuple) -> Report:
    """Compile a kernel for float32 and a compute capability such as (9, 0) or (9, 0, "a")."""
    ptx = ptx_of(kernel, tuple(TAKEN[letter] for letter in takes), generation)
    report, code = linked(ptx, generation)
    return report._replace(multiply_add_share=multiply_add_share(code))


def ptx_of(kernel, signature: tuple, generation: tuple) -> str:
    """A kernel for arguments of these types, as numba-cuda gives it to NVIDIA's linker."""
    options = {name: kernel.targetoptions.get(name) for name in ("fastmath", "launch_bounds")}
    pretended = SimpleNamespace(compute_capability=generation)
    with mock.patch("numba.cuda.dispatcher.get_current_device", lambda: pretended):
        return cuda.compile(
            kernel.py_func, signature, cc=generation, device=False, abi="numba", output="ptx",
            **options,
        )[0]  # fmt: skip


def linked(ptx: str, generation: tuple) -> tuple[Report, bytes]:
    """What the linker says of a kernel, and its machine code, which nobody has looked into."""
    architecture = f"sm_{named(generation)}"
    # What comes from the linker's cache has no report of it.
    options = LinkerOptions(arch=architecture, ptxas_options="-v", verbose=True, no_cache=True)
    linker = Linker(ObjectCode.from_ptx(ptx.encode()), options=options)
    code = linker.link("cubin").code
    log = linker.get_info_log()
    memory = re.search(
        r"(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads", log
    )
    registers = re.search(r"Used (\d+) registers", log)
    if memory is None or registers is None:
        raise RuntimeError(f"the linker's log for {architecture} has another form:\n{log}")
    shared = re.search(r"(\d+) bytes smem", log)
    report = Report(
        int(registers[1]), int(shared[1]) if shared else 0, int(memory[1]),
        int(memory[2]) + int(memory[3]), ptx.count(".f64"), None,
    )  # fmt: skip
    return report, code


def multiply_add_share(code: bytes) -> float | None:
    """Of the instructions between the jump back that spans most of them and where it leads."""
    disassembler = find_nvidia_binary_utility("nvdisasm")
    if disassembler is None:
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "kernel.cubin"
        file.write_bytes(code)
        text = subprocess.run(
            [disassembler, "-c", file], capture_output=True, text=True, check=True
        ).stdout
    labels, names, longest = {}, [], []
    for line in text.splitlines():
        if label := re.match(r"\.(L_x_\d+):", line.strip()):
            labels[label[1]] = len(names)
        elif found := re.search(r"/\*[0-9a-f]{4,}\*/\s+(?:@!?U?P\d+ )?([A-Z0-9]+)(.*)", line):
            names.append(found[1])
            if found[1] == "BRA" and (to := re.search(r"`\(\.(L_x_\d+)\)", found[2])):
                body = names[labels.get(to[1], len(names)) :]
                longest = max(body, longest, key=len)
    found = longest.count("FFMA") + longest.count("HMMA")
    return found / len(longest) if longest else None


def named(generation: tuple) -> str:
    return "".join(map(str, generation))


def main() -> None:
    for generation in GENERATIONS:
        print(f"\nsm_{named(generation)}")
        print(f"{'kernel':56}" + "".join(f"{title:>11}" for title in TITLES))
        for name, (kernel, takes) in sorted(kernels_for(generation).items()):
            *numbers, share = compile_for(kernel, takes, generation)
            last = "" if share is None else f"{share:11.0%}"
            print(f"{name:56}" + "".join(f"{number:11}" for number in numbers) + last)


if __name__ == "__main__":
    main()
