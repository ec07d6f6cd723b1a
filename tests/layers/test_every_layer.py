"""One battery for every layer, on every backend that this machine can run."""

import copy

import add_a_layer
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicnn
from minicnn import backends, gradcheck
from tests import strategies
from tests.conftest import BY_NIGHT, one_in
from tests.strategies import batch_sizes, element_wise, normal, seeds

# A layer of one's own takes the whole battery, as ours do.
OWN = {"Softsign": add_a_layer.Softsign}
LAYERS = strategies.LAYERS | {name: element_wise(st.builds(kind)) for name, kind in OWN.items()}
ACTIVATIONS = strategies.ACTIVATIONS | OWN
every_layer = pytest.mark.parametrize("kind", LAYERS)
every_backend = pytest.mark.parametrize("backend", backends.available())
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
few = one_in(2)  # for what hardly depends on a layer's numbers
# What reductions of up to a hundred terms may differ by.
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}


def batch_of(layer, shape, n, seed, training, dtype="float64"):
    """n samples, or as many as training needs."""
    if training:
        n = max(n, layer.smallest_batch(shape))
    return normal((n, *shape), seed, dtype)


def forward_and_backward(layer, x, dy_seed, training):
    """y, dx and the gradients of all parameters, from the state that the layer is in."""
    before = {name: p.value.copy() for name, p in layer.state().items()}
    y = layer.forward(x, training)
    dx = layer.backward(normal(y.shape, dy_seed, y.dtype))
    grads = [p.grad.copy() for p in layer.parameters()]
    for name, p in layer.state().items():
        p.value = before[name]
    return [y, dx, *grads]


@every_layer
@every_backend
@given(st.data(), batch_sizes, seeds, st.booleans())
def test_the_gradients_are_the_slopes_of_forward(kind, backend, data, n, seed, training):
    layer, shape = data.draw(LAYERS[kind])
    layer.astype("float64").to(backend)
    x = batch_of(layer, shape, n, seed, training)
    # Along ten directions where an array is larger: they catch the same bugs (test_gradcheck.py).
    most = 200 if BY_NIGHT else 20
    gradcheck.check(layer, x, training=training, seed=seed, max_coordinates=most)


@every_layer
@every_backend
@every_dtype
@given(st.data(), batch_sizes | st.sampled_from([15, 16, 17, 33]), seeds, st.booleans())
def test_every_backend_agrees_with_the_reference(kind, backend, dtype, data, n, seed, training):
    layer, shape = data.draw(LAYERS[kind])
    x = batch_of(layer, shape, n, seed, training, dtype)
    expected = forward_and_backward(
        copy.deepcopy(layer).astype("float64"), x.astype("float64"), seed, training
    )
    found = forward_and_backward(layer.astype(dtype).to(backend), x, seed, training)
    for got, wanted in zip(found, expected, strict=True):
        assert got.dtype == dtype
        scale = 1 + np.abs(wanted).max()
        np.testing.assert_allclose(got, wanted, rtol=0, atol=TOLERANCE[dtype] * scale)


@every_layer
@every_backend
@given(st.data(), batch_sizes, seeds, st.booleans())
def test_the_same_step_twice_gives_the_same_bytes(kind, backend, data, n, seed, training):
    layer, shape = data.draw(LAYERS[kind])
    layer.to(backend)
    x = batch_of(layer, shape, n, seed, training, "float32")
    first = forward_and_backward(layer, x, seed, training)
    forward_and_backward(layer, normal((n + 2, *shape), seed, "float32"), seed, training)
    second = forward_and_backward(layer, x, seed, training)
    assert [a.tobytes() for a in first] == [a.tobytes() for a in second]


