"""What the tests of the interpreter share."""

import numpy as np

from .host import DeviceArray, to_device
from .machine import Machine
from .memory import Region
from .parse import parse

THREADS = 32


def on_every_number(kernel, a, b, dtypes):
    """Launch kernel(a, [b,] *results), a number a thread, and give the results."""
    given = [to_device(np.ascontiguousarray(x)) for x in (a, a if b is None else b)]
    made = [DeviceArray(a.size, dtype) for dtype in dtypes]
    names = kernel.py_func.__code__.co_argcount
    kernel[-(-a.size // THREADS), THREADS](*given[: names - len(made)], *made)
    return [y.copy_to_host() for y in made]


def run_ptx(body, *arrays, threads=THREADS, counts=None):
    """Run PTX by hand: the arrays' addresses are in %rd1, %rd2, … and the thread in %r1."""
    made = [to_device(np.ascontiguousarray(a)) for a in arrays]
    names = [f"array_{k}" for k in range(1, len(arrays) + 1)]
    loads = "".join(f"ld.param.u64 %rd{k}, [{name}];" for k, name in enumerate(names, 1))
    program = parse(
        f".visible .entry by_hand({', '.join(f'.param .u64 {name}' for name in names)}) {{"
        ".reg .pred %p<9>; .reg .f32 %f<9>; .reg .b32 %r<9>; .reg .b64 %rd<9>;"
        f"{loads} mov.u32 %r1, %tid.x; {body} ret; }}"
    )
    regions = [Region(n, a.address, a.address + a.nbytes, a.memory) for n, a in zip(names, made)]
    addresses = [a.address.to_bytes(8, "little") for a in made]
    Machine(program, (1, 1, 1), (threads, 1, 1), addresses, regions, 1, counts).run()
    return [a.copy_to_host() for a in made]
