"""The instruction that the 32 threads of a warp carry out together: a small matrix product."""

import numpy as np

from .fault import Refused
from .floats import rounded, wider
from .operations import dtype_of
from .parse import Instruction, parts
from .registers import ALL, Registers, spread

WARP = 32
KNOWN = "mma.sync.aligned.m16n8k8.row.col.f32.tf32.tf32.f32"
GROUP, WITHIN = np.divmod(np.arange(WARP), 4)  # of a thread in its warp

# Row and column of each number that a thread gives or gets (NVIDIA, "PTX ISA", mma.m16n8k8).
PLACES_A = [(GROUP + 8 * r, WITHIN + 4 * k) for k in (0, 1) for r in (0, 1)]
PLACES_B = [(WITHIN + 4 * k, GROUP) for k in (0, 1)]
PLACES_C = [(GROUP + 8 * r, 2 * WITHIN + n) for r in (0, 1) for n in (0, 1)]
SINGLE = dtype_of("f32")


def matrix_product(form: Instruction, registers: Registers, lane, threads: int) -> None:
    """d = a · b + c for each warp. lane: the threads that are here, of blocks of so many.

    A tensor core looks at the first 11 digits of a and b, and cuts the sum off; here it is cut off
    once, at the end.
    """
    if form.name != KNOWN:
        raise NotImplementedError(form.text)
    beginning = lane[::WARP] % threads % WARP == 0
    if lane.size % WARP or not beginning.all() or (np.diff(lane.reshape(-1, WARP)) != 1).any():
        raise Refused("is met by some threads of a warp without the others", lane >= 0)
    to, a, b, c = map(parts, form.operands)
    a, b = (
        gathered(registers, names, places, shape, lane).view("u4") & np.uint32(2**32 - 2**13)
        for names, places, shape in ((a, PLACES_A, (16, 8)), (b, PLACES_B, (8, 8)))
    )
    exact = wider(a.view(SINGLE)) @ wider(b.view(SINGLE))
    exact = exact + wider(gathered(registers, c, PLACES_C, (16, 8), lane))
    cut_off = form._replace(modifiers=frozenset({"rz"}))
    found = rounded(cut_off, exact, SINGLE)
    for name, (row, column) in zip(to, PLACES_C):
        value = np.ascontiguousarray(found[:, row, column]).reshape(-1)
        registers.write(name, value, ALL if lane.size == registers.lanes else lane)


def gathered(registers, names, places, shape, lane):
    """The matrix of each warp, of which every thread has some numbers."""
    matrices = np.empty((lane.size // WARP, *shape), SINGLE)
    chosen = ALL if lane.size == registers.lanes else lane
    for name, (row, column) in zip(names, places):
        values = spread(registers.read(name, SINGLE, chosen), lane.size)
        matrices[:, row, column] = values.reshape(-1, WARP)
    return matrices
