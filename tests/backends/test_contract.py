"""Every backend has every operation of the contract, with the same arguments."""

import inspect
import sys

import numpy as np
import pytest

from minicnn import backends
from minicnn.backends import contract

OPERATIONS = contract.operations()


@pytest.mark.parametrize("backend", backends.available())
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_backend_has_the_operation_with_the_contracts_arguments(backend, operation):
    stated = inspect.signature(getattr(contract.Backend, operation))
    wanted = list(stated.parameters)[1:]  # without self
    found = inspect.signature(getattr(backends.get(backend), operation))
    assert list(found.parameters) == wanted


@pytest.mark.parametrize("backend", backends.available())
def test_a_backend_has_nothing_that_the_contract_does_not_state(backend):
    assert sorted(backends.get(backend).__all__) == sorted(OPERATIONS)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_states_what_it_computes(operation):
    assert getattr(contract.Backend, operation).__doc__


def test_an_unknown_backend_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match="tpu.*numpy"):
        backends.get("tpu")


def test_a_backend_that_cannot_run_here_is_refused_with_the_reason(monkeypatch):
    backends.get.cache_clear()
    monkeypatch.setitem(sys.modules, "minicnn.backends.cuda", None)  # as if its import failed
    with pytest.raises(RuntimeError, match="'cuda' cannot run here: .*cuda"):
        backends.get("cuda")


@pytest.mark.parametrize("backend", backends.available())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("data", [np.arange(12, dtype="u1"), np.linspace(0, 1, 12, dtype="f4")])
def test_samples_are_gathered_in_the_dtype_that_is_asked_for(backend, dtype, data):
    ops, data = backends.get(backend), data.reshape(6, 2)
    scale = 255 if data.dtype == np.uint8 else 1
    rows = ops.gather(ops.upload(data), np.array([4, 0]), np.dtype(dtype), ops.Buffers())
    found = ops.to_numpy(rows)
    assert found.dtype == dtype
    np.testing.assert_allclose(found, data[[4, 0]] / scale, rtol=1e-6)
