"""Convolutions with fewer multiplications: the algebra, its two programs, when they are taken."""

import os
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import Conv2D, backends, gradcheck
from minicnn.backends import minimal
from minicnn.backends.numba import runtime, winograd, winograd_weights
from minicnn.backends.numpy import winograd as in_matrices
from minicnn.backends.window import Window
from tests.backends.test_numba_convolution import case, convolve, poisoned
from tests.strategies import normal, seeds

numpy, numba = backends.get("numpy"), backends.get("numba")


def taking(backend, forward, input_gradient, weight_gradient):
    """The backend with these for its convolutions: they know no groups."""
    return SimpleNamespace(**vars(backend) | {
        "conv2d_forward": lambda x, w, b, window, groups, buffers: forward(
            x, w, b, window, buffers
        ),
        "conv2d_input_gradient": lambda dy, w, window, groups, buffers: input_gradient(
            dy, w, window, buffers
        ),
        "conv2d_weight_gradient": lambda dy, x, window, groups, dw, buffers: weight_gradient(
            dy, x, window, dw, buffers
        ),
    })  # fmt: skip


IN_LANES = taking(
    numba, winograd.conv2d_forward, winograd.conv2d_input_gradient,
    winograd_weights.conv2d_weight_gradient,
)  # fmt: skip
IN_MATRICES = taking(
    numpy, in_matrices.conv2d_forward, in_matrices.conv2d_input_gradient,
    in_matrices.conv2d_weight_gradient,
)  # fmt: skip
sizes = st.sampled_from([3, 5])
FILTERS = st.integers(1, 40)
# The kernels of one more type would take as long to compile as these.
CHANNELS = st.integers(17, 20)
COMPILED = st.sampled_from([(3, "float32"), (5, "float32"), (3, "float64")])
# Largest error over largest value: backends/minimal.py says where it comes from.
TOLERANCE = {"float32": 1e-4, "float64": 1e-12}


@st.composite
def convolutions(draw, k, filters, channels):
    """A layer of k × k and a sample shape: any image that has a window, any padding."""
    padding = draw(st.tuples(*[st.integers(0, k)] * 2))
    size = (draw(st.integers(max(1, k - 2 * p), 11)) for p in padding)
    channels = draw(channels)
    return Conv2D(channels, draw(filters), k, padding=padding), (channels, *size)


def agree(found, wanted, dtype):
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_allclose(a, b, rtol=0, atol=TOLERANCE[dtype] * (1e-3 + np.abs(b).max()))


def exact(arguments):
    return [np.float64(a) if k < 4 else a for k, a in enumerate(arguments)]


@pytest.mark.parametrize("k", [3, 5])
@given(seeds)
def test_products_at_the_points_give_the_correlation(k, seed):
    """y = Aᵀ [(G w) ⊙ (B x)] is y[i] = Σ_u w[u] · x[i + u]; so are its two gradients."""
    rng, t = np.random.default_rng(seed), minimal.matrices(minimal.M, k)
    a, g, b = t["A"], t["G"], t["B"]
    w, x, dy = (rng.standard_normal(n) for n in (k, len(b), minimal.M))
    close = {"rtol": 1e-10, "atol": 1e-10}
    np.testing.assert_allclose(a.T @ ((g @ w) * (b @ x)), np.correlate(x, w), **close)
    np.testing.assert_allclose(g.T @ ((a @ dy) * (b @ x)), np.correlate(x, dy), **close)


@given(st.data(), sizes, st.integers(1, 3), seeds)
def test_in_matrices_it_is_the_reference_at_every_shape(data, k, n, seed):
    layer, shape = data.draw(convolutions(k, st.integers(1, 4), st.integers(1, 4)))
    arguments = case(layer, shape, n, "float64", seed)
    found = convolve(IN_MATRICES, np.copy, *arguments)
    agree(found, convolve(numpy, np.copy, *arguments), "float64")


@given(st.data(), COMPILED, st.sampled_from([1, 2, 15, 16, 17, 33]), seeds)
def test_in_lanes_it_is_the_reference_at_every_shape(data, kind, n, seed):
    k, dtype = kind
    arguments = case(*data.draw(convolutions(k, FILTERS, CHANNELS)), n, dtype, seed)
    found = convolve(IN_LANES, poisoned, *arguments)
    agree(found, convolve(numpy, np.copy, *exact(arguments)), dtype)


