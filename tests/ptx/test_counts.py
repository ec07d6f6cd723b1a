"""What the interpreter counts, against what can be counted by hand."""

import cuda_convolution as example
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numba import float32

from minicnn import Conv2D
from minicnn.backends.cuda.device import cuda

from .counts import conflicts
from .host import DeviceArray, counted, to_device

LANES = np.arange(32)


@cuda.jit
def scaled(x, y):
    k = cuda.grid(1)
    if k < x.size:
        y[k] = 3 * x[k]


def test_bytes_and_instructions_of_a_launch_are_counted():
    with counted() as counts:
        scaled[3, 32](to_device(np.ones(70, np.float32)), DeviceArray(70, "f4"))
    assert counts.bytes == {("global", "read"): 280, ("global", "written"): 280}
    assert counts.instructions["mul.f32"] == 70
    assert counts.instructions["ret"] == 96
    assert counts.share("mul.f32") == 70 / counts.instructions.total()
    with counted() as counts:
        pass
    assert not counts.instructions


def by_hand(words_of_thread, together):
    """Turns beyond the first, with a dictionary of the banks for each part of a warp."""
    extra = 0
    for first in range(0, 32, together):
        banks = {}
        for words in words_of_thread[first : first + together]:
            for word in words:
                banks.setdefault(word % 32, set()).add(word)
        extra += max(map(len, banks.values())) - 1
    return extra


@given(st.sampled_from([4, 8, 16]), st.lists(st.integers(0, 200), min_size=32, max_size=32))
def test_bank_conflicts_are_those_of_a_count_by_hand(size, places):
    words = [range(size // 4 * p, size // 4 * (p + 1)) for p in places]
    found = conflicts(size * np.array(places), size, np.zeros(32, int), LANES)
    assert found == by_hand(words, 128 // size)


@pytest.mark.parametrize(
    "size, apart, extra",
    [(4, 4, 0), (4, 8, 1), (4, 128, 31), (4, 0, 0), (8, 8, 0), (16, 16, 0), (16, 32, 4)],
)
def test_threads_so_far_apart_take_so_many_turns_more(size, apart, extra):
    assert conflicts(apart * LANES, size, np.zeros(32, int), LANES) == extra


@pytest.mark.parametrize("width, extra", [(32, 31), (33, 0)])
def test_a_column_more_keeps_a_turned_square_out_of_each_others_banks(width, extra):
    @cuda.jit
    def turned(x, y):
        square = cuda.shared.array((32, width), float32)
        t = cuda.threadIdx.x
        for row in range(32):
            square[row, t] = x[row * 32 + t]
        cuda.syncthreads()
        for row in range(32):
            y[row * 32 + t] = square[t, row]

    x, y = to_device(np.arange(1024, dtype="f")), DeviceArray(1024, "f4")
    with counted() as counts:
        turned[1, 32](x, y)
    np.testing.assert_array_equal(y.copy_to_host(), np.arange(1024).reshape(32, 32).T.ravel())
    assert counts.shared_accesses == 64
    assert counts.bank_conflicts == 32 * extra


@pytest.mark.parametrize("name", ["naive", "tiled"])
def test_a_kernel_of_the_page_on_cuda_reads_what_the_page_counts(name):
    side = example.SIDE
    layer = Conv2D(side, side, 1, bias=False)  # everything in whole tiles
    window = layer.window((side, 2, 2))
    rung = example.rungs(layer, window)[name]
    images = np.ones((side, side, 2, 2), np.float32)
    with counted() as counts:
        example.run(name, rung, layer, window, images, 0)
    multiply_adds = side * layer.multiply_adds((side, 2, 2))
    wanted = 4 * example.reads_per_multiply_add(*rung[3]) * multiply_adds
    assert counts.bytes["global", "read"] == wanted
    assert counts.instructions["fma.rn.f32"] == multiply_adds