@every_layer
@few
@given(st.data(), batch_sizes, seeds, st.booleans())
def test_samples_without_elements_are_the_same_on_numba_or_the_same_error(
    kind, data, n, seed, training
):
    pytest.importorskip("numba")
    layer, shape = data.draw(LAYERS[kind])
    axis = data.draw(st.integers(0, len(shape) - 1))
    x = np.zeros((n, *shape[:axis], 0, *shape[axis + 1 :]), "f")

    def results(backend):
        try:
            arrays = forward_and_backward(copy.deepcopy(layer).to(backend), x, seed, training)
        except ValueError as error:
            return str(error)
        return [(a.shape, a.dtype, a.tobytes()) for a in arrays]

    assert results("numba") == results("numpy")


@every_layer
@every_backend
@few
@given(st.data(), seeds)
def test_any_memory_layout_is_read_and_none_is_changed(kind, backend, data, seed):
    layer, shape = data.draw(LAYERS[kind])
    layer.to(backend)
    x = normal((3, *shape), seed, "float32")
    wide = normal((6, *shape, 2), seed, "float32")
    wide[::-2, ..., 1] = x
    read_only = x.copy()
    read_only.flags.writeable = False
    variants = [wide[::-2, ..., 1], np.asfortranarray(x), x.astype(">f4"), read_only]
    expected = forward_and_backward(layer, x.copy(), seed, False)
    for variant in variants:
        before = variant.copy()
        found = forward_and_backward(layer, variant, seed, False)
        assert all(np.array_equal(a, b) for a, b in zip(found, expected, strict=True))
        assert np.array_equal(variant, before)


@every_layer
@every_backend
@few
@given(st.data(), seeds)
def test_the_upstream_gradient_is_not_changed_and_the_input_may_be(kind, backend, data, seed):
    layer, shape = data.draw(LAYERS[kind])
    layer.to(backend)
    x = normal((2, *shape), seed, "float32")
    y = layer.forward(x)
    dy = normal(y.shape, seed, "float32")
    before = dy.copy()
    wanted = layer.backward(dy)
    assert np.array_equal(dy, before)
    layer.forward(x)
    x[...] = 7  # it is the caller's again
    np.testing.assert_array_equal(layer.backward(dy), wanted)


@every_layer
@every_backend
@few
@given(st.data(), seeds)
def test_float64_input_is_computed_in_float64(kind, backend, data, seed):
    layer, shape = data.draw(LAYERS[kind])
    layer.to(backend)
    x = normal((2, *shape), seed)
    exact = copy.deepcopy(layer).astype("float64")
    assert layer.forward(x).dtype == np.float64
    np.testing.assert_allclose(layer.forward(x), exact.forward(x), rtol=1e-12, atol=1e-12)
    if exact.dtype is not None:
        assert exact.forward(x.astype("float32")).dtype == np.float64


@every_layer
@every_backend
@few
@given(st.data())
def test_an_empty_batch_gives_an_empty_batch(kind, backend, data):
    layer, shape = data.draw(LAYERS[kind])
    layer.to(backend)
    y = layer.forward(np.empty((0, *shape), "float32"))
    assert y.shape == (0, *layer.output_shape(shape))


@every_layer
@every_backend
@few
@given(st.data(), seeds)
def test_nan_and_infinity_reach_the_output(kind, backend, data, seed):
    layer, shape = data.draw(LAYERS[kind])
    layer.to(backend)
    for poison in (np.nan, np.inf):
        x = np.full((2, *shape), poison, "float32")
        y = layer.forward(x)
        if kind in ("Sigmoid", "Tanh") and poison == np.inf:
            assert (y == 1).all()
        elif kind in ("Residual", "Parallel"):  # there are layers in them that saturate
            assert not np.isfinite(y).all()
        elif kind.startswith(("Conv", "AvgPool")):  # some windows may see only padding
            probe = copy.deepcopy(layer)
            for name, parameter in probe.state().items():
                parameter.value = np.full(parameter.shape, name == "weight")
            sees_a_pixel = probe.forward(np.ones_like(x)) != 0
            assert not np.isfinite(y[sees_a_pixel]).any()
        else:
            assert not np.isfinite(y).any()


