"""Convolution, dense and bias on lanes: poisoned padding, any thread count, the reference."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import backends
from minicnn.backends.numba import grouped, runtime
from minicnn.layers import Conv2D
from tests.strategies import conv2d, normal, seeds

numpy, numba = backends.get("numpy"), backends.get("numba")
counts = st.sampled_from([1, 2, 15, 16, 17, 33])
dtypes = st.sampled_from(["float32", "float64"])
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}


def poisoned(array):
    """The array as lanes, with NaN in every lane that is no image."""
    batch = numba.from_numpy(array)
    used = batch.count - (batch.data.shape[0] - 1) * batch.data.shape[-1]
    batch.data[-1, ..., used:] = np.nan
    batch.cleared = used == batch.data.shape[-1]
    return batch


def agree(found, wanted, dtype):
    scale = 1 + np.abs(wanted).max()
    np.testing.assert_allclose(found, wanted, rtol=0, atol=TOLERANCE[dtype] * scale)


def convolve(ops, batch, x, w, b, dy, window):
    """y, dx, dw and db of one convolution on a backend."""
    dw, db = np.full_like(w, np.nan), np.full(len(w), np.nan, w.dtype)
    groups = x.shape[1] // w.shape[1]
    y = ops.to_numpy(ops.conv2d_forward(batch(x), w, b, window, groups, ops.Buffers()))
    dx = ops.to_numpy(ops.conv2d_input_gradient(batch(dy), w, window, groups, ops.Buffers()))
    ops.conv2d_weight_gradient(batch(dy), batch(x), window, groups, dw, ops.Buffers())
    ops.bias_gradient(batch(dy), db, ops.Buffers())
    return y, dx, dw, db


def case(layer, shape, n, dtype, seed):
    window = layer.window(shape)
    return (
        normal((n, *shape), seed, dtype),
        normal(layer.weight.shape, seed + 1, dtype),
        normal(layer.weight.shape[:1], seed + 2, dtype),
        normal((n, *layer.output_shape(shape)), seed + 3, dtype),
        window,
    )


@given(conv2d(), counts, dtypes, seeds)
def test_what_lies_in_the_padding_lanes_reaches_no_result(drawn, n, dtype, seed):
    arguments = case(*drawn, n, dtype, seed)
    found = convolve(numba, poisoned, *arguments)
    wanted = convolve(numpy, np.copy, *(np.float64(a) if k < 4 else a
                                        for k, a in enumerate(arguments)))  # fmt: skip
    for a, b in zip(found, wanted, strict=True):
        agree(a, b, dtype)


@given(conv2d(), counts, dtypes, seeds)
def test_any_number_of_threads_gives_the_same_bytes(drawn, n, dtype, seed):
    arguments, before = case(*drawn, n, dtype, seed), runtime.get_threads()
    found = set()
    try:
        for threads in (1, 2, 4):
            runtime.set_threads(threads)
            results = convolve(numba, poisoned, *arguments)
            found.add(b"".join(a.tobytes() for a in results))
    finally:
        runtime.set_threads(before)
    assert len(found) == 1


@given(st.integers(1, 70), st.integers(1, 70), counts, dtypes, seeds)
def test_dense_layers_of_any_size_agree_with_the_reference(inputs, outputs, n, dtype, seed):
    x, dy = normal((n, inputs), seed), normal((n, outputs), seed + 1)
    w, b = normal((outputs, inputs), seed + 2), normal(outputs, seed + 3)
    results = []
    for ops, batch, kind in ((numba, poisoned, dtype), (numpy, np.copy, "float64")):
        x_, dy_, w_, b_ = (a.astype(kind) for a in (x, dy, w, b))
        dw = np.full_like(w_, np.nan)
        ops.dense_weight_gradient(batch(dy_), batch(x_), dw, ops.Buffers())
        y = ops.to_numpy(ops.dense_forward(batch(x_), w_, b_, ops.Buffers()))
        dx = ops.to_numpy(ops.dense_input_gradient(batch(dy_), w_, ops.Buffers()))
        results.append((y, dx, dw))
    for a, b in zip(*results, strict=True):
        agree(a, b, dtype)


@pytest.mark.parametrize("channels", [1, 3, 4, 7, 33])
@pytest.mark.parametrize("filters", [1, 5, 24, 50])
def test_tiles_with_ragged_edges_agree_with_the_reference(channels, filters):
    arguments = case(Conv2D(channels, filters, 3, padding=1), (channels, 5, 6), 19, "float64", 0)
    found = convolve(numba, poisoned, *arguments)
    for a, b in zip(found, convolve(numpy, np.copy, *arguments), strict=True):
        agree(a, b, "float64")


@pytest.fixture(params=[None, 1], ids=["whole images", "a row at a time"])
def place_bytes(request, monkeypatch):
    if request.param is not None:
        monkeypatch.setattr(grouped, "PLACE_BYTES", request.param)


@pytest.mark.parametrize(
    ("groups", "channels", "filters"), [(2, 5, 7), (3, 1, 1), (3, 1, 4), (20, 1, 1), (2, 9, 1)]
)
def test_groups_of_any_size_agree_with_the_reference(groups, channels, filters, place_bytes):
    layer = Conv2D(groups * channels, groups * filters, (3, 2), (2, 1), (1, 2), dilation=(1, 3),
                   groups=groups)  # fmt: skip
    arguments = case(layer, (groups * channels, 7, 17), 19, "float64", 0)
    found = convolve(numba, poisoned, *arguments)
    for a, b in zip(found, convolve(numpy, np.copy, *arguments), strict=True):
        agree(a, b, "float64")


@given(st.data(), st.sampled_from([np.nan, np.inf, -np.inf]), seeds)
def test_in_groups_what_is_not_finite_reaches_what_it_does_in_the_formula(data, poison, seed):
    layer = Conv2D(4, 4, 3, data.draw(st.integers(1, 2)), padding=1, groups=4)
    x, w, b, dy, window = case(layer, (4, 5, 6), 2, "float64", seed)
    for array in (x, dy):
        array[tuple(data.draw(st.integers(0, n - 1)) for n in array.shape)] = poison
    with np.errstate(invalid="ignore"):
        found = convolve(numba, poisoned, x, w, b, dy, window)
        wanted = convolve(numpy, np.copy, x, w, b, dy, window)
    for a, c in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, c, rtol=0, atol=1e-10)
