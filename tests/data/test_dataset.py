"""A Dataset holds what fits together and gives subsets that do."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.data import Dataset, split

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


@pytest.mark.parametrize("index", [True, "0", None, [[0, 1]], np.array(1)])
def test_what_is_neither_a_position_nor_several_is_refused(index):
    with pytest.raises(TypeError, match="1-D array"):
        numbered(4)[index]


@given(st.integers(1, 9), st.data())
def test_a_position_picks_one_image_and_its_label(count, data):
    index = data.draw(st.integers(-count, count - 1))
    image, label = numbered(count)[np.int64(index) if data.draw(st.booleans()) else index]
    assert image.shape == (1, 2, 3) and image[0, 0, 0] == range(count)[index]
    assert type(label) is int and label == range(count)[index] % 3


@given(st.integers(0, 9))
def test_a_loop_sees_every_image_with_its_label(count):
    samples = [(int(image[0, 0, 0]), label) for image, label in numbered(count)]
    assert samples == [(k, k % 3) for k in range(count)]


@pytest.mark.parametrize("index", [4, -5, [4], [-5], [True, False], [0.5]])
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
        ({"images": np.zeros((2, 4, 5), np.uint8)}, ValueError, r"images\[:, None\]"),
        ({"images": np.zeros((2, 1, 4, 5), int)}, TypeError, "images.*uint8.*int64"),
        ({"images": np.zeros((2, 1, 4, 5), "f2")}, TypeError, "images.*uint8.*float16"),
        ({"images": [[[[0]]]]}, TypeError, "images.*uint8.*list"),
        ({"labels": np.array([0.0, 2.0])}, TypeError, "labels.*integers.*float64"),
        ({"labels": np.array([0, 2**64 - 1], np.uint64)}, ValueError, r"0\.\.2.*0\.\.18446744"),
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


@pytest.mark.parametrize("dtype", ["uint8", "float32", "float64", ">f4"])
@pytest.mark.parametrize("labels", [[0, 2], np.array([0, 2], np.uint8), np.array([0, 2], ">i4")])
def test_floats_any_whole_numbers_and_a_list_of_classes_are_taken(dtype, labels):
    images = np.ones((2, 1, 4, 5), dtype)
    dataset = Dataset(images, labels, ["a", "b", "c"])
    assert dataset.images is images
    assert dataset.labels.dtype == np.int64 and dataset.labels.tolist() == [0, 2]
    assert dataset.classes == LETTERS
    assert dataset[:1].images.dtype == images.dtype


def test_a_dataset_is_shown_on_one_line():
    assert repr(numbered(200)) == "Dataset of 200 images 1 x 2 x 3 of uint8, 3 classes a b c"
    many = Dataset(np.zeros((2500, 3, 4, 5), "f"), np.zeros(2500, int), [*"abcdefghijkl"])
    assert repr(many) == (
        "Dataset of 2,500 images 3 x 4 x 5 of float32, 12 classes a b c d e f g h i j ..."
    )


@given(st.integers(2, 50), st.data())
def test_split_puts_every_sample_into_one_of_two_parts(count, data):
    first = data.draw(st.integers(1, count - 1))
    seed = data.draw(st.integers(0, 99))
    parts = split(numbered(count), first, seed)
    assert [*map(len, parts)] == [first, count - first]
    positions = [int(image[0, 0, 0]) for part in parts for image, _ in part]
    assert sorted(positions) == list(range(count))
    for part in parts:
        assert_holds(part, [int(image[0, 0, 0]) for image, _ in part])
    again = split(numbered(count), first / count, seed)
    assert [*map(repr, again)] == [*map(repr, parts)]
    assert all(np.array_equal(a.images, b.images) for a, b in zip(again, parts))


def test_another_seed_splits_otherwise():
    parts = [split(numbered(50), 0.5, seed)[0].images.tobytes() for seed in range(3)]
    assert len(set(parts)) == 3


@pytest.mark.parametrize("first", [0, 4, 5, -1, 0.0, 1.0, 1.5, 0.1, 0.9, float("nan")])
def test_a_split_that_leaves_a_part_empty_is_refused(first):
    with pytest.raises(ValueError, match="split: first is .* of 4 samples"):
        split(numbered(4), first)


def test_split_refuses_what_is_no_dataset_or_no_number():
    with pytest.raises(TypeError, match="split: wanted a Dataset, got tuple"):
        split((np.zeros((4, 1)), np.zeros(4)), 0.5)
    with pytest.raises(TypeError, match="split: first must be a number, got '1'"):
        split(numbered(4), "1")
