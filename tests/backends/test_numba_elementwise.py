"""numba against the reference: pooling, activations, normalisation, dropout, losses, updates."""

from math import erfc, prod, sqrt

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from minicnn import backends
from minicnn import layers as nn
from minicnn.backends.numba.runtime import get_threads, set_threads
from tests.backends.elementwise import (
    CASES,
    ELEMENT_WISE,
    UPDATES,
    Run,
    avg_pool,
    batch_norm,
    batch_norm_inference,
    check,
    count_correct,
    dropout,
    group_norm,
    max_pool,
    mean_squared_error,
    results,
    sigmoid_cross_entropy,
    softmax_cross_entropy,
)
from tests.strategies import ACTIVATIONS, any_shape, pooling, seeds

numpy, numba = backends.get("numpy"), backends.get("numba")
batch_sizes = st.sampled_from([1, 2, 15, 16, 17, 33])
dtypes = st.sampled_from(["float32", "float64"])
examples = settings(max_examples=settings.default.max_examples * 5 // 8)


@pytest.mark.parametrize("case", ELEMENT_WISE)
@examples
@given(shape=any_shape, images=batch_sizes, dtype=dtypes, seed=seeds)
def test_an_operation_on_each_number_or_image_agrees_with_the_reference(
    case, shape, images, dtype, seed
):
    check(case, shape, images=images, dtype=dtype, seed=seed)


@examples
@given(layer=pooling(nn.MaxPool2D), images=batch_sizes, dtype=dtypes, seed=seeds)
def test_max_pooling_agrees_with_the_reference(layer, images, dtype, seed):
    check(max_pool, *layer, images=images, dtype=dtype, seed=seed)


@examples
@given(layer=pooling(nn.MaxPool2D), images=batch_sizes, rectified=st.booleans(), seed=seeds)
def test_max_pooling_agrees_about_ties_nan_and_infinity(layer, images, rectified, seed):
    def case(run, layer, shape):
        window = layer.window(shape)
        x = run.rng.choice([-1, 0, 1, np.nan, np.inf], (images, *shape)).astype(run.dtype)
        y, winner = run.ops.max_pool_forward(run.place(x), window, rectified, run.buffers)
        dy = run.batch(shape[0], *window.output)
        return y, winner, run.ops.max_pool_backward(dy, winner, window, run.buffers)

    check(case, *layer, images=images, dtype="float32", seed=seed)


def test_a_window_of_more_than_256_taps_keeps_its_winner():
    check(max_pool, nn.MaxPool2D(17), (1, 17, 17), images=3, dtype="float32", seed=0)


@examples
@given(layer=pooling(nn.AvgPool2D), images=batch_sizes, dtype=dtypes, seed=seeds)
def test_average_pooling_agrees_with_the_reference(layer, images, dtype, seed):
    check(avg_pool, *layer, images=images, dtype=dtype, seed=seed)


@pytest.mark.parametrize("case", [batch_norm, batch_norm_inference])
@examples
@given(
    shape=st.tuples(st.integers(1, 4)) | st.tuples(*[st.integers(1, 4)] * 3),
    images=batch_sizes,
    dtype=dtypes,
    seed=seeds,
)
def test_batch_normalisation_agrees_with_the_reference(case, shape, images, dtype, seed):
    assume(images * prod(shape[1:]) > 3)  # few values may lie close together: a tiny variance
    check(case, shape, images=images, dtype=dtype, seed=seed)


@examples
@given(
    groups=st.integers(1, 3),
    sides=st.tuples(st.integers(4, 7)) | st.tuples(*[st.integers(1, 4)] * 3),
    images=batch_sizes,
    dtype=dtypes,
    seed=seeds,
)
def test_group_normalisation_agrees_with_the_reference(groups, sides, images, dtype, seed):
    assume(prod(sides) > 3)
    shape = (groups * sides[0], *sides[1:])
    check(group_norm, groups, shape, images=images, dtype=dtype, seed=seed)


def test_the_variance_of_large_numbers_that_differ_little_is_not_lost():
    def batch(run):
        x = run.place(1000 + run.array(17, 2))
        gamma, beta, mean, var = np.array([[1, 1], [0, 0], [0, 0], [1, 1]], run.dtype)
        return run.ops.batch_norm_forward(x, gamma, beta, mean, var, 0.1, 1e-5, run.buffers)

    def group(run):
        x = run.place(1000 + run.array(2, 17))
        gamma, beta = np.ones(17, run.dtype), np.zeros(17, run.dtype)
        return run.ops.group_norm_forward(x, gamma, beta, 1, 1e-5, run.buffers)

    for case, images, axis in ((batch, 17, 0), (group, 2, 1)):
        y = results(case, Run(numba, images, "float32", 0))[0]
        np.testing.assert_allclose(y.std(axis=axis), 1, rtol=1e-3)


@examples
@given(shape=any_shape, images=batch_sizes, dtype=dtypes, seed=seeds)
def test_dropout_draws_the_very_mask_of_the_reference(shape, images, dtype, seed):
    found, wanted = (
        results(dropout, Run(ops, images, dtype, seed), shape) for ops in (numba, numpy)
    )
    for a, b in zip(found, wanted, strict=True):
        np.testing.assert_array_equal(a, b)


@examples
@given(classes=st.integers(1, 5), images=batch_sizes, seed=seeds)
def test_right_answers_are_counted_as_by_the_reference(classes, images, seed):
    check(count_correct, classes, images=images, dtype="float32", seed=seed)


@pytest.mark.parametrize("case", UPDATES)
@examples
@given(shape=any_shape, dtype=dtypes, seed=seeds)
def test_an_update_agrees_with_the_reference(case, shape, dtype, seed):
    check(case, shape, images=1, dtype=dtype, seed=seed)


@pytest.mark.parametrize("case", UPDATES)
def test_an_update_of_an_array_of_several_chunks_agrees_with_the_reference(case):
    check(case, (3, 50, 71), images=1, dtype="float32", seed=0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("case", CASES)
def test_any_number_of_threads_gives_the_same_bytes(case, dtype):
    before, found = get_threads(), []
    for threads in (1, 2, 4):
        set_threads(threads)
        found.append([r.tobytes() for r in results(case, Run(numba, 33, dtype, 0), *CASES[case])])
    set_threads(before)
    assert found[0] == found[1] == found[2]


@pytest.mark.parametrize("case", CASES)
def test_a_second_step_takes_no_new_memory(case):
    run = Run(numba, 33, "float32", 0)
    results(case, run, *CASES[case])
    memory = {key: flat.ctypes.data for key, flat in run.buffers._flat.items()}
    results(case, run, *CASES[case])
    assert {key: flat.ctypes.data for key, flat in run.buffers._flat.items()} == memory


@pytest.mark.parametrize("kind", ACTIVATIONS.values())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_an_activation_passes_nan_on_and_has_its_exact_values_at_infinity(kind, dtype):
    x = np.array([[np.nan, -np.inf, np.inf, -200, 200, -0.0, 1e-30]], dtype)
    found, wanted = (kind().to(backend).forward(x) for backend in ("numba", "numpy"))
    np.testing.assert_allclose(found, wanted, rtol=1e-6, atol=1e-37)


@pytest.mark.parametrize("case", [softmax_cross_entropy, sigmoid_cross_entropy, mean_squared_error])
@pytest.mark.parametrize("images", [1, 17])
def test_a_nan_in_an_image_reaches_the_loss(case, images):
    run = Run(numba, images, "float32", 0)
    place = run.place
    run.place = lambda x: place(np.where(np.arange(x.size).reshape(x.shape) == 0, np.nan, x))
    assert np.isnan(results(case, run, (4,))[0])


@examples
@given(st.floats(-600, 600, width=32))
def test_what_is_computed_in_vectors_is_right_to_a_few_last_bits(value):
    x, z = np.full((1, 1), value, "float32"), float(value)
    exact_values = {
        nn.Sigmoid: 1 / (1 + np.exp(-z)),
        nn.Tanh: np.tanh(z),
        nn.Softplus: np.logaddexp(0, z),
        nn.GELU: z * erfc(-z / sqrt(2)) / 2,
    }
    for kind, exact in exact_values.items():
        y = kind().to("numba").forward(x)
        # Φ(x) is right to a share of 1, not of itself.
        np.testing.assert_allclose(y, exact, rtol=5e-7, atol=3e-7 if kind is nn.GELU else 1e-37)
