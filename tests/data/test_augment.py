"""Moving images about: whole pixels, right angles, and what never changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.data import augment
from minicnn.data.augment import RandomAffine, affine

sizes = st.integers(1, 7)
seeds = st.integers(0, 2**32 - 1)


def images_of(n, channels, height, width, seed):
    rng = np.random.default_rng(seed)
    return rng.integers(0, 256, (n, channels, height, width), dtype=np.uint8)


@given(sizes, st.integers(1, 3), sizes, sizes, seeds)
def test_no_movement_gives_the_same_images(n, channels, height, width, seed):
    images = images_of(n, channels, height, width, seed)
    assert np.array_equal(RandomAffine()(images, np.random.default_rng(0)), images)


@given(st.integers(-8, 8), st.integers(-8, 8), sizes, sizes, seeds)
def test_a_shift_by_whole_pixels_moves_them_and_brings_in_zeros(down, right, height, width, seed):
    images = images_of(2, 2, height, width, seed)
    moved = affine(images, np.full((2, 2), (down, right)), np.zeros(2), np.ones(2))
    for i in range(height):
        for j in range(width):
            inside = 0 <= i - down < height and 0 <= j - right < width
            wanted = images[:, :, i - down, j - right] if inside else 0
            assert np.array_equal(moved[:, :, i, j], np.broadcast_to(wanted, (2, 2)))


@given(sizes, st.integers(0, 3), seeds)
def test_a_quarter_turn_is_numpys(size, quarters, seed):
    images = images_of(3, 1, size, size, seed)
    moved = affine(images, np.zeros((3, 2)), np.full(3, quarters * np.pi / 2), np.ones(3))
    # i goes down, so from the rows' axis towards the columns' is against the clock on a screen
    assert np.array_equal(moved, np.rot90(images, quarters, axes=(2, 3)))


def looked_up(image, i, j):
    """The bilinear value at (i, j), pixel by pixel, zero outside."""
    total = 0.0
    for row in range(image.shape[0]):
        for column in range(image.shape[1]):
            total += max(0, 1 - abs(i - row)) * max(0, 1 - abs(j - column)) * image[row, column]
    return total


@given(st.floats(-5, 5), st.floats(-5, 5), st.floats(-4, 4), st.floats(0.5, 2), sizes, sizes, seeds)
def test_a_pixel_comes_from_where_the_movement_undone_leads(down, right, angle, factor, h, w, seed):
    image = np.random.default_rng(seed).random((h, w))
    moved = affine(
        image[None, None], np.array([[down, right]]), np.array([angle]), np.array([factor])
    )[0, 0]
    centre = np.array([(h - 1) / 2, (w - 1) / 2])
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    for place in np.ndindex(h, w):
        # place = centre + shift + factor · turn · (source − centre)
        offset = np.array(place) - centre - (down, right)
        source = centre + turn.T @ offset / factor
        assert moved[place] == pytest.approx(looked_up(image, *source), abs=1e-4)


def test_doubling_an_even_image_spreads_its_middle():
    image = np.zeros((1, 1, 4, 4), np.float64)
    image[0, 0, 1:3, 1:3] = 1
    large = affine(image, np.zeros((1, 2)), np.zeros(1), np.full(1, 2.0))
    assert large.sum() == pytest.approx(4 * image.sum(), rel=0.3)
    assert (large[0, 0, 1:3, 1:3] == 1).all()


@given(seeds)
def test_images_follow_from_the_generator_and_keep_shape_and_dtype(seed):
    images = images_of(5, 1, 6, 6, 1).astype(np.float32)
    augment = RandomAffine(shift=2, rotation=20, scale=0.1)
    first, second = (augment(images, np.random.default_rng(seed)) for _ in range(2))
    assert first.shape == images.shape and first.dtype == images.dtype
    assert np.array_equal(first, second)
    assert first.min() >= 0 and first.max() <= images.max()


@pytest.mark.parametrize(
    "wrong", [{"shift": -1}, {"rotation": float("nan")}, {"scale": 1}, {"shift": "2"}]
)
def test_numbers_that_make_no_sense_are_refused(wrong):
    with pytest.raises((ValueError, TypeError), match=next(iter(wrong))):
        RandomAffine(**wrong)


def test_images_without_channels_are_refused():
    with pytest.raises(ValueError, match=r"wanted images \(N, C, H, W\), got shape \(5, 4, 3\)"):
        RandomAffine(shift=1)(np.zeros((5, 4, 3)), np.random.default_rng(0))


@pytest.mark.parametrize("name", ["shift", "rotation", "scale"])
def test_every_image_is_moved_by_a_draw_of_its_own_within_the_bounds(name, monkeypatch):
    def keep(images, shifts, angles, factors):
        drawn.update(shift=shifts, rotation=np.degrees(angles), scale=factors - 1)
        return images

    drawn, bound = {}, {"shift": 3, "rotation": 20, "scale": 0.25}[name]
    monkeypatch.setattr(augment, "affine", keep)
    monkeypatch.setattr(augment, "CHUNK", 400)
    RandomAffine(**{name: bound})(images_of(400, 1, 5, 5, 0), np.random.default_rng(0))
    for other, numbers in drawn.items():
        if other != name:
            assert not numbers.any()
    assert 0.95 * bound < np.abs(drawn[name]).max() <= bound
    assert abs(drawn[name].mean()) < bound / 5
    assert len(np.unique(drawn[name])) > 5
