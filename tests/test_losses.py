import inspect

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import backends, gradcheck
from minicnn.losses import Loss, MeanSquaredError, SigmoidCrossEntropy, SoftmaxCrossEntropy
from tests.strategies import normal, seeds

every_backend = pytest.mark.parametrize("backend", backends.available())
smoothing = st.sampled_from([0.0, 0.1, 1.0])


@st.composite
def classification(draw):
    """Logits and targets for them, as labels or as probabilities, and a loss with its options."""
    n, classes, seed = draw(st.integers(1, 6)), draw(st.integers(2, 5)), draw(seeds)
    rng = np.random.default_rng(seed)
    weights = draw(st.none() | st.just(rng.uniform(0.1, 2, classes)))
    loss = SoftmaxCrossEntropy(draw(smoothing), weights)
    labels = rng.integers(0, classes, n)
    soft = rng.dirichlet(np.ones(classes), n)
    target = draw(st.sampled_from([labels, np.eye(classes, dtype=int)[labels], soft]))
    return loss, normal((n, classes), seed + 1), target


@every_backend
@given(classification())
def test_softmax_cross_entropy_has_the_gradient_that_it_says(backend, case):
    loss, logits, target = case
    gradcheck.check(loss.to(backend), logits, target)


@every_backend
@given(st.integers(1, 5), st.integers(1, 4), seeds)
def test_sigmoid_cross_entropy_has_the_gradient_that_it_says(backend, n, outputs, seed):
    target = np.random.default_rng(seed).random((n, outputs))
    gradcheck.check(SigmoidCrossEntropy().to(backend), normal((n, outputs), seed), target)


@every_backend
@given(st.lists(st.integers(1, 4), min_size=2, max_size=4).map(tuple), seeds)
def test_mean_squared_error_has_the_gradient_that_it_says(backend, shape, seed):
    gradcheck.check(MeanSquaredError().to(backend), normal(shape, seed), normal(shape, seed + 1))


@given(classification())
def test_softmax_cross_entropy_is_pytorchs(case):
    torch = pytest.importorskip("torch")
    loss, logits, target = case
    weights = None if loss.class_weights is None else torch.tensor(loss.class_weights)
    leaf = torch.tensor(logits, requires_grad=True)
    wanted = torch.tensor(target if target.ndim == 1 else target.astype(float))
    peer = torch.nn.functional.cross_entropy(
        leaf, wanted, weights, label_smoothing=loss.label_smoothing
    )
    peer.backward()
    assert loss.forward(logits, target) == pytest.approx(peer.item(), rel=1e-9)
    np.testing.assert_allclose(loss.backward(), leaf.grad.numpy(), rtol=1e-8, atol=1e-12)


@every_backend
@given(st.integers(1, 6), st.integers(2, 5), seeds)
def test_with_class_weights_the_mean_is_over_the_weights_of_the_labels(backend, n, classes, seed):
    rng = np.random.default_rng(seed)
    logits, labels = normal((n, classes), seed + 1), rng.integers(0, classes, n)
    weights = rng.uniform(0.1, 2, classes)
    weights[(labels[0] + 1) % classes] = 0  # a class that does not count
    loss = SoftmaxCrossEntropy(class_weights=weights).to(backend)
    each = np.log(np.exp(logits).sum(axis=1)) - logits[np.arange(n), labels]
    wanted = np.average(each, weights=weights[labels])
    assert loss.forward(logits, labels) == pytest.approx(wanted)


def test_a_loss_shows_its_arguments():
    loss = SoftmaxCrossEntropy(label_smoothing=0.1, class_weights=[1, 1 / 3])
    assert repr(loss) == (
        "SoftmaxCrossEntropy(label_smoothing=0.1, class_weights=[1.0, 0.3333333333333333])"
    )
    with pytest.raises(AttributeError, match="label_smoothing is fixed when it is made"):
        loss.label_smoothing = 0.2


@every_backend
def test_a_batch_in_which_no_sample_counts_costs_nothing(backend):
    loss = SoftmaxCrossEntropy(class_weights=[0, 1]).to(backend)
    logits = loss.ops.from_numpy(normal((4, 2), 0))
    targets = loss.targets(np.array([0, 1, 0, 1]), (4, 2))
    assert loss.ops.to_float(loss.compare(logits, targets, np.array([0, 1, 2, 3]))) > 0
    few = loss.ops.from_numpy(normal((2, 2), 0))
    assert loss.ops.to_float(loss.compare(few, targets, np.array([0, 2]))) == 0
    assert not loss.ops.to_numpy(loss.backward_batch()).any()
    assert loss.divisor(targets, np.array([0, 2])) == 0
    with pytest.raises(ValueError, match="every label's class has weight 0"):
        loss.forward(normal((2, 2), 0), np.array([0, 0]))


@every_backend
def test_a_wrong_class_may_be_impossible(backend):
    logits = np.array([[1.0, 2.0, -np.inf]])
    found = SoftmaxCrossEntropy().to(backend).forward(logits, np.array([0]))
    assert found == pytest.approx(np.log(1 + np.e))


