"""How good a classifier is, all read off one table: the confusion matrix."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from .common.arguments import as_array, whole_number


def confusion_matrix(labels: ArrayLike, predictions: ArrayLike, classes: int) -> np.ndarray:
    """matrix[t, p] = how many samples of class t were predicted to be of class p.

    - labels, predictions: (N,) of any integer dtype, each 0 … classes - 1
    - returns (classes, classes), int64: rows are true classes, columns predicted ones

    Matrices of several batches or folds add up to the matrix of them all.

    TypeError when labels, predictions or classes are not integers; ValueError when classes is below
    1, a label is out of range, an array is not one-dimensional or the lengths differ.
    """
    whole_number(classes, "classes", "confusion_matrix")
    true = class_numbers("labels", labels, classes)
    predicted = class_numbers("predictions", predictions, classes)
    if len(true) != len(predicted):
        raise ValueError(
            f"predictions: got {len(predicted)}, wanted {len(true)}, as many as there are labels"
        )
    cells = np.bincount(true * classes + predicted, minlength=classes * classes)
    return cells.reshape(classes, classes).astype(np.int64, copy=False)


def accuracy(matrix: ArrayLike) -> float:
    """Σ_t matrix[t, t] / Σ matrix: the share of samples predicted right; nan when there are none.

    - matrix: (classes, classes), integer counts, as from `confusion_matrix`

    TypeError when it does not hold integers; ValueError when it is not square or a count is
    negative.
    """
    counts = _counts(matrix)
    return float(_share(np.trace(counts), counts.sum()))


def precision(matrix: ArrayLike) -> np.ndarray:
    """matrix[c, c] / Σ_t matrix[t, c]: of the samples predicted to be c, the share that are.

    - matrix: (classes, classes), integer counts, as from `confusion_matrix`
    - returns (classes,), float64; nan for a class that was never predicted

    Errors as for `accuracy`.
    """
    counts = _counts(matrix)
    return _share(np.diagonal(counts), counts.sum(axis=0))


def recall(matrix: ArrayLike) -> np.ndarray:
    """matrix[c, c] / Σ_p matrix[c, p]: of the samples that are c, the share predicted to be.

    - matrix: (classes, classes), integer counts, as from `confusion_matrix`
    - returns (classes,), float64; nan for a class that was never present

    Errors as for `accuracy`.
    """
    counts = _counts(matrix)
    return _share(np.diagonal(counts), counts.sum(axis=1))


def _share(part: ArrayLike, whole: ArrayLike) -> np.ndarray:
    """part / whole, and nan, without NumPy's warning, where whole is 0."""
    whole = np.asarray(whole)
    return np.divide(part, whole, out=np.full(whole.shape, np.nan), where=whole > 0)


def class_numbers(name: str, values: ArrayLike, classes: int) -> np.ndarray:
    """Classes as int64 (N,); TypeError or ValueError for what is no class number."""
    array = as_array(values, name)
    if not np.issubdtype(array.dtype, np.integer):
        raise TypeError(f"{name}: got dtype {array.dtype}, wanted integers")
    if array.ndim != 1:
        raise ValueError(f"{name}: got shape {array.shape}, wanted one axis")
    outside = np.flatnonzero((array < 0) | (array >= classes))
    if outside.size:
        first = outside[0]
        raise ValueError(f"{name}[{first}]: got {array[first]}, wanted 0 to {classes - 1}")
    # Small dtypes would overflow: the cell's number, t · classes + p, may not fit in a uint8.
    return array.astype(np.int64)


def _counts(matrix: ArrayLike) -> np.ndarray:
    counts = as_array(matrix, "matrix")
    if not np.issubdtype(counts.dtype, np.integer):
        raise TypeError(f"matrix: got dtype {counts.dtype}, wanted integers")
    if counts.ndim != 2 or counts.shape[0] != counts.shape[1]:
        raise ValueError(f"matrix: got shape {counts.shape}, wanted (classes, classes)")
    if (counts < 0).any():
        raise ValueError(f"matrix: got a count of {counts.min()}, wanted none below 0")
    return counts
