"""What a loss makes of targets, and of copies of itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import backends
from minicnn.losses import MeanSquaredError, SigmoidCrossEntropy, SoftmaxCrossEntropy
from tests.strategies import normal, seeds

every_backend = pytest.mark.parametrize("backend", backends.available())


@every_backend
@pytest.mark.parametrize("dtype", ["uint8", "int8", "int64", "float32"])
def test_zeros_and_ones_are_the_same_targets_in_every_dtype(backend, dtype):
    logits, target = normal((3, 2), 0), np.array([[0, 1], [1, 1], [1, 0]])
    loss = SigmoidCrossEntropy().to(backend)
    wanted = loss.forward(logits, target.astype("float64"))
    assert loss.forward(logits, target.astype(dtype)) == wanted


@every_backend
@pytest.mark.parametrize("sign", [1, -1])
def test_a_loss_may_be_tiny_without_being_zero(backend, sign):
    loss = SigmoidCrossEntropy().to(backend)
    found = loss.forward(np.array([[sign * 40.0]]), np.array([[sign > 0]], "float64"))
    assert found == pytest.approx(np.exp(-40), rel=1e-6, abs=0)


@given(st.integers(2, 5), st.floats(-1, 1), seeds)
def test_the_rows_of_a_soft_target_sum_to_one_up_to_a_thousandth(classes, more, seed):
    rows = np.random.default_rng(seed).dirichlet(np.ones(classes), 2)
    loss, logits = SoftmaxCrossEntropy(), normal((2, classes), seed)
    loss.forward(logits, rows * (1 + 0.0009 * more))
    rows[1] *= 1.0011 + abs(more)
    with pytest.raises(ValueError, match="row 1 of the targets is no probability distribution"):
        loss.forward(logits, rows)


@every_backend
@given(st.lists(st.sampled_from([-1e4, 0.0, 1e4]), min_size=1, max_size=5), seeds)
def test_what_all_logits_of_a_sample_have_in_common_changes_nothing(backend, common, seed):
    logits = np.round(normal((len(common), 3), seed), 3)  # so that little is lost beside 1e4
    labels, loss = np.arange(len(common)) % 3, SoftmaxCrossEntropy().to(backend)
    wanted, gradient = loss.forward(logits, labels), loss.backward()
    found = loss.forward(logits + np.array(common)[:, None], labels)
    assert found == pytest.approx(wanted, rel=1e-9)
    np.testing.assert_allclose(loss.backward(), gradient, atol=1e-9)


@every_backend
@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), SigmoidCrossEntropy(), MeanSquaredError()])
def test_copies_of_a_loss_keep_their_batches_apart(loss, backend):
    first, second = loss.on(backend), loss.on(backend)
    first.forward(np.zeros((2, 2)), np.eye(2))
    wanted = first.backward()
    first.forward(np.zeros((2, 2)), np.eye(2))
    second.forward(normal((2, 2), 0), np.eye(2))
    np.testing.assert_array_equal(first.backward(), wanted)