def test_a_single_class_is_refused_with_the_loss_that_fits():
    with pytest.raises(ValueError, match="one logit against the rest is for SigmoidCrossEntropy"):
        SoftmaxCrossEntropy().forward(np.zeros((2, 1)), np.array([0, 0]))


@given(st.integers(1, 5), st.integers(1, 4), seeds)
def test_sigmoid_cross_entropy_is_pytorchs(n, outputs, seed):
    torch = pytest.importorskip("torch")
    logits = normal((n, outputs), seed) * 20
    target = np.random.default_rng(seed).random((n, outputs))
    leaf = torch.tensor(logits, requires_grad=True)
    peer = torch.nn.functional.binary_cross_entropy_with_logits(leaf, torch.tensor(target))
    peer.backward()
    loss = SigmoidCrossEntropy()
    assert loss.forward(logits, target) == pytest.approx(peer.item(), rel=1e-9)
    np.testing.assert_allclose(loss.backward(), leaf.grad.numpy(), rtol=1e-8, atol=1e-12)


@every_backend
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_huge_logits_give_a_finite_loss_and_the_gradient_p_minus_y(backend, dtype):
    logits = np.array([[1e4, -1e4], [1e4, -1e4]], dtype)
    loss = SoftmaxCrossEntropy().to(backend)
    assert loss.forward(logits, np.array([0, 1])) == pytest.approx(1e4)
    np.testing.assert_allclose(loss.backward(), [[0, 0], [0.5, -0.5]])
    loss = SigmoidCrossEntropy().to(backend)
    assert loss.forward(logits, np.array([[1, 0], [0, 1]])) == pytest.approx(5e3)
    np.testing.assert_allclose(loss.backward(), [[0, 0], [0.25, -0.25]])


@every_backend
@given(st.integers(1, 40), st.integers(2, 12), seeds)
def test_the_gradient_for_one_class_is_softmax_minus_one_hot_over_n(backend, n, classes, seed):
    logits, labels = normal((n, classes), seed), np.random.default_rng(seed).integers(0, classes, n)
    loss = SoftmaxCrossEntropy().to(backend)
    loss.forward(logits, labels)
    p = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    np.testing.assert_allclose(loss.backward(), (p - np.eye(classes)[labels]) / n, atol=1e-12)


def test_uniform_logits_cost_the_logarithm_of_the_number_of_classes():
    assert SoftmaxCrossEntropy().forward(np.zeros((3, 7)), np.array([0, 3, 6])) == pytest.approx(
        np.log(7)
    )


def test_labels_and_their_one_hot_rows_are_the_same_target():
    logits, labels = normal((5, 4), 0), np.array([0, 3, 1, 1, 2])
    loss = SoftmaxCrossEntropy(label_smoothing=0.2)
    assert loss.forward(logits, labels) == loss.forward(logits, np.eye(4)[labels])


def test_one_output_takes_flat_labels():
    logits, labels = normal((5, 1), 0), np.array([0, 1, 1, 0, 1])
    loss = SigmoidCrossEntropy()
    assert loss.forward(logits, labels) == loss.forward(logits, labels[:, None])


@pytest.mark.parametrize(
    ("labels", "error", "message"),
    [
        ([0, 1, 3], ValueError, "label 3 at index 2 is not in 0..2"),
        ([0, -1, 2], ValueError, "label -1 at index 1"),
        ([0, 1], ValueError, "3 predictions but 2 labels"),
        ([0, 1, 2, 0], ValueError, "3 predictions but 4 labels"),
        ([[0], [1], [2]], ValueError, r"got shape \(3, 1\)"),
        ([0.0, 1.0, 2.0], TypeError, "labels must be integers, got float64"),
        ([True, False, True], TypeError, "labels must be integers, got bool"),
        (["0", "1", "2"], TypeError, "labels must be integers"),
        ([[1, 1, 0]] * 3, ValueError, "row 0 of the targets is no probability distribution"),
        ([[2, -1, 0]] * 3, ValueError, "row 0 of the targets is no probability distribution"),
        ([[0, 1, 0], [0, 0, 1], [-1, 1, 1]], ValueError, "row 2 of the targets is no probability"),
        ([[np.nan, 1, 0]] * 3, ValueError, "row 0 of the targets is no probability distribution"),
    ],
)
def test_labels_that_do_not_fit_are_refused(labels, error, message):
    with pytest.raises(error, match=f"SoftmaxCrossEntropy.*{message}"):
        SoftmaxCrossEntropy().forward(np.zeros((3, 3)), np.array(labels))


@pytest.mark.parametrize("loss", [SigmoidCrossEntropy(), MeanSquaredError()])
def test_predictions_without_a_number_have_no_mean(loss):
    with pytest.raises(ValueError, match=type(loss).__name__):
        loss.forward(np.zeros((2, 0)), np.zeros((2, 0)))


