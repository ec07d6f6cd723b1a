"""The kernels of the page on CUDA: right, and reading as much as the page counts."""

import cuda_convolution as example
import numpy as np
import pytest

from minicnn import Conv2D
from minicnn.backends.cuda import device

SIMULATED = ["naive", "tiled", "register-tiled"]
TENSOR_CORES = pytest.param(
    "tensor cores", marks=pytest.mark.skipif(device.SIMULATED, reason="it has none")
)


@pytest.mark.parametrize(
    "name", [*(pytest.param(name, marks=pytest.mark.simulated) for name in SIMULATED), TENSOR_CORES]
)
@pytest.mark.parametrize("padding", [0, 1])
def test_each_kernel_computes_the_convolution(name, padding):
    layer = Conv2D(2, 3, 3, padding=padding, bias=False)
    window = layer.window((2, 3, 4))
    images = np.random.default_rng(0).standard_normal((3, 2, 3, 4), np.float32)
    rung = example.rungs(layer, window)[name]
    found, _ = example.run(name, rung, layer, window, images, 0)
    np.testing.assert_allclose(found, layer.forward(images), rtol=1e-5, atol=1e-5)


@pytest.mark.simulated
@pytest.mark.skipif(not device.SIMULATED, reason="only the simulator can count reads")
@pytest.mark.parametrize("name", ["naive", "tiled"])
def test_a_kernel_reads_what_the_page_counts(name, monkeypatch):
    from numba.cuda.simulator.cudadrv import devicearray

    reads, side = [0], example.SIDE
    inside = devicearray.FakeWithinKernelCUDAArray
    plain = inside.__getitem__

    def counted(array, index):
        reads[0] += 1
        return plain(array, index)

    # No padding, and filters, products and outputs all in whole tiles: every read is needed.
    layer = Conv2D(side, side, 1, bias=False)
    window = layer.window((side, 2, 2))
    images = np.ones((side, side, 2, 2), np.float32)
    rung = example.rungs(layer, window)[name]
    monkeypatch.setattr(inside, "__getitem__", counted)
    example.run(name, rung, layer, window, images, 0)
    multiply_adds = side * layer.multiply_adds((side, 2, 2))
    assert reads[0] == example.reads_per_multiply_add(*rung[3]) * multiply_adds
