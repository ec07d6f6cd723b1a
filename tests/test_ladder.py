"""The rungs of the ladder compute one and the same convolution."""

import ladder
import ladder_rungs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.strategies import normal, seeds, small

RUNGS = ladder_rungs.rungs(threads=1, images=1)


@pytest.mark.parametrize("rung", RUNGS[1:-1], ids=lambda rung: rung.name)
@settings(max_examples=settings.default.max_examples // 4)
@given(st.integers(1, 35), small, st.integers(1, 11), st.tuples(small, small),
       st.tuples(st.integers(0, 3), st.integers(0, 3)), seeds)  # fmt: skip
def test_a_rung_computes_what_plain_loops_do(rung, images, channels, filters, taps, more, seed):
    x = normal((images, channels, taps[0] + more[0], taps[1] + more[1]), seed, "float32")
    w = normal((filters, channels, *taps), seed + 1, "float32")
    wanted, _ = ladder.convolved(RUNGS[0], x, w)
    found, _ = ladder.convolved(rung, x, w)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4)


@given(st.integers(1, 35), small, st.tuples(st.integers(0, 5), st.integers(0, 5)), seeds)
def test_the_last_rung_does_so_with_its_kernels_of_five_by_five(images, channels, more, seed):
    x = normal((images, channels, 5 + more[0], 5 + more[1]), seed, "float32")
    w = normal((5, channels, 5, 5), seed + 1, "float32")
    wanted, _ = ladder.convolved(RUNGS[0], x, w)
    found, _ = ladder.convolved(RUNGS[-1], x, w)
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-4 * np.abs(wanted).max())
