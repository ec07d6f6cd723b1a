"""A convolution and its pooling as one kernel; a pooling's gradient that is not spread out."""

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from minicnn import Conv2D, MaxPool2D, ReLU, Sequential, backends
from tests.strategies import dilations, images, pairs, seeds, small

pooled_convolution = pytest.importorskip("minicnn.backends.numba.pooled_convolution")
from minicnn.backends.numba.recording import Recording  # noqa: E402
from minicnn.backends.numba.unpooled import compact, cover_once  # noqa: E402

numpy, numba = backends.get("numpy"), backends.get("numba")
batch_sizes = st.sampled_from([1, 2, 15, 16, 17, 33])
dtypes = st.sampled_from(["float32", "float64"])


@st.composite
def convolution_and_pooling(draw):
    """Of few kinds that are compiled each for itself: filters, and the window's size."""
    kernel, padding, channels = draw(st.tuples(small, small)), draw(pairs(0, 2)), draw(small)
    filters, strides = draw(st.sampled_from([2, 5])), draw(pairs(1, 2))
    convolution = Conv2D(channels, filters, kernel, strides, padding, dilation=draw(dilations))
    stride, ceil_mode = draw(st.none() | pairs(1, 4)), draw(st.booleans())
    pooling = MaxPool2D((2, 3), stride, draw(st.integers(0, 1)), ceil_mode)
    image = draw(images(channels, convolution.reach))
    seen = convolution.output_shape(image)
    assume(seen[1] >= 2 and seen[2] >= 3)
    return convolution, pooling, image


def apart(window):
    """Whether no pixel lies in two windows that it is in."""
    firsts = [np.arange(o) * s - p for o, s, p in zip(window.output, window.stride, window.padding)]
    return all(
        (np.minimum(f + k, n)[:-1] <= np.maximum(f, 0)[1:]).all()
        for f, k, n in zip(firsts, window.kernel, window.image)
    )


@given(convolution_and_pooling(), batch_sizes, dtypes, st.sampled_from([None, 1, 2]), seeds)
def test_in_one_kernel_they_give_what_they_give_one_after_the_other_to_the_bit(
    drawn, count, dtype, relu, seed
):
    convolution, pooling, shape = drawn
    layers = [convolution, pooling]
    if relu:  # before the pooling or after it
        layers.insert(relu, ReLU())
    network, rng = Sequential(*layers, seed=0).to("numba"), np.random.default_rng(seed)
    for parameter in network.parameters():
        parameter.value = parameter.value.astype(dtype)
    x = rng.standard_normal((count, *shape)).astype(dtype)
    x[rng.random(x.shape) < 0.05] = rng.choice([np.nan, np.inf, 0])
    dy = rng.standard_normal(network.batch_shape(x.shape)).astype(dtype)
    x, dy = numba.from_numpy(x), numba.from_numpy(dy)

    def step():
        y = network.forward_batch(x, training=True)
        network.backward_batch(dy, input_gradient=False)
        return y

    def found(y):
        return [numba.to_numpy(y).tobytes(), *(p.gradient.tobytes() for p in network.parameters())]

    wanted = found(step())
    recording = Recording(step)
    calls, recording.calls = recording.calls, pooled_convolution.joined(recording.calls)
    window = pooling.window(convolution.output_shape(shape))
    assert len(calls) - len(recording.calls) == apart(window)
    assert found(recording.replay()) == wanted


def test_what_somebody_else_reads_as_well_is_written():
    convolution, pooling, relu = (k.to("numba") for k in (Conv2D(1, 3, 3), MaxPool2D(2), ReLU()))
    x = numba.from_numpy(np.random.default_rng(0).standard_normal((2, 1, 8, 8)).astype("f"))

    def step():
        seen = convolution.forward_batch(x, True)
        return pooling.forward_batch(seen, True), relu.forward_batch(seen, True)

    calls = Recording(step).calls
    assert pooled_convolution.joined(calls) == calls
    assert len(pooled_convolution.joined(calls[:-1])) == len(calls) - 2  # without the ReLU


@given(convolution_and_pooling(), batch_sizes, dtypes, st.booleans(), seeds)
def test_the_gradients_of_a_first_convolution_need_no_more_than_windows_and_winners(
    drawn, count, dtype, rectified, seed
):
    convolution, pooling, shape = drawn
    window, pooled = convolution.window(shape), pooling.window(convolution.output_shape(shape))
    rng = np.random.default_rng(seed)
    seen = convolution.output_shape(shape)
    x, seen, dy = (
        rng.standard_normal((count, *sample)).astype(dtype)
        for sample in (shape, seen, (seen[0], *pooled.output))
    )

    def gradients(ops):
        def place(array):
            batch = ops.from_numpy(array)
            if ops is numba:  # what is no image shows where it is taken for one
                batch.data[-1, ..., (count - 1) % batch.data.shape[-1] + 1 :] = np.nan
                batch.cleared = False
            return batch

        dw = np.empty(convolution.weight.shape, dtype)
        db = np.empty(len(dw), dtype)
        _, winner = ops.max_pool_forward(place(seen), pooled, rectified, ops.Buffers())
        dx = ops.max_pool_backward(place(dy), winner, pooled, ops.Buffers())
        ops.conv2d_weight_gradient(dx, place(x), window, 1, dw, ops.Buffers())
        ops.bias_gradient(dx, db, ops.Buffers())
        return dw, db, dx

    *wanted, _ = gradients(numpy)
    *found, dx = gradients(numba)
    if convolution.in_channels == 1:
        assert compact(dx) == cover_once(pooled)
    tolerance = 1e-4 if dtype == "float32" else 1e-10
    for a, b in zip(found, wanted):
        np.testing.assert_allclose(a, b, tolerance, tolerance * np.abs(b).max(initial=0))
