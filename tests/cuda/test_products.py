"""How near a matrix product is to the exact one, number by number."""

import copy

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import minicnn as m
from minicnn.backends.cuda import data, tile
from tests.strategies import normal, seeds

# Of the sum of |a · b|: what three products of shorter numbers leave out (`tensor_cores.py`), or
# float32's rounding of a sum of so many numbers, whichever is more.
LEFT_OUT = 2.0**-19


@settings(max_examples=settings.default.max_examples // 8)
@given(st.integers(1, 70), st.integers(1, 40), st.integers(1, 300), st.integers(0, 6), seeds)
@example(1, 17, 256, 0, 0)  # an index that the compiler puts together of bytes
def test_every_number_of_a_product_is_right_to_nineteen_binary_digits(n, outputs, k, spread, seed):
    """Also where weights differ by many powers of ten."""
    layer = m.Dense(k, outputs, bias=False)
    layer.weight.value *= 10 ** (spread * normal((1, k), seed, "float32").clip(-1, 1))
    x = normal((n, k), seed + 1, "float32")
    w = layer.weight.value.astype("f8")
    found = copy.deepcopy(layer).to("cuda").forward(x)
    most = LEFT_OUT + k * np.finfo("f").eps
    assert (abs(found - x.astype("f8") @ w.T) <= most * (abs(x).astype("f8") @ abs(w.T))).all()


@pytest.mark.filterwarnings("ignore:.*invalid value")  # NumPy's, in the simulator
@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_what_is_no_number_reaches_its_row_and_no_other(poison):
    layer, x = m.Dense(40, 20), normal((5, 40), 0, "float32")
    x[3, 17] = poison
    y = copy.deepcopy(layer).to("cuda").forward(x)
    assert not np.isfinite(y[3]).any()
    assert np.isfinite(np.delete(y, 3, axis=0)).all()


def test_more_rows_than_a_grid_has_room_for_are_refused():
    narrow = tile.TILES[-1]
    most = tile.MOST_TILES * narrow.shape[0]
    with pytest.raises(ValueError, match=f"product of {most + 1} rows, wanted at most {most}:"):
        tile.multiply(None, narrow, 1, None, None, None, (most + 1, 1, 1), 1, None, None)


def test_the_pixels_of_large_images_lie_along_the_grids_long_side(monkeypatch):
    grids = []
    monkeypatch.setattr(data, "launch", lambda kernel, blocks, *_, **__: grids.append(blocks))
    ops = m.backends.get("cuda")
    images = ops.upload(np.zeros((1, 3, 840, 840), np.uint8))
    ops.gather(images, np.arange(1), np.dtype("f"), ops.Buffers())
    assert grids == [(-(-images.shape[1] * 840**2 // data.SQUARE), 1)]
