import numpy as np
import pytest

from minicnn import BatchNorm, Conv2D, Dense, Flatten, Sequential, backends
from tests.memory import peak_memory

every_backend = pytest.mark.parametrize("backend", backends.available())


@every_backend
def test_all_parameters_and_statistics_go_to_the_backend_unchanged(backend):
    network = Sequential(Conv2D(1, 2, 3), BatchNorm(2), Flatten(), Dense(8, 3), seed=0)
    before = {name: p.value for name, p in network.state().items()}
    network.to(backend)
    assert {p.backend for p in network.state().values()} == {backend}
    for name, parameter in network.state().items():
        np.testing.assert_array_equal(parameter.value, before[name])


def test_where_parameters_were_is_free_before_their_gradients_take_memory():
    def moved():
        return Sequential(*(Dense(400, 400) for _ in range(4)), seed=0).to("numba")

    network, peak = peak_memory(moved)
    held = sum(p.value.nbytes for p in network.parameters())
    assert peak < 3.5 * held  # weights, gradients, and zeros for these
