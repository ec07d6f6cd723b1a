"""Pooling kernels visit only the taps that meet the image."""

import numpy as np
import pytest

from minicnn import MaxPool2D
from tests.strategies import normal

pooling = pytest.importorskip("minicnn.backends.numba.pooling")


@pytest.mark.parametrize(("kernel", "padding", "stride"), [(300, 150, 1), (255, 127, 3), (9, 4, 2)])
def test_a_window_takes_no_more_taps_than_the_image_has_pixels(
    kernel, padding, stride, monkeypatch
):
    taps, right = [], pooling.max_pool
    monkeypatch.setattr(pooling, "max_pool", lambda *most: taps.append(most) or right(*most))
    layer = MaxPool2D(kernel, stride, padding)
    x = normal((2, 1, 8, 8), 0, "float32")
    y = layer.forward(x)
    dy = normal(y.shape, 1, "float32")
    dx = layer.backward(dy)
    layer.to("numba")
    assert np.array_equal(layer.forward(x), y)
    np.testing.assert_allclose(layer.backward(dy), dx, rtol=1e-5, atol=1e-5)
    assert taps == [(8, 8, kernel)]
