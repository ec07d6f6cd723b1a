"""Every cuda kernel, compiled for several generations of GPUs on a machine that may have none."""

from types import SimpleNamespace

import pytest

pytest.importorskip("numba_cuda", reason="the cuda extra is not installed")

from minicnn.backends.cuda import compiled, device, kept
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


def test_a_kept_kernel_comes_back_with_the_same_machine_code(tmp_path, monkeypatch):
    from numba.cuda.dispatcher import _Kernel

    def double(x, size):
        for k in range(device.cuda.grid(1), size, device.cuda.gridsize(1)):
            x[k] *= x.dtype.type(2)

    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    gpu = SimpleNamespace(compute_capability=(9, 0))
    for name in ("numba.cuda.get_current_device", "numba.cuda.dispatcher.get_current_device"):
        monkeypatch.setattr(name, lambda: gpu)
    on_gpu = SimpleNamespace(device=gpu)
    monkeypatch.setattr("numba.cuda.cudadrv.devices.get_context", lambda *number: on_gpu)
    context = device.cuda.jit(double).targetctx
    signature = tuple(compiled.TAKEN[letter] for letter in ("F", "n"))
    assert kept.KeptKernel(double).load_overload(signature, context) is None
    made = _Kernel(double, signature)
    code = made._codelibrary.get_cubin((9, 0, "a")).code
    kept.KeptKernel(double).save_overload(signature, made)
    found = kept.KeptKernel(double).load_overload(signature, context)
    assert found._codelibrary.get_cubin((9, 0, "a")).code == code
    (file,) = tmp_path.iterdir()
    file.write_bytes(file.read_bytes()[:100])
    assert kept.KeptKernel(double).load_overload(signature, context) is None

