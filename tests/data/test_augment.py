"""Moving, mirroring and covering images: whole pixels, right angles, and what never changes."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.data import augment
from minicnn.data.augment import (
    Augmented,
    Compose,
    CutOut,
    RandomAffine,
    RandomCrop,
    RandomFlip,
    affine,
)

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


@given(st.floats(-2, 2), st.floats(-180, 180), seeds)
def test_pixels_are_rounded_to_the_nearest(shift, angle, seed):
    images = images_of(1, 2, 4, 5, seed)
    moves = np.full((1, 2), shift), np.full(1, angle), np.ones(1)
    exact = affine(images.astype(np.float64), *moves)
    assert np.abs(affine(images, *moves) - exact).max() < 0.501


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


@pytest.mark.parametrize("name", ["shift", "rotation", "scale"])
def test_every_image_is_moved_by_a_draw_of_its_own_within_the_bounds(name, monkeypatch):
    def keep(images, shifts, angles, factors):
        drawn.update(shift=shifts, rotation=np.degrees(angles), scale=factors - 1)
        return images

    drawn, bound = {}, {"shift": 3, "rotation": 20, "scale": 0.25}[name]
    monkeypatch.setattr(augment, "affine", keep)
    RandomAffine(**{name: bound})(images_of(400, 1, 5, 5, 0), np.random.default_rng(0))
    for other, numbers in drawn.items():
        if other != name:
            assert not numbers.any()
    assert 0.95 * bound < np.abs(drawn[name]).max() <= bound
    assert abs(drawn[name].mean()) < bound / 5
    assert len(np.unique(drawn[name])) == drawn[name].size  # along each axis its own, too


# What every transform promises

flips = st.builds(RandomFlip, st.floats(0, 1), st.floats(0, 1))
crops = st.builds(RandomCrop, st.integers(1, 5))
cuts = st.builds(CutOut, st.integers(1, 9))
affines = st.builds(RandomAffine, st.floats(0, 3), st.floats(0, 90), st.floats(0, 0.9))
single = flips | crops | cuts | affines
transforms = single | st.lists(single, max_size=3).map(Compose)
kinds = st.sampled_from(["u1", "<f4", ">f4", "f8"])


@given(transforms, st.integers(0, 5), st.integers(1, 4), sizes, sizes, kinds, seeds)
def test_images_keep_shape_and_dtype_follow_from_the_draw_and_are_not_written_to(
    transform, n, channels, height, width, kind, seed
):
    images = images_of(n, channels, height, width, seed).astype(kind)
    before = images.copy()
    images.flags.writeable = False
    first, second = (transform(images, np.random.default_rng(seed)) for _ in range(2))
    assert first.shape == images.shape and first.dtype == images.dtype
    assert np.array_equal(first, second) and np.array_equal(images, before)
    assert (first >= 0).all() and (first <= images.max(initial=0) + 1e-3).all()


@given(transforms, st.integers(1, 9), st.integers(1, 3), seeds, st.data())
def test_an_image_is_changed_in_the_same_way_in_whatever_batch_it_comes(
    transform, n, channels, seed, data
):
    images = images_of(n, channels, 5, 4, seed)
    whole = transform(images, np.random.default_rng(seed))
    asked = Augmented(images, transform, np.random.default_rng(seed))
    order = np.array(data.draw(st.lists(st.integers(0, n - 1))), np.int64)
    for batch in np.array_split(order, data.draw(st.integers(1, 4))):
        assert np.array_equal(asked[batch], whole[batch])


@given(transforms, st.integers(1, 9), st.integers(1, 200), seeds)
def test_how_many_images_are_computed_at_a_time_changes_nothing(transform, n, chunk, seed):
    images = images_of(n, 2, 4, 5, seed)
    whole = transform(images, np.random.default_rng(seed))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(augment, "CHUNK", chunk)
        assert np.array_equal(transform(images, np.random.default_rng(seed)), whole)


@given(st.lists(single, max_size=3), seeds)
def test_composed_transforms_act_one_after_the_other(several, seed):
    images = images_of(4, 3, 5, 6, seed)
    rng, step_by_step = np.random.default_rng(seed), images
    for transform in several:
        step_by_step = transform(step_by_step, rng)
    assert np.array_equal(Compose(several)(images, np.random.default_rng(seed)), step_by_step)


# What each of them does


@given(st.sampled_from([0, 1]), st.sampled_from([0, 1]), sizes, sizes, seeds)
def test_what_is_certain_to_be_mirrored_is_mirrored(horizontal, vertical, height, width, seed):
    images = images_of(3, 2, height, width, seed)
    flipped = RandomFlip(horizontal, vertical)(images, np.random.default_rng(seed))
    wanted = images[:, :, ::-1] if vertical else images
    assert np.array_equal(flipped, wanted[..., ::-1] if horizontal else wanted)


@pytest.mark.parametrize("axis, arguments", [(3, {"horizontal": 0.3}), (2, {"vertical": 0.3})])
def test_as_many_images_are_mirrored_as_the_probability_says(axis, arguments):
    images = images_of(3000, 1, 3, 3, 0)
    transform = RandomFlip(**{"horizontal": 0} | arguments)
    flipped = transform(images, np.random.default_rng(0))
    mirrored = (flipped == np.flip(images, axis)).all(axis=(1, 2, 3))
    assert (mirrored | (flipped == images).all(axis=(1, 2, 3))).all()
    assert abs(mirrored.mean() - 0.3) < 6 * np.sqrt(0.3 * 0.7 / 3000)


@given(st.integers(1, 4), st.integers(1, 3), sizes, sizes, seeds)
def test_a_crop_is_a_piece_of_the_padded_image(padding, channels, height, width, seed):
    image = images_of(1, channels, height, width, seed)
    cropped = RandomCrop(padding)(image, np.random.default_rng(seed))
    padded = np.pad(image, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    pieces = (
        padded[:, :, i : i + height, j : j + width]
        for i in range(2 * padding + 1)
        for j in range(2 * padding + 1)
    )
    assert any(np.array_equal(cropped, piece) for piece in pieces)


def test_crops_reach_every_place_and_each_image_has_its_own():
    images = np.zeros((2000, 1, 5, 5), np.uint8)
    images[:, :, 2, 2] = 1
    _, _, rows, columns = np.nonzero(RandomCrop(2)(images, np.random.default_rng(0)))
    assert len(rows) == len(images)  # no shift of 2 and less takes the middle out
    assert {*zip(rows.tolist(), columns.tolist())} == {*np.ndindex(5, 5)}


@given(st.integers(1, 9), st.integers(1, 3), sizes, sizes, seeds)
def test_what_is_cut_out_is_a_square_about_a_pixel_of_the_image(size, channels, h, w, seed):
    images = np.ones((1, channels, h, w), np.float32)
    (cut,) = CutOut(size)(images, np.random.default_rng(seed))
    squares = []
    for middle in np.ndindex(h, w):
        square = images[0].copy()
        top, left = (max(0, m - size // 2) for m in middle)
        bottom, right = (m - size // 2 + size for m in middle)
        square[:, top:bottom, left:right] = 0
        squares.append(square)
    assert any(np.array_equal(cut, square) for square in squares)


def test_squares_are_cut_out_everywhere_and_also_of_nan():
    images = np.full((500, 1, 4, 6), np.nan)
    cut = CutOut(1)(images, np.random.default_rng(0))
    assert ((cut == 0).sum(axis=(1, 2, 3)) == 1).all() and (cut == 0).any(axis=0).all()


# What is refused


@pytest.mark.parametrize(
    "make, words",
    [
        (lambda: RandomFlip(1.5), "RandomFlip: horizontal is 1.5, wanted 0 to 1"),
        (lambda: RandomFlip(vertical=float("nan")), "RandomFlip: vertical is nan"),
        (lambda: RandomFlip(True), "RandomFlip: horizontal must be a number"),
        (lambda: RandomCrop(0), "RandomCrop: padding must be at least 1, got 0"),
        (lambda: RandomCrop(1.5), "RandomCrop: padding must be a whole number"),
        (lambda: CutOut(-1), "CutOut: size must be at least 1, got -1"),
        (lambda: CutOut("8"), "CutOut: size must be a whole number"),
        (lambda: Compose(RandomFlip()), "Compose: wanted a list of transforms, got RandomFlip"),
        (lambda: Compose([RandomFlip]), "transform 0 is the class RandomFlip; write"),
        (lambda: Compose([RandomFlip(), np.flip]), "Compose: transform 1 must be one such as"),
    ],
)
def test_arguments_that_make_no_sense_are_named(make, words):
    with pytest.raises((ValueError, TypeError)) as caught:
        make()
    assert words in str(caught.value)


EACH = [RandomFlip(), RandomCrop(1), CutOut(2), RandomAffine(1), Compose([RandomFlip()])]


@pytest.mark.parametrize("transform", EACH, ids=repr)
def test_what_is_no_image_is_refused(transform):
    name, rng = type(transform).__name__, np.random.default_rng(0)
    with pytest.raises(ValueError, match=rf"{name}: wanted images \(N, C, H, W\), got .*\(5, 4"):
        transform(np.zeros((5, 4, 3)), rng)
    with pytest.raises(ValueError, match=rf"{name}: wanted images \(N, C, H, W\), got .*\(5, 4"):
        Augmented(np.zeros((5, 4, 3)), transform, rng)
    with pytest.raises(TypeError, match=rf"{name}: wanted an array of uint8.* got int64"):
        transform(np.zeros((5, 1, 4, 3), np.int64), rng)
    with pytest.raises(TypeError, match=rf"{name}: wanted an array of uint8.* got list"):
        transform([[1]], rng)


@pytest.mark.parametrize("transform", EACH, ids=repr)
def test_a_transform_cannot_be_changed_once_it_is_made(transform):
    (first, *_) = vars(transform)
    with pytest.raises(AttributeError):
        setattr(transform, first, 1)
