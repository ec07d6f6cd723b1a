"""The initial weights: bounds exactly, means and deviations within what chance allows."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.initializers import (
    fans,
    glorot_normal,
    glorot_uniform,
    he_normal,
    he_uniform,
    lecun_normal,
    lecun_uniform,
    torch_default,
)

# The variance that each one's paper asks for.
NORMAL = {
    he_normal: lambda fan_in, fan_out: 2 / fan_in,
    glorot_normal: lambda fan_in, fan_out: 2 / (fan_in + fan_out),
    lecun_normal: lambda fan_in, fan_out: 1 / fan_in,
}
# The bound that each one's docstring states.
UNIFORM = {
    he_uniform: lambda fan_in, fan_out: math.sqrt(6 / fan_in),
    glorot_uniform: lambda fan_in, fan_out: math.sqrt(6 / (fan_in + fan_out)),
    lecun_uniform: lambda fan_in, fan_out: math.sqrt(3 / fan_in),
    torch_default: lambda fan_in, fan_out: 1 / math.sqrt(fan_in),
}
EVERY = [*NORMAL, *UNIFORM]
# With 5 standard errors, chance fails one check in 1.7 million.
STANDARD_ERRORS = 5

shapes = st.tuples(st.integers(1, 12), st.integers(1, 12)) | st.tuples(
    st.integers(1, 8), st.integers(1, 8), st.integers(1, 5), st.integers(1, 5)
)
seeds = st.integers(0, 2**32)


def name(value):
    return getattr(value, "__name__", None)


@given(shapes)
def test_fans_count_the_products_that_one_output_sums_and_one_input_enters(shape):
    weight = np.ones(shape)
    assert fans(shape) == (weight[0].size, weight[:, 0].size)


@given(shapes)
def test_fans_agree_with_pytorch(shape):
    torch = pytest.importorskip("torch")
    assert fans(shape) == torch.nn.init._calculate_fan_in_and_fan_out(torch.empty(shape))


@pytest.mark.parametrize("shape", [(), (3,), (0, 3), (3, 0), (4, 3, 0, 2), (4, -3), (2.5, 2)])
@pytest.mark.parametrize("initializer", [lambda shape, rng: fans(shape), *EVERY], ids=name)
def test_a_shape_that_is_no_weight_is_refused(initializer, shape):
    with pytest.raises(ValueError, match=r"^shape: got \(.*\), wanted two axes or more"):
        initializer(shape, np.random.default_rng(0))


@pytest.mark.parametrize("initializer", EVERY, ids=name)
def test_a_seed_in_place_of_a_generator_is_refused(initializer):
    with pytest.raises(TypeError, match=r"^rng: got 7, wanted an np\.random\.Generator"):
        initializer((3, 3), 7)


@pytest.mark.parametrize("initializer", EVERY, ids=name)
def test_weights_that_would_be_rounded_to_nothing_are_refused(initializer):
    with pytest.raises(TypeError, match="^dtype must be float32 or float64, got 'int32'"):
        initializer((3, 3), np.random.default_rng(0), "int32")


@given(st.sampled_from(EVERY), shapes, seeds)
def test_one_seed_gives_the_same_weights_in_both_precisions(initializer, shape, seed):
    single = initializer(shape, np.random.default_rng(seed))
    double = initializer(shape, np.random.default_rng(seed), np.float64)
    assert (single.dtype, double.dtype) == (np.float32, np.float64)
    assert single.shape == double.shape == shape
    assert np.array_equal(single, double.astype(np.float32))


@given(st.sampled_from(list(UNIFORM)), shapes, seeds, st.sampled_from([np.float32, np.float64]))
def test_a_uniform_weight_stays_within_its_bound(initializer, shape, seed, dtype):
    weight = initializer(shape, np.random.default_rng(seed), dtype)
    bound = UNIFORM[initializer](*fans(shape))
    # Multiplied out, bound and weight may each be rounded by half a unit in the last place.
    assert np.abs(weight).max() <= bound * (1 + np.finfo(dtype).eps)


@pytest.mark.parametrize("shape", [(200, 100), (40, 20, 5, 5), (16, 64, 3, 7)])
@pytest.mark.parametrize("initializer", EVERY, ids=name)
def test_mean_and_deviation_are_those_of_the_formula(initializer, shape):
    weight = initializer(shape, np.random.default_rng(20), np.float64)
    if initializer in NORMAL:
        sigma, kurtosis = math.sqrt(NORMAL[initializer](*fans(shape))), 3.0
    else:
        sigma, kurtosis = UNIFORM[initializer](*fans(shape)) / math.sqrt(3), 1.8
    # Of n draws the mean has the standard error σ/√n and the deviation σ·√((kurtosis - 1) / 4n).
    n = weight.size
    assert abs(weight.mean()) <= STANDARD_ERRORS * sigma / math.sqrt(n)
    error = sigma * math.sqrt((kurtosis - 1) / (4 * n))
    assert abs(weight.std() - sigma) <= STANDARD_ERRORS * error


@pytest.mark.parametrize("initializer", UNIFORM, ids=name)
def test_a_uniform_weight_reaches_up_to_both_its_bounds(initializer):
    shape = (200, 100)
    weight = initializer(shape, np.random.default_rng(21))
    bound = UNIFORM[initializer](*fans(shape))
    # All n draws miss the outermost 30/n of the range with a chance of e⁻³⁰ or so.
    near = bound * (1 - 60 / weight.size)
    assert weight.max() > near
    assert weight.min() < -near


@pytest.mark.parametrize("initializer", NORMAL, ids=name)
def test_a_normal_weight_has_the_tails_of_a_normal(initializer):
    shape = (200, 100)
    weight = initializer(shape, np.random.default_rng(22), np.float64)
    sigma = math.sqrt(NORMAL[initializer](*fans(shape)))
    for reach in (1.0, 2.0, 3.0):
        expected = math.erfc(reach / math.sqrt(2))
        error = math.sqrt(expected * (1 - expected) / weight.size)
        assert abs((np.abs(weight) > reach * sigma).mean() - expected) <= STANDARD_ERRORS * error


def test_he_keeps_a_signal_alive_through_ten_layers_of_relu():
    width, depth = 512, 10
    rng = np.random.default_rng(23)
    signal = rng.standard_normal(width)
    begin = np.mean(signal**2)
    for _ in range(depth):
        signal = np.maximum(he_normal((width, width), rng, np.float64) @ signal, 0)
    # A layer multiplies the mean square by 1 with a variance of 5/width; the log adds them up.
    # Half of the last ReLU's outputs are 0: the mean square before it is twice the one after.
    growth = math.log(2 * np.mean(signal**2) / begin)
    assert abs(growth) <= STANDARD_ERRORS * math.sqrt(5 * depth / width)


def test_torch_default_has_the_bound_of_pytorch_s_own_layers():
    torch = pytest.importorskip("torch")
    torch.manual_seed(24)
    for layer in (torch.nn.Conv2d(20, 40, 5), torch.nn.Linear(300, 70)):
        theirs = layer.weight.detach().numpy()
        ours = torch_default(theirs.shape, np.random.default_rng(24))
        # Each largest draw falls short of the common bound by about 1/n of it.
        assert np.abs(ours).max() == pytest.approx(np.abs(theirs).max(), rel=30 / ours.size)
