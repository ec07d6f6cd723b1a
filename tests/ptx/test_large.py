"""What small shapes do not reach: every tile with several blocks and ragged edges, sums over k in
parts, sums in pieces, and more work than a grid has threads. Against numpy in float64."""

import copy

import numpy as np
import pytest

import minicnn as m
from minicnn import backends
from minicnn import layers as nn
from minicnn.backends.cuda import convolution, device, sums, tile
from tests.conftest import BY_NIGHT
from tests.cuda.test_layers import check_against_the_reference
from tests.strategies import normal

from .host import noted
from .programs import CONVOLUTION, TRANSPOSED

DTYPES = ["float32", "float64"] if BY_NIGHT else ["float32"]
every_dtype = pytest.mark.parametrize("dtype", DTYPES)
PLAIN = tile.TILES if BY_NIGHT else tile.TILES[-2:]
TILES = [*PLAIN, *(shape._replace(tensor_cores=True) for shape in tile.TILES)]
NAMES = ["{} by {}".format(*t.shape) + ", tensor cores" * t.tensor_cores for t in TILES]
every_tile = pytest.mark.parametrize("chosen", TILES, ids=NAMES)


def largest_grid(launches):
    """The most blocks along each axis that any launch had."""
    return tuple(max(sizes) for sizes in zip(*(grid for _, grid, _ in launches)))


@every_tile
@every_dtype
def test_a_tile_covers_several_blocks_in_each_direction(chosen, dtype, monkeypatch):
    if chosen.tensor_cores and dtype == "float64":
        pytest.skip("tensor cores are for float32")
    monkeypatch.setattr(convolution, "tile_for", lambda *sizes: chosen)
    rows, columns = chosen.shape
    layer = nn.Conv2D(rows + 1, rows + 3, 1)
    images = columns // 12 + 1  # of 3 × 4 pixels: a few columns more than one block has
    with noted() as launches:
        check_against_the_reference(layer, (rows + 1, 3, 4), images, dtype, 0, True)
    (across, down, _) = largest_grid(launches)
    assert across > 1 and down > 1
    assert {block[0] for _, _, block in launches} >= {chosen.threads}


@pytest.mark.skipif(not BY_NIGHT, reason="three kernels a tile: by night")
@every_tile
def test_a_tile_that_is_hardly_filled_agrees_with_the_reference(chosen, monkeypatch):
    monkeypatch.setattr(convolution, "tile_for", lambda *sizes: chosen)
    check_against_the_reference(nn.Conv2D(1, 2, 2, stride=2), (1, 5, 3), 3, "float32", 0, True)


@every_dtype
def test_a_sum_over_k_is_cut_into_parts(dtype):
    images = 40 * tile.DEPTH + 3
    with noted() as launches:
        check_against_the_reference(nn.Dense(images, 3), (images,), images, dtype, 0, True)
        check_against_the_reference(*CONVOLUTION, 21, dtype, 0, True)
    assert largest_grid(launches)[2] > 1


@every_dtype
def test_sums_of_several_pieces_agree_with_the_reference(dtype):
    size = sums.PIECE + 5
    check_against_the_reference(nn.BatchNorm(2), (2, 1, size), 1, dtype, 0, True)
    ops, buffers = backends.get("cuda"), device.Buffers()
    x, (db,) = normal((1, 2, 1, size), 0, dtype), ops.allocate([np.zeros(2, dtype)])
    ops.bias_gradient(ops.from_numpy(x), db, buffers)
    digit = {"float32": 1e-6, "float64": 1e-14}[dtype]
    wanted = x.sum((0, 2, 3), dtype=np.float64)
    np.testing.assert_allclose(ops.read(db), wanted, rtol=0, atol=digit * np.abs(x).sum())
    a, b = normal((size, 1), 0, dtype), normal((size, 1), 1, dtype)
    loss = m.MeanSquaredError()
    wanted = loss.forward(a.astype("f8"), b.astype("f8"))
    found = copy.deepcopy(loss).to("cuda").forward(a, b)
    assert found == pytest.approx(wanted, rel=10 * digit)


SHAPE = (5, 9, 8)
SHARED_OUT = [
    nn.ReLU(),
    nn.Sigmoid(),
    nn.MaxPool2D(3, stride=2, padding=1, ceil_mode=True),
    nn.AvgPool2D(3, stride=2, padding=1),
    nn.Dropout(0.3, seed=1),
    nn.Conv2D(5, 5, 2, groups=5),
    nn.Standardize(0.5, 2.0),
]


@pytest.mark.parametrize(
    "layer, shape", [*((layer, SHAPE) for layer in SHARED_OUT), TRANSPOSED], ids=str
)
def test_threads_take_several_turns_where_there_is_more_work_than_threads(
    layer, shape, monkeypatch
):
    monkeypatch.setattr(device, "MOST_BLOCKS", 2)
    check_against_the_reference(layer, shape, 2 * device.THREADS // 80, "float32", 0, True)


def test_samples_take_turns_too(monkeypatch):
    monkeypatch.setattr(device, "MOST_BLOCKS", 2)
    logits, labels = normal((5 * device.THREADS // 2, 3), 0), np.arange(5 * device.THREADS // 2) % 3
    loss = m.SoftmaxCrossEntropy()
    on_gpu = copy.deepcopy(loss).to("cuda")
    assert on_gpu.forward(logits, labels) == pytest.approx(loss.forward(logits, labels), rel=1e-12)
    np.testing.assert_allclose(on_gpu.backward(), loss.backward(), rtol=1e-10)


@pytest.mark.skipif(not BY_NIGHT, reason="a million threads: by night")
def test_a_whole_grid_takes_several_turns():
    x = normal((device.MOST_BLOCKS * device.THREADS + 3, 1), 0, "float32")
    np.testing.assert_array_equal(nn.ReLU().to("cuda").forward(x), np.maximum(x, 0))
