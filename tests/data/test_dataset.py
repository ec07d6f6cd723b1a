"""A Dataset holds what fits together and gives subsets that do."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.data import Dataset

LETTERS = ("a", "b", "c")


def numbered(count):
    """Images that hold their own position, with labels 0, 1, 2, 0, 1, …"""
    images = np.arange(count, dtype=np.uint8).repeat(6).reshape(count, 1, 2, 3)
    return Dataset(images, np.arange(count, dtype=np.int64) % 3, LETTERS)


def assert_holds(subset, wanted):
    wanted = np.array(wanted, np.int64)
    assert subset.images[:, 0, 0, 0].tolist() == wanted.tolist()
    assert subset.labels.tolist() == (wanted % 3).tolist()
    assert subset.images.shape == (len(subset), 1, 2, 3)
    assert subset.classes == LETTERS


@given(st.integers(0, 9), st.data())
def test_a_slice_keeps_images_and_labels_together(count, data):
    part = data.draw(st.slices(count))
    assert_holds(numbered(count)[part], list(range(count))[part])


@given(st.integers(1, 9), st.data())
def test_positions_keep_images_and_labels_together(count, data):
    picked = data.draw(st.lists(st.integers(-count, count - 1)))
    wanted = [range(count)[i] for i in picked]
    assert_holds(numbered(count)[picked], wanted)
    assert_holds(numbered(count)[np.array(picked, np.int32)], wanted)


@given(st.lists(st.booleans(), max_size=9))
def test_a_mask_keeps_images_and_labels_together(mask):
    wanted = [i for i, kept in enumerate(mask) if kept]
    assert_holds(numbered(len(mask))[mask], wanted)
    assert_holds(numbered(len(mask))[np.array(mask, bool)], wanted)


@pytest.mark.parametrize("index", [0, np.int64(2), [[0, 1]], np.array(1)])
def test_a_single_position_is_refused_so_that_a_subset_is_always_a_dataset(index):
    with pytest.raises(TypeError, match="1-D array"):
        numbered(4)[index]


@pytest.mark.parametrize("index", [[4], [-5], [True, False], [0.5]])
def test_what_is_no_position_in_the_set_is_an_index_error(index):
    with pytest.raises(IndexError):
        numbered(4)[index]


GOOD = {
    "images": np.zeros((2, 1, 4, 5), np.uint8),
    "labels": np.array([0, 2], np.int64),
    "classes": LETTERS,
}


@pytest.mark.parametrize(
    "changed, error, words",
    [
        ({"images": np.zeros((2, 4, 5), np.uint8)}, ValueError, r"\(N, C, H, W\).*\(2, 4, 5\)"),
        ({"images": np.zeros((3, 1, 4, 5), np.uint8)}, ValueError, r"\(3,\).*\(2,\)"),
        ({"images": np.zeros((2, 1, 4, 5))}, TypeError, "images.*uint8.*float64"),
        ({"images": [[[[0]]]]}, TypeError, "images.*uint8.*list"),
        ({"labels": np.array([0, 2], np.uint8)}, TypeError, "labels.*int64.*uint8"),
        ({"labels": np.array([0.0, 2.0])}, TypeError, "labels.*int64.*float64"),
        ({"labels": np.array([[0], [2]], np.int64)}, ValueError, r"\(2,\).*\(2, 1\)"),
        ({"labels": np.array([0, 3], np.int64)}, ValueError, r"0\.\.2.*0\.\.3"),
        ({"labels": np.array([-1, 2], np.int64)}, ValueError, r"0\.\.2.*-1\.\.2"),
        ({"classes": "abc"}, TypeError, "tuple.*'abc'"),
        ({"classes": ()}, ValueError, r"0\.\.-1"),
    ],
)
def test_parts_that_do_not_fit_are_refused_with_got_and_wanted(changed, error, words):
    Dataset(**GOOD)
    with pytest.raises(error, match=words):
        Dataset(**(GOOD | changed))


def test_a_dataset_is_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        numbered(1).labels = np.zeros(1, np.int64)