def test_a_loss_that_states_nothing_says_what_is_missing():
    class Nothing(Loss):
        pass

    for missing in ("targets", "forward_batch", "backward_batch"):
        arguments = [None] * (len(inspect.signature(getattr(Loss, missing)).parameters) - 1)
        with pytest.raises(NotImplementedError, match=f"Nothing does not state its {missing}"):
            getattr(Nothing(), missing)(*arguments)


def test_logits_that_are_no_rows_of_classes_are_refused():
    with pytest.raises(ValueError, match=r"wanted logits of shape \(N, C\), got \(2, 3, 4\)"):
        SoftmaxCrossEntropy().forward(np.zeros((2, 3, 4)), np.array([0, 1]))


@pytest.mark.parametrize("loss", [SigmoidCrossEntropy(), MeanSquaredError()])
def test_targets_that_are_no_numbers_are_refused(loss):
    with pytest.raises(TypeError, match=rf"{type(loss).__name__}\(\): target.*<U1"):
        loss.forward(np.zeros((2, 1)), np.array([["0"], ["1"]]))


def test_targets_outside_of_0_to_1_are_no_probabilities():
    for value in (-1, 1.5):
        with pytest.raises(ValueError, match=rf"0\.\.1, got .*{value}"):
            SigmoidCrossEntropy().forward(np.zeros((2, 1)), np.array([value, 1]))


@pytest.mark.parametrize("loss", [SigmoidCrossEntropy(), MeanSquaredError()])
def test_targets_of_another_shape_are_never_broadcast(loss):
    with pytest.raises(ValueError, match=r"shape \(4, 3\), targets \(4, 1\)"):
        loss.forward(np.zeros((4, 3)), np.zeros((4, 1)))


def test_big_endian_labels_are_read_right():
    labels = np.array([2, 0, 1])
    loss, logits = SoftmaxCrossEntropy(), normal((3, 3), 0)
    assert loss.forward(logits, labels.astype(">i4")) == loss.forward(logits, labels)


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), SigmoidCrossEntropy(), MeanSquaredError()])
def test_an_empty_batch_has_no_mean(loss):
    with pytest.raises(ValueError, match="empty"):
        loss.forward(np.empty((0, 3)), np.empty((0, 3)))


@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), SigmoidCrossEntropy(), MeanSquaredError()])
def test_backward_needs_its_own_forward(loss):
    with pytest.raises(RuntimeError, match="forward"):
        loss.backward()
    loss.forward(np.zeros((2, 2)), np.eye(2))
    loss.backward()
    with pytest.raises(RuntimeError, match="forward"):
        loss.backward()


@pytest.mark.parametrize("backend", backends.available())
@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), SigmoidCrossEntropy(), MeanSquaredError()])
def test_on_another_backend_backward_needs_another_forward(loss, backend):
    loss.to("numpy").forward(np.zeros((2, 2)), np.eye(2))
    with pytest.raises(RuntimeError, match="forward"):
        loss.to(backend).backward()


@pytest.mark.parametrize("value", [-0.1, 1.1, float("nan"), "0.1"])
def test_label_smoothing_is_a_share(value):
    with pytest.raises((ValueError, TypeError), match="^SoftmaxCrossEntropy: label_smoothing"):
        SoftmaxCrossEntropy(label_smoothing=value)


@pytest.mark.parametrize(
    "weights",
    [[1, -1], [1, np.nan], [1, np.inf], [[1, 2]], [[1], [1, 2]], {0: 1}, "12", [1, None], [1, 1j]],
)
def test_class_weights_are_finite_numbers_and_not_negative(weights):
    with pytest.raises(ValueError, match="^SoftmaxCrossEntropy: class_weights"):
        SoftmaxCrossEntropy(class_weights=weights)


@pytest.mark.parametrize("count", [2, 4])
def test_class_weights_must_match_the_classes(count):
    with pytest.raises(ValueError, match=f"{count} class weights for 3 classes"):
        SoftmaxCrossEntropy(class_weights=[1] * count).forward(np.zeros((1, 3)), np.array([0]))


def test_infinite_logits_give_a_loss_that_is_not_finite_and_no_warning():
    logits = np.array([[np.inf, 0.0]])
    assert not np.isfinite(SoftmaxCrossEntropy().forward(logits, np.array([0])))
    assert not np.isfinite(SigmoidCrossEntropy().forward(logits, np.array([[0.0, 0.0]])))


@every_backend
def test_pixels_are_a_target_between_0_and_1(backend):
    loss = MeanSquaredError().to(backend)
    prediction = np.zeros((1, 2))
    assert loss.forward(prediction, np.array([[255, 51]], np.uint8)) == pytest.approx(1.04 / 2)
    with pytest.raises(TypeError, match=r"MeanSquaredError\(\): target"):
        loss.forward(prediction, np.array([[255, 51]], np.int64))


@every_backend
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("loss", [SoftmaxCrossEntropy(), SigmoidCrossEntropy(), MeanSquaredError()])
def test_the_gradient_has_the_predictions_dtype(loss, backend, dtype):
    loss.to(backend)
    loss.forward(np.zeros((2, 2), dtype), np.array([[0.0, 1], [1, 0]]))
    assert loss.backward().dtype == dtype
