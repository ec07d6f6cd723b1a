"""The metrics against plain loops that count."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from minicnn.metrics import accuracy, confusion_matrix, precision, recall


@st.composite
def predictions(draw):
    """(labels, predictions, classes): lists of equal length, with classes that may not occur."""
    classes = draw(st.integers(1, 6))
    number = st.integers(0, classes - 1)
    pairs = draw(st.lists(st.tuples(number, number), min_size=1, max_size=40))
    labels, predicted = zip(*pairs, strict=True)
    return list(labels), list(predicted), classes


def share(part, whole):
    return part / whole if whole else math.nan


@given(predictions())
def test_each_cell_counts_the_samples_of_its_true_and_predicted_class(case):
    labels, predicted, classes = case
    expected = [[0] * classes for _ in range(classes)]
    for label, prediction in zip(labels, predicted, strict=True):
        expected[label][prediction] += 1
    matrix = confusion_matrix(labels, predicted, classes)
    assert matrix.dtype == np.int64
    assert matrix.tolist() == expected


@given(predictions())
def test_accuracy_is_the_share_of_samples_predicted_right(case):
    labels, predicted, _ = case
    right = sum(label == prediction for label, prediction in zip(labels, predicted, strict=True))
    assert accuracy(confusion_matrix(*case)) == right / len(labels)


@given(predictions())
def test_precision_and_recall_are_shares_of_what_was_predicted_and_of_what_is_there(case):
    labels, predicted, classes = case
    matrix = confusion_matrix(*case)
    for c in range(classes):
        both = sum(pair == (c, c) for pair in zip(labels, predicted, strict=True))
        assert np.array_equal(precision(matrix)[c], share(both, predicted.count(c)), equal_nan=True)
        assert np.array_equal(recall(matrix)[c], share(both, labels.count(c)), equal_nan=True)


@given(predictions())
def test_labels_and_predictions_swapped_swap_precision_and_recall(case):
    labels, predicted, classes = case
    matrix = confusion_matrix(labels, predicted, classes)
    swapped = confusion_matrix(predicted, labels, classes)
    assert np.array_equal(swapped, matrix.T)
    assert np.array_equal(precision(swapped), recall(matrix), equal_nan=True)


@given(predictions(), st.integers(0, 40))
def test_the_matrices_of_two_batches_add_up_to_that_of_both(case, cut):
    labels, predicted, classes = case
    first = confusion_matrix(np.array(labels[:cut], int), np.array(predicted[:cut], int), classes)
    rest = confusion_matrix(np.array(labels[cut:], int), np.array(predicted[cut:], int), classes)
    assert np.array_equal(first + rest, confusion_matrix(*case))


@given(arrays.integer_dtypes() | arrays.unsigned_integer_dtypes(), st.integers(1, 120))
def test_every_integer_dtype_counts_alike(dtype, classes):
    labels = np.arange(classes).astype(dtype)
    assert np.array_equal(confusion_matrix(labels, labels[::-1], classes), np.eye(classes)[::-1])


def test_shares_of_nothing_are_nan_and_warn_of_nothing():
    empty = np.zeros((3, 3), int)
    assert math.isnan(accuracy(empty))
    assert np.isnan(precision(empty)).all()
    assert np.isnan(recall(empty)).all()
    assert recall([[1, 1], [0, 0]]).tolist()[0] == 0.5
    assert np.isnan(recall([[1, 1], [0, 0]])[1])
    assert np.isnan(precision([[2, 0], [1, 0]])[1])


@pytest.mark.parametrize(
    ("labels", "predicted", "classes", "error", "message"),
    [
        ([0, 1], [0], 2, ValueError, "predictions: got 1, wanted 2, as many as there are labels"),
        ([0], [0, 1], 2, ValueError, "predictions: got 2, wanted 1, as many as there are labels"),
        ([0, 2], [0, 1], 2, ValueError, r"labels\[1\]: got 2, wanted 0 to 1"),
        ([0, 1], [-1, 1], 2, ValueError, r"predictions\[0\]: got -1, wanted 0 to 1"),
        ([[0, 1]], [0, 1], 2, ValueError, r"labels: got shape \(1, 2\), wanted one axis"),
        ([0], [0], 0, ValueError, "confusion_matrix: classes must be at least 1, got 0"),
        ([0.0, 1.0], [0, 1], 2, TypeError, "labels: got dtype float64, wanted integers"),
        ([0, 1], ["0", "1"], 2, TypeError, "predictions: got dtype <U1, wanted integers"),
        ([True], [0], 2, TypeError, "labels: got dtype bool, wanted integers"),
        ([0], [0], 2.0, TypeError, r"confusion_matrix: classes must be a whole number, got 2\.0"),
    ],
)
def test_wrong_labels_are_named(labels, predicted, classes, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        confusion_matrix(labels, predicted, classes)


@pytest.mark.parametrize("metric", [accuracy, precision, recall])
@pytest.mark.parametrize(
    ("matrix", "error", "message"),
    [
        ([[0.5, 0.5], [0.0, 1.0]], TypeError, "matrix: got dtype float64, wanted integers"),
        ([1, 2], ValueError, r"matrix: got shape \(2,\), wanted \(classes, classes\)"),
        ([[1, 2]], ValueError, r"matrix: got shape \(1, 2\), wanted \(classes, classes\)"),
        ([[1, -1], [0, 1]], ValueError, "matrix: got a count of -1, wanted none below 0"),
    ],
)
def test_what_is_no_confusion_matrix_is_refused(metric, matrix, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        metric(matrix)
