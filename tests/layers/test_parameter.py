import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import Sequential, backends
from minicnn import layers as nn
from tests.memory import peak_memory
from tests.strategies import LAYERS

every_backend = pytest.mark.parametrize("backend", backends.available())


@every_backend
def test_all_parameters_and_statistics_go_to_the_backend_unchanged(backend):
    network = Sequential(nn.Conv2D(1, 2, 3), nn.BatchNorm(2), nn.Flatten(), nn.Dense(8, 3), seed=0)
    before = {name: p.value for name, p in network.state().items()}
    network.to(backend)
    assert {p.backend for p in network.state().values()} == {backend}
    for name, parameter in network.state().items():
        np.testing.assert_array_equal(parameter.value, before[name])


def test_where_parameters_were_is_free_before_their_gradients_take_memory():
    def moved():
        return Sequential(*(nn.Dense(400, 400) for _ in range(4)), seed=0).to("numba")

    network, peak = peak_memory(moved)
    held = sum(p.value.nbytes for p in network.parameters())
    assert peak < 3.5 * held  # weights, gradients, and zeros for these


@every_backend
def test_a_parameter_has_numbers_of_its_own(backend):
    given = np.ones(3, "f")
    parameter = nn.Parameter(given)
    parameter.to(backend)
    given[...] = 2
    assert parameter.value.tolist() == [1, 1, 1]
    parameter.value = given
    given[...] = 3
    assert parameter.value.tolist() == [2, 2, 2]


@every_backend
def test_numbers_become_float32_or_float64_when_asked(backend):
    layer = nn.BatchNorm(2).to(backend)
    for dtype in ("float64", "float32"):
        layer.astype(dtype)
        assert {p.dtype for p in layer.state().values()} == {np.dtype(dtype)}
        assert layer.forward(np.zeros((3, 2), "f")).dtype == dtype
        counter = nn.Dropout().to(backend).astype(dtype).step
        assert counter.dtype == np.int64
        parameter = nn.Dense(2, 2).weight
        parameter.astype(dtype)
        assert parameter.dtype == dtype


@pytest.mark.parametrize("kind", LAYERS)
@given(data=st.data())
def test_a_layer_is_made_of_float32_numbers(kind, data):
    layer, _ = data.draw(LAYERS[kind])
    assert {p.dtype for p in layer.state().values()} <= {np.dtype("f4"), np.dtype("i8")}
    assert {p.dtype for p in layer.parameters()} <= {np.dtype("f4")}


def test_a_parameter_keeps_its_shape_and_dtype_when_it_is_assigned():
    weight = nn.Dense(2, 3).weight
    weight.value = np.ones((3, 2), np.float64)
    assert weight.value.dtype == np.float32
    with pytest.raises(ValueError, match=r"shape \(3, 2\) got an array of \(2, 3\)"):
        weight.value = np.ones((2, 3))


@every_backend
def test_weights_in_fortran_order_are_the_same_weights(backend):
    layer, twin = nn.Conv2D(3, 4, 3), nn.Conv2D(3, 4, 3)
    for one in (layer, twin):
        one.bias.value = np.zeros(4)
    twin.weight.value = np.asfortranarray(layer.weight.value)
    x = np.random.default_rng(0).random((2, 3, 5, 5), dtype=np.float32)
    assert np.array_equal(layer.to(backend).forward(x), twin.to(backend).forward(x))


def test_only_float32_and_float64_parameters_exist():
    with pytest.raises(TypeError, match="Dense.*int32"):
        nn.Dense(2, 3).astype("int32")
    with pytest.raises(TypeError, match="must be float32 or float64, got None"):
        nn.Dense(2, 3).astype(None)
    for dtype in (None, "int32", "float16", "foo"):
        with pytest.raises(TypeError, match="^a parameter must be float32 or float64, got"):
            nn.Dense(2, 3).weight.astype(dtype)


@pytest.mark.parametrize("value", ["12", b"12", ["1", "2"], [None, None], [1j, 2]])
def test_a_parameters_value_must_be_numbers(value):
    parameter = nn.BatchNorm(2).beta
    with pytest.raises((TypeError, ValueError), match="a parameter.*(numbers|shape)"):
        parameter.value = value
    assert not parameter.value.any()
