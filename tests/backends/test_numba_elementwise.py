"""numba against the reference: pooling, activations, normalisation, dropout, losses, updates.

A case is an operation forward and backward, written once for any backend. Lanes that hold no
image are NaN here before any operation sees them, so one that reached a result would show.
"""

from math import prod

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from minicnn import backends
from minicnn import layers as nn
from minicnn.backends import scalar
from minicnn.backends.numba.runtime import get_threads, set_threads
from minicnn.backends.philox import words
from tests.strategies import ACTIVATIONS, any_shape, pooling, seeds

numpy, numba = backends.get("numpy"), backends.get("numba")
batch_sizes = st.sampled_from([1, 2, 15, 16, 17, 33])
dtypes = st.sampled_from(["float32", "float64"])
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}
examples = settings(max_examples=settings.default.max_examples * 5 // 8)


class Run:
    """One backend, a stream of random numbers, and the memory of a layer."""

    def __init__(self, ops, images, dtype, seed):
        self.ops, self.images, self.dtype = ops, images, dtype
        self.rng, self.buffers = np.random.default_rng(seed), ops.Buffers()

    def array(self, *shape):
        return self.rng.standard_normal(shape).astype(self.dtype)

    def batch(self, *shape):
        return self.place(self.array(self.images, *shape))

    def place(self, array):
        """The array as a Batch; numba's padded lanes are NaN."""
        x = self.ops.from_numpy(array)
        if self.ops is numba:
            blocks, lanes = x.data.shape[0], x.data.shape[-1]
            x.data[-1, ..., x.count - (blocks - 1) * lanes :] = np.nan
            x.cleared = blocks * lanes == x.count
        return x


def results(case, run, *arguments):
    """What a case computes, all as NumPy."""
    return [
        run.ops.to_numpy(r) if hasattr(r, "count") else np.asarray(r) for r in case(run, *arguments)
    ]


def check(case, *arguments, images, dtype, seed):
    """A case gives on numba what it gives on numpy."""
    wanted = results(case, Run(numpy, images, dtype, seed), *arguments)
    found = results(case, Run(numba, images, dtype, seed), *arguments)
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape
        scale = np.max(np.abs(b), initial=0, where=np.isfinite(b))
        np.testing.assert_allclose(a, b, TOLERANCE[dtype], TOLERANCE[dtype] * scale)


# ── cases ────────────────────────────────────────────────────────────────────────────────────


def activation(kind, *numbers):
    def case(run, shape):
        x = run.batch(*shape)
        y = run.ops.activation_forward(x, kind.formulas[0], numbers, run.buffers)
        kept = x if kind.keeps == "x" else y
        dy, slope = run.batch(*shape), kind.formulas[1]
        return y, run.ops.activation_backward(dy, kept, slope, numbers, run.buffers)

    return case


relu, sigmoid, tanh = map(activation, [nn.ReLU, nn.Sigmoid, nn.Tanh])
leaky_relu = activation(nn.LeakyReLU, 0.1)


def max_pool(run, layer, shape):
    window = layer.window(shape)
    y, winner = run.ops.max_pool_forward(run.batch(*shape), window, False, run.buffers)
    dy = run.batch(shape[0], *window.output)
    return y, winner, run.ops.max_pool_backward(dy, winner, window, run.buffers)


def avg_pool(run, layer, shape):
    window = layer.window(shape)
    divisor = layer.window_sizes(window)
    y = run.ops.avg_pool_forward(run.batch(*shape), window, divisor, run.buffers)
    dy = run.batch(shape[0], *window.output)
    return y, run.ops.avg_pool_backward(dy, window, divisor, run.buffers)


def batch_norm(run, shape):
    features = shape[:1]
    gamma, beta, mean, dgamma, dbeta = (run.array(*features) for _ in range(5))
    var = np.abs(run.array(*features))
    y, x_hat, inv_std = run.ops.batch_norm_forward(
        run.batch(*shape), gamma, beta, mean, var, 0.1, 1e-5, run.buffers
    )
    dy = run.batch(*shape)
    dx = run.ops.batch_norm_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, run.buffers)
    return y, x_hat, inv_std, mean, var, dx, dgamma, dbeta


def batch_norm_inference(run, shape):
    features = shape[:1]
    gamma, beta, mean, dgamma, dbeta = (run.array(*features) for _ in range(5))
    var = np.abs(run.array(*features))
    y, x_hat, inv_std = run.ops.batch_norm_inference(
        run.batch(*shape), gamma, beta, mean, var, 1e-5, run.buffers
    )
    dx = run.ops.batch_norm_inference_backward(
        run.batch(*shape), x_hat, inv_std, gamma, dgamma, dbeta, run.buffers
    )
    return y, x_hat, inv_std, mean, var, dx, dgamma, dbeta