@every_layer
@every_backend
@few
@given(st.data())
def test_a_wrong_shape_names_the_layer_and_what_it_wanted(kind, backend, data):
    layer, shape = data.draw(LAYERS[kind])
    layer.to(backend)
    if kind in ACTIVATIONS or kind in ("Dropout", "Flatten"):
        wrong = [(3,)]  # any batch will do, but it must be a batch
    elif kind == "Reshape":
        wrong = [(2, *shape, 2)]
    else:
        wrong = [(2, *shape, 1), (2, *shape[1:]), (4,)]
        learned_from = ("Conv2D", "ConvTranspose2D", "Dense", "BatchNorm", "GroupNorm")
        if kind in learned_from or (kind == "Standardize" and layer.channels):
            wrong.append((2, shape[0] + 1, *shape[1:]))
    for bad in wrong:
        if kind == "BatchNorm" and bad in ((2, *shape), (2, shape[0], 1, 1)):
            continue
        with pytest.raises(ValueError, match=kind):
            layer.forward(np.zeros(bad, "float32"))


@every_layer
@few
@given(st.data())
def test_only_floats_are_taken_and_pixels_get_a_hint(kind, data):
    layer, shape = data.draw(LAYERS[kind])
    with pytest.raises(TypeError, match=rf"{kind}.*uint8.*/ 255"):
        layer.forward(np.zeros((2, *shape), np.uint8))
    for dtype in (object, "U3", np.complex64, np.float16):
        with pytest.raises(TypeError, match=kind):
            layer.forward(np.zeros((2, *shape), dtype))


@every_layer
@every_backend
@few
@given(st.data(), seeds)
def test_backward_needs_its_own_forward_and_an_upstream_that_fits(kind, backend, data, seed):
    layer, shape = data.draw(LAYERS[kind])
    layer.to(backend)
    x = normal((2, *shape), seed, "float32")
    dy = np.zeros((2, *layer.output_shape(shape)), "float32")
    with pytest.raises(RuntimeError, match=kind):
        layer.backward(dy)
    layer.forward(x)
    for wrong in (dy[:1], dy[..., None], np.zeros(1, "float32")):
        with pytest.raises(ValueError, match=kind):
            layer.backward(wrong)
    layer.backward(dy)
    with pytest.raises(RuntimeError, match=kind):
        layer.backward(dy)


@every_layer
@given(st.data())
def test_its_name_builds_it_again(kind, data):
    layer, shape = data.draw(LAYERS[kind])
    again = eval(repr(layer), vars(minicnn) | OWN)
    assert again.arguments == layer.arguments
    assert again.output_shape(shape) == layer.output_shape(shape)


@every_layer
@every_backend
@few
@given(st.data(), seeds)
def test_a_copy_is_independent(kind, backend, data, seed):
    layer, shape = data.draw(LAYERS[kind])
    layer.to(backend)
    x = normal((2, *shape), seed, "float32")
    y = layer.forward(x)
    twin = copy.deepcopy(layer)
    for p in twin.parameters():
        p.value = p.value + 1
    assert np.array_equal(layer.forward(x), y)
    dy = normal(y.shape, seed, "float32")
    wanted = layer.backward(dy)
    layer.forward(x)
    copy.deepcopy(layer).forward(-x)
    assert np.array_equal(layer.backward(dy), wanted)


@every_layer
@few
@given(st.data(), batch_sizes, seeds)
def test_on_the_reference_a_steps_results_lie_where_the_last_steps_did(kind, data, n, seed):
    """So a step allocates nothing; the numba backend has tests of its own for that."""
    layer, shape = data.draw(LAYERS[kind])
    x = batch_of(layer, shape, n, seed, True, "float32")
    found = []
    for _ in range(2):
        y = layer.forward_batch(x, True)
        dx = layer.backward_batch(y)
        found.append((y, dx))
    for first, second in zip(*found):
        assert np.shares_memory(first, second)
