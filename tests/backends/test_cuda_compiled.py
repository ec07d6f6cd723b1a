"""Every cuda kernel, compiled for several generations of GPUs on a machine that may have none."""

from types import SimpleNamespace

import numpy as np
import pytest

pytest.importorskip("numba_cuda", reason="the cuda extra is not installed")

from cuda.pathfinder import find_nvidia_binary_utility

from minicnn.backends import ahead
from minicnn.backends.cuda import compiled, compiling, convolution, device, kept, tile
from minicnn.backends.window import Window
from tests.conftest import BY_NIGHT

if device.SIMULATED:
    pytest.skip("the simulator compiles nothing", allow_module_level=True)

from tests.ptx.compiled import read_or_compile


def ptx(kernel, takes, generation):
    """For float32; the interpreter's, where it needs the same."""
    return read_or_compile(kernel, tuple(compiled.TAKEN[letter] for letter in takes), generation)


def on_tensor_cores(number):
    return tile.TILES[number]._replace(tensor_cores=True)


GENERATIONS = compiled.GENERATIONS if BY_NIGHT else compiled.GENERATIONS[-1:]
PARTS = 4  # of the kernels, so that test processes share them


@pytest.mark.slow
@pytest.mark.parametrize("part", range(PARTS))
@pytest.mark.parametrize("generation", GENERATIONS, ids=str)
def test_no_kernel_spills_registers_or_computes_in_float64(generation, part):
    reports = {
        name: compiled.linked(ptx(kernel, takes, generation), generation)[0]
        for name, (kernel, takes) in [*compiled.kernels_for(generation).items()][part::PARTS]
    }
    for name, report in reports.items():
        print(f"{name:60} {report}")
    assert {name for name, r in reports.items() if r.spilled_bytes or r.stack_bytes} == set()
    assert {name for name, r in reports.items() if r.float64_instructions} == set()
    assert all(0 < report.registers <= 255 for report in reports.values())


@pytest.mark.skipif(
    find_nvidia_binary_utility("nvdisasm") is None, reason="nvdisasm is not installed"
)
@pytest.mark.parametrize(
    "tile, least",
    [(tile.TILES[3], 0.7), (on_tensor_cores(1), 0.12), (on_tensor_cores(3), 0.14)],
    ids=str,
)
@pytest.mark.parametrize("make", ["forward_product", "input_product", "weight_product"])
def test_a_product_spends_its_instructions_on_multiply_adds(make, tile, least):
    """The rest is loads and the arithmetic of indices, which 32 bits keep small. (A tensor core's
    instruction is 1,024 multiply-adds of a warp, an ordinary one 32.)
    """
    window = Window(kernel=(5, 5), stride=(1, 1), padding=(2, 2), image=(14, 14), output=(14, 14))
    product = getattr(convolution, make)(tile, window, 1, 32, 64)
    generation = compiled.GENERATIONS[-1]
    report, code = compiled.linked(ptx(product, "FFFnnnnnnF", generation), generation)
    assert compiled.multiply_add_share(code) > least
    assert report.registers * tile.threads * tile.beside <= 65536


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


@pytest.fixture
def pretended_gpu(tmp_path, monkeypatch):
    """Of the last generation, with no kernel kept."""
    monkeypatch.setattr(kept, "FOLDER", tmp_path)
    gpu = SimpleNamespace(compute_capability=(9, 0))
    for name in ("numba.cuda.get_current_device", "numba.cuda.dispatcher.get_current_device"):
        monkeypatch.setattr(name, lambda: gpu)
    on_gpu = SimpleNamespace(device=gpu)
    monkeypatch.setattr("numba.cuda.cudadrv.devices.get_context", lambda *number: on_gpu)


@pytest.mark.usefixtures("pretended_gpu")
def test_kernels_that_are_compiled_ahead_are_found_by_a_launch(tmp_path, monkeypatch):
    monkeypatch.setattr(compiling, "CORES", 2)
    monkeypatch.setattr(ahead, "EACH", 1)
    numbers, window = np.zeros(3, np.float32), Window((2, 2), (2, 2), (0, 0), (4, 4), (2, 2))
    kernels = [device.kernel("F n")(times(k)) for k in range(2)]
    products = convolution.forward_product(on_tensor_cores(0), window, 1, 3, 5)
    launches = [(kernel, 1, 1, (numbers, 3)) for kernel in kernels]
    launches += [*launches, (products, 1, 1, (numbers,) * 3 + (0,) * 6 + (numbers,))]
    compiling.compile_ahead(launches)
    assert len([*tmp_path.iterdir()]) == 3
    for kernel, _, _, arguments in launches:
        signature = tuple(map(kernel.typeof_pyval, arguments))
        found = kernel._cache.load_overload(signature, kernel.targetctx)
        assert {*found._codelibrary._cubin_cache} == {(9, 0, "a")}


def times(factor):
    def multiply(x, size):
        for k in range(device.cuda.grid(1), size, device.cuda.gridsize(1)):
            x[k] *= x.dtype.type(factor)

    return multiply


@pytest.mark.usefixtures("pretended_gpu")
def test_a_kept_kernel_comes_back_with_the_same_machine_code(tmp_path):
    from numba.cuda.dispatcher import _Kernel

    double = times(2)
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
