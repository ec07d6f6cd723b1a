"""Every backend has every operation of the contract, with the same arguments."""

import inspect
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import backends
from minicnn.backends import contract
from minicnn.backends.buffers import Buffers
from tests.strategies import seeds

OPERATIONS = contract.operations()


@given(st.integers(1, 5000), st.sampled_from(["float32", "float64", "int64", "uint8"]))
def test_a_buffer_begins_at_a_cache_line(size, dtype):
    first, second = Buffers().empty("x", (size,), dtype), Buffers().empty("x", (2, size), dtype)
    assert first.ctypes.data % 64 == second.ctypes.data % 64 == 0
    assert first.shape == (size,) and second.shape == (2, size) and first.dtype == dtype


@pytest.mark.parametrize("backend", backends.available())
@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_backend_has_the_operation_with_the_contracts_arguments(backend, operation):
    stated = inspect.signature(getattr(contract.Backend, operation))
    wanted = list(stated.parameters)[1:]  # without self
    found = inspect.signature(getattr(backends.get(backend), operation))
    assert list(found.parameters) == wanted


@pytest.mark.parametrize("operation", OPERATIONS)
def test_every_operation_states_what_it_computes(operation):
    assert getattr(contract.Backend, operation).__doc__


def test_an_unknown_backend_is_refused_with_the_names_there_are():
    with pytest.raises(ValueError, match="tpu.*numpy"):
        backends.get("tpu")


def test_a_backend_that_cannot_run_here_is_refused_with_the_reason(monkeypatch):
    # As if its import failed.
    monkeypatch.setitem(sys.modules, "minicnn.backends.cuda.device", None)
    with pytest.raises(RuntimeError, match="'cuda' cannot run here: .*cuda"):
        backends.get.__wrapped__("cuda")  # what it found before stays as it is for other tests


@pytest.mark.parametrize("backend", backends.available())
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
@given(st.integers(1, 70), st.integers(1, 70), seeds)
def test_samples_are_gathered_in_the_dtype_that_is_asked_for(
    backend, dtype, kind, count, size, seed
):
    rng, ops = np.random.default_rng(seed), backends.get(backend)
    data, indices = rng.integers(0, 256, (9, size)).astype(kind), rng.integers(0, 9, count)
    scale = 255 if kind == "uint8" else 1
    found = ops.to_numpy(ops.gather(ops.upload(data), indices, np.dtype(dtype), ops.Buffers()))
    assert found.dtype == dtype
    np.testing.assert_allclose(found, data[indices] / scale, rtol=1e-6)


@pytest.mark.parametrize("backend", backends.available())
@given(st.data(), st.integers(1, 4), st.integers(1, 20))
def test_an_answer_is_the_first_largest_logit_or_whether_the_only_one_is_positive(
    backend, data, classes, rows
):
    number = st.sampled_from([-2.0, -0.1, 0.0, 0.1, 0.9, 2.0])  # few, so that there are ties
    logits = data.draw(st.lists(st.lists(number, min_size=classes, max_size=classes),
                                min_size=rows, max_size=rows))  # fmt: skip
    labels = data.draw(st.lists(st.integers(0, max(1, classes - 1)), min_size=rows, max_size=rows))
    said = [row.index(max(row)) if classes > 1 else int(row[0] > 0) for row in logits]
    ops = backends.get(backend)
    found = ops.count_correct(ops.from_numpy(np.array(logits)), np.array(labels), ops.Buffers())
    assert ops.to_float(found) == sum(a == b for a, b in zip(said, labels))