def group_norm(run, groups, shape):
    gamma, beta, dgamma, dbeta = (run.array(shape[0]) for _ in range(4))
    y, x_hat, inv_std = run.ops.group_norm_forward(
        run.batch(*shape), gamma, beta, groups, 1e-5, run.buffers
    )
    dy = run.batch(*shape)
    dx = run.ops.group_norm_backward(
        dy, x_hat, inv_std, gamma, dgamma, dbeta, groups, run.buffers
    )
    return y, x_hat, dx, dgamma, dbeta


def dropout(run, shape):
    step = np.array([7])
    y, mask = run.ops.dropout_forward(run.batch(*shape), 0.3, (2**32 - 1, 5), step, run.buffers)
    return y, mask, run.ops.dropout_backward(run.batch(*shape), mask, run.buffers), step


def softmax_cross_entropy(run, shape):
    features = prod(shape)
    target = run.place(np.abs(run.array(run.images, features)))
    loss, p = run.ops.softmax_cross_entropy_forward(run.batch(features), target, 2.5, run.buffers)
    return loss, p, run.ops.softmax_cross_entropy_backward(p, target, 2.5, run.buffers)


def sigmoid_cross_entropy(run, shape):
    target = run.place(run.rng.random((run.images, *shape)).astype(run.dtype))
    loss, p = run.ops.sigmoid_cross_entropy_forward(run.batch(*shape), target, run.buffers)
    return loss, p, run.ops.sigmoid_cross_entropy_backward(p, target, run.buffers)


def mean_squared_error(run, shape):
    x, target = run.batch(*shape), run.batch(*shape)
    loss = run.ops.mean_squared_error_forward(x, target, run.buffers)
    return loss, run.ops.mean_squared_error_backward(x, target, run.buffers)


def count_correct(run, classes):
    labels = run.rng.integers(0, max(2, classes), run.images)
    return (run.ops.count_correct(run.batch(classes), labels, run.buffers),)


def update(name, slots, *rates):
    """Two steps of an optimiser on an array of `shape` and on a vector of 3."""

    def case(run, shape):
        shapes = [shape, (3,)]
        values, grads = ([run.array(*s) for s in shapes] for _ in range(2))
        memory = [[np.abs(run.array(*s)) for s in shapes] for _ in range(slots)]
        for _ in range(2):
            getattr(run.ops, name)(values, grads, *(memory or [[]]), *rates)
        return [*values, *(slot for each in memory for slot in each)]

    case.__name__ = name
    return case


def adam(run, shape, decoupled=False):
    case = update("adam_update", 2, 3, 1e-3, 0.9, 0.999, 1e-8, 0.01, decoupled)
    return case(run, shape)


def adamw(run, shape):
    return adam(run, shape, decoupled=True)


def plain_sgd(run, shape):
    values, grads = ([run.array(*shape)] for _ in range(2))
    run.ops.sgd_update(values, grads, [], 0.1, 0.0, False, 0.01)
    return values


def penalties(run, shape):
    values, grads = ([run.array(*shape), run.array(2)] for _ in range(2))
    run.ops.add_penalty_gradient(values, grads, 0.1, 0.2)
    return [run.ops.penalty(values, 0.1, 0.2), run.ops.clip(values, 0.5), *values, *grads]


ELEMENT_WISE = [relu, leaky_relu, sigmoid, tanh, sigmoid_cross_entropy, mean_squared_error]
ELEMENT_WISE += [softmax_cross_entropy]
UPDATES = [
    plain_sgd,
    update("sgd_update", 1, 0.1, 0.9, False, 0.01),
    update("sgd_update", 1, 0.1, 0.9, True, 0.0),
    update("rmsprop_update", 1, 0.01, 0.99, 1e-8, 0.01),
    update("adagrad_update", 1, 0.01, 1e-10, 0.01),
    adam,
    adamw,
    penalties,
]
CASES = dict.fromkeys([*ELEMENT_WISE, batch_norm, batch_norm_inference, dropout], ((5, 9, 7),))
CASES |= dict.fromkeys(UPDATES, ((3, 50, 71),))
CASES |= {count_correct: (10,), group_norm: (2, (6, 9, 7))}
CASES |= {max_pool: (nn.MaxPool2D(3, 2, 1), (5, 9, 7)), avg_pool: (nn.AvgPool2D(2), (5, 9, 7))}


# ── tests ────────────────────────────────────────────────────────────────────────────────────


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
def test_the_fast_exponential_and_tanh_are_right_to_a_few_last_bits(value):
    x = np.full((1, 1), value, "float32")
    exact_values = {nn.Sigmoid: 1 / (1 + np.exp(-np.float64(value))), nn.Tanh: np.tanh(value)}
    for kind, exact in exact_values.items():
        y = kind().to("numba").forward(x)
        np.testing.assert_allclose(y, exact, rtol=5e-7, atol=1e-37)


@given(st.tuples(*[st.integers(0, 2**32 - 1)] * 2), st.integers(0, 99), st.integers(0, 99))
def test_one_counter_of_philox_gives_four_of_the_words_that_numpy_draws(seed, step, sample):
    four = scalar.philox4x32(*map(np.uint64, (1, sample, step, 0, *seed)))
    assert list(four) == list(words(seed, step, sample + 1, 8)[sample, 4:])