@given(st.data(), st.integers(1, 4), seeds)
def test_in_lanes_it_is_the_reference_with_few_channels(data, channels, seed):
    drawn = data.draw(convolutions(3, FILTERS, st.just(channels)))
    arguments = case(*drawn, 17, "float32", seed)
    found = convolve(IN_LANES, poisoned, *arguments)
    agree(found, convolve(numpy, np.copy, *exact(arguments)), "float32")


@given(st.data(), COMPILED, st.sampled_from([1, 33, 64]), seeds)
def test_any_number_of_threads_gives_the_same_bytes(data, kind, n, seed):
    (k, dtype), before = kind, runtime.get_threads()
    arguments, found = case(*data.draw(convolutions(k, FILTERS, CHANNELS)), n, dtype, seed), set()
    try:
        for threads in (1, 2, 3, 5, 8):
            runtime.set_threads(threads)
            results = convolve(IN_LANES, poisoned, *arguments)
            found.add(b"".join(a.tobytes() for a in results))
    finally:
        runtime.set_threads(before)
    assert len(found) == 1


@given(st.data(), sizes, st.sampled_from([np.nan, np.inf]), seeds)
def test_what_is_not_finite_reaches_all_that_it_must_and_no_other_image(data, k, poison, seed):
    layer, shape = data.draw(convolutions(k, FILTERS, CHANNELS))
    x, w, b, dy, window = case(layer, shape, 2, "float32", seed)
    x[1, 0, data.draw(st.integers(0, shape[1] - 1)), data.draw(st.integers(0, shape[2] - 1))] = (
        poison
    )
    with np.errstate(invalid="ignore"):  # as layers do it; some builds of BLAS warn
        found, wanted = (
            convolve(ops, ops.from_numpy, x, w, b, dy, window) for ops in (IN_LANES, numpy)
        )
    for a, c in zip(found[:3], wanted[:3]):
        assert not np.isfinite(a[~np.isfinite(c)]).any()  # patches may hold more of them
    assert np.isfinite(found[0][0]).all()


def window_of(size, k=3, stride=1, padding=1):
    output = tuple((size + 2 * padding - k) // stride + 1 for _ in range(2))
    return Window((k, k), (stride, stride), (padding, padding), (size, size), output)


def test_it_is_taken_where_it_pays():
    for way in (winograd, winograd_weights):
        assert way.pays(64, 64, window_of(28))
        assert way.pays(32, 64, window_of(14, 5, padding=2))
        assert not way.pays(1, 64, window_of(28))  # one channel's transforms, for 64 products
        assert not way.pays(64, 64, window_of(28, stride=2))
        assert not way.pays(64, 64, window_of(28)._replace(dilation=(2, 2)))
        assert not way.pays(64, 64, window_of(28, 7, padding=3))
        assert not way.pays(64, 64, window_of(1))  # a patch of 16 for one output


@pytest.mark.parametrize("kernel_size", [3, 5])
def test_gradients_through_it_are_the_slopes_of_forward(kernel_size):
    layer = Conv2D(32, 32, kernel_size, padding="same").astype("float64").to("numba")
    assert winograd_weights.pays(32, 32, layer.window((32, 8, 8)))
    assert layer.way((32, 8, 8)) == f"Winograd F(4, {kernel_size})"
    gradcheck.check(layer, normal((2, 32, 8, 8), 0))


def run(value):
    program = (
        "from minicnn import Conv2D;"
        "print(Conv2D(64, 64, 3, padding=1).to('numba').way((64, 8, 8)))"
    )
    return subprocess.run(
        [sys.executable, "-c", program], env={**os.environ, "MINICNN_WINOGRAD": value},
        capture_output=True, encoding="utf-8",
    )  # fmt: skip


@pytest.mark.parametrize(("value", "says"), [("0", "direct"), ("1", "Winograd F(4, 3)")])
def test_a_switch_forbids_it(value, says):
    assert run(value).stdout.strip() == says


def test_another_value_of_the_switch_is_refused():
    assert "MINICNN_WINOGRAD must be 0 or 1, got 'no'" in run("no").stderr
