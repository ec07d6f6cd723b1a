"""Every cuda kernel, compiled for several generations of GPUs on a machine that may have none."""

import pytest

pytest.importorskip("numba_cuda", reason="the cuda extra is not installed")

from minicnn.backends.cuda import compiled, device
from tests.conftest import BY_NIGHT

if device.SIMULATED:
    pytest.skip("the simulator compiles nothing", allow_module_level=True)


@pytest.mark.slow
@pytest.mark.parametrize("generation", compiled.GENERATIONS[0 if BY_NIGHT else -1 :], ids=str)
def test_no_kernel_spills_registers_or_computes_in_float64(generation):
    reports = {
        name: compiled.compile_for(kernel, takes, generation)
        for name, (kernel, takes) in compiled.all_kernels().items()
    }
    for name, report in reports.items():
        print(f"{name:60} {report}")
    assert {name for name, r in reports.items() if r.spilled_bytes or r.stack_bytes} == set()
    assert {name for name, r in reports.items() if r.float64_instructions} == set()
    assert all(0 < report.registers <= 255 for report in reports.values())


def test_the_check_sees_float64_and_arrays_outside_registers():
    from numba import float32

    def leaks(x):
        x[0] = x[0] * 0.1 + 3.3

    def keeps_an_array(x):
        held = device.cuda.local.array(400, float32)
        for k in range(400):
            held[k] = x[k]
        for k in range(400):
            x[k] = held[int(x[k])]

    assert compiled.compile_for(device.cuda.jit(leaks), ["F"], (8, 0)).float64_instructions
    assert compiled.compile_for(device.cuda.jit(keeps_an_array), ["F"], (8, 0)).stack_bytes >= 1600
