"""How near a matrix product is to the exact one, number by number."""

import copy

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import minicnn as m
from tests.strategies import normal, seeds

# Of the sum of |a · b|: what three products of shorter numbers leave out (`tensor_cores.py`), or
# float32's rounding of a sum of so many numbers, whichever is more.
LEFT_OUT = 2.0**-19


@settings(max_examples=settings.default.max_examples // 8)
@given(st.integers(1, 70), st.integers(1, 40), st.integers(1, 300), st.integers(0, 6), seeds)
def test_every_number_of_a_product_is_right_to_nineteen_binary_digits(n, outputs, k, spread, seed):
    """Also where weights differ by many powers of ten."""
    layer = m.Dense(k, outputs, bias=False)
    layer.weight.value *= 10 ** (spread * normal((1, k), seed, "float32").clip(-1, 1))
    x = normal((n, k), seed + 1, "float32")
    w = layer.weight.value.astype("f8")
    found = copy.deepcopy(layer).to("cuda").forward(x)
    most = LEFT_OUT + k * np.finfo("f").eps
    assert (abs(found - x.astype("f8") @ w.T) <= most * (abs(x).astype("f8") @ abs(w.T))).all()


@pytest.mark.parametrize("poison", [np.nan, np.inf])
def test_what_is_no_number_reaches_its_row_and_no_other(poison):
    layer, x = m.Dense(40, 20), normal((5, 40), 0, "float32")
    x[3, 17] = poison
    y = copy.deepcopy(layer).to("cuda").forward(x)
    assert not np.isfinite(y[3]).any()
    assert np.isfinite(np.delete(y, 3, axis=0)).all()
