"""Kernels that are wrong in one place: each must be caught, by a fault or by a wrong result."""

from functools import cache

import pytest

from minicnn import backends
from minicnn.backends.cuda.device import KERNELS
from tests.conftest import BY_NIGHT

from .compiled import Kernel
from .fault import Fault
from .host import noted
from .mutants import KINDS, all_mutants, installed
from .programs import PROGRAMS

MUTANTS = all_mutants()


def sources(kernel: Kernel) -> set[str]:
    """The modules of a kernel and of all that it calls."""
    function = kernel.py_func
    held = [cell.cell_contents for cell in function.__closure__ or ()]
    called = held + [function.__globals__.get(name) for name in function.__code__.co_names]
    inner = [sources(f) for f in called if isinstance(f, Kernel)]
    return {function.__module__}.union(*inner)


@cache
def kernels_of(program) -> list[Kernel]:
    with noted() as launches:
        program()
    return [kernel for kernel, _, _ in launches]


def chosen():
    """By day all barriers and atomic additions, and each file's first store."""
    stores = {mutant.file: mutant for mutant in reversed(MUTANTS) if mutant.kind == KINDS[-1]}
    return [m for m in MUTANTS if BY_NIGHT or m.kind != KINDS[-1] or m is stores[m.file]]


def test_the_programs_launch_every_kernel_that_needs_no_window():
    backends.get("cuda")
    launched = {id(kernel) for program in PROGRAMS for kernel in kernels_of(program)}
    fixed = {name: k for name, (k, _) in KERNELS.items() if not k.py_func.__closure__}
    assert {name for name, kernel in fixed.items() if id(kernel) not in launched} == set()


def test_there_are_mutants_of_every_kind():
    assert {mutant.kind for mutant in MUTANTS} == set(KINDS)


def test_a_mutant_without_a_change_is_right():
    with installed(MUTANTS[0]._replace(new=MUTANTS[0].old)):
        for program in PROGRAMS if BY_NIGHT else PROGRAMS[:1]:
            program()


@pytest.mark.parametrize("mutant", chosen(), ids=str)
def test_a_mutant_is_caught(mutant):
    programs = [
        program
        for program in PROGRAMS
        if any(mutant.module in sources(kernel) for kernel in kernels_of(program))
    ]
    with installed(mutant):
        for program in programs:
            try:
                program()
            except (Fault, AssertionError):
                return
    pytest.fail(f"{len(programs)} programs found nothing wrong")
