"""Zener cards: reproducible, balanced, inside their image, and varied by just what is asked for."""

import hashlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.data import ZenerStyle, zener, zener_cards

AMOUNTS = {
    "position": 1.5, "size": 0.45, "thickness": 0.8, "orientation": 180, "stray_marks": 100,
    "dithering": 1,
}  # fmt: skip
STILL = dict.fromkeys(AMOUNTS, 0)
WHOLE = {"position": 1, "size": 0.3, "thickness": 0.8, "orientation": 180, "stray_marks": 0}

seeds = st.integers(0, 2**64)
sides = st.integers(16, 70)
amounts = {
    "position": st.floats(0, 1.5),
    "size": st.floats(0, 0.45),
    "thickness": st.floats(0, 0.8),
    "orientation": st.floats(0, 180),
    "stray_marks": st.integers(0, 8),
    "sketched": st.booleans(),
}
styles = st.builds(ZenerStyle, **amounts, antialiased=st.booleans()) | st.builds(
    ZenerStyle, **amounts, dithering=st.floats(0, 1)
)


def ink(dataset):
    """True where a pixel is black, (N, H, W)."""
    return dataset.images[:, 0] == 0


@given(st.integers(0, 30), seeds, styles, sides, sides)
def test_every_card_is_an_image_of_the_asked_size(count, seed, style, height, width):
    cards = zener_cards(count, seed, style, (height, width))
    assert cards.images.shape == (count, 1, height, width)
    assert cards.classes == ("O", "P", "Q", "S", "W")
    if not style.antialiased:
        assert set(np.unique(cards.images)) <= {0, 255}
    dark = (cards.images < 128).mean(axis=(1, 2, 3))
    assert (dark < 0.6).all()
    if style.position <= 1 and not style.sketched and not style.dithering:
        assert (dark > 0).all()


@given(st.integers(0, 30), seeds, styles)
def test_the_same_seed_gives_the_same_bytes(count, seed, style):
    first, second = zener_cards(count, seed, style), zener_cards(count, seed, style)
    assert np.array_equal(first.images, second.images)
    assert np.array_equal(first.labels, second.labels)


def test_another_seed_gives_other_cards_in_another_order():
    first, second = zener_cards(50, 1), zener_cards(50, 2)
    assert not np.array_equal(first.labels, second.labels)
    assert len(np.unique(np.concatenate([first.images, second.images]), axis=0)) == 100


@given(st.integers(0, 200), seeds)
def test_labels_are_balanced(count, seed):
    counts = np.bincount(zener_cards(count, seed, size=16).labels, minlength=5)
    assert counts.sum() == count and counts.max() - counts.min() <= 1


def test_labels_are_shuffled():
    labels = zener_cards(1000, 1, size=16).labels
    # Neighbours of the same class: 199.8 are expected, with a standard deviation below 13.
    assert 130 < (labels[1:] == labels[:-1]).sum() < 270


@given(seeds, st.booleans(), sides)
def test_without_any_variation_the_cards_of_a_class_are_identical(seed, antialiased, side):
    cards = zener_cards(20, seed, ZenerStyle(**STILL, antialiased=antialiased), side)
    distinct = {image.tobytes() for image in cards.images}
    assert len(distinct) == 5
    for label in range(5):
        assert len(np.unique(cards.images[cards.labels == label], axis=0)) == 1


@pytest.mark.parametrize("amount", [name for name in AMOUNTS if name != "dithering"])
def test_each_amount_alone_makes_cards_of_a_class_differ(amount):
    cards = zener_cards(60, 3, ZenerStyle(**(STILL | {amount: AMOUNTS[amount]})), 64)
    for label, letter in enumerate(cards.classes):
        distinct = len(np.unique(cards.images[cards.labels == label], axis=0))
        turned_circle = amount == "orientation" and letter == "O"
        assert distinct == 1 if turned_circle else distinct > 3


@given(seeds, sides)
def test_a_centred_symbol_leaves_the_border_free(seed, side):
    cards = ink(zener_cards(20, seed, ZenerStyle(**(WHOLE | {"position": 0, "size": 0.24})), side))
    assert not cards[:, [0, -1]].any() and not cards[:, :, [0, -1]].any()


@given(seeds, st.integers(40, 90), st.integers(40, 90))
def test_a_symbol_that_moves_is_never_cut(seed, height, width):
    still = zener_cards(20, seed, ZenerStyle(**(WHOLE | {"position": 0})), (height, width))
    moved = zener_cards(20, seed, ZenerStyle(**WHOLE), (height, width))
    assert np.array_equal(still.labels, moved.labels)
    for before, after in zip(ink(still), ink(moved), strict=True):
        for axis in (0, 1):
            # A tip narrower than a pixel may fall between the pixels' centres.
            assert abs(extent(before, axis) - extent(after, axis)) <= 2


def extent(card, axis):
    """How many pixels a card's ink spans."""
    inked = np.flatnonzero(card.any(axis=axis))
    return inked[-1] - inked[0] + 1


def test_symbols_reach_all_sides_of_the_image():
    cards = ink(zener_cards(2000, 1, ZenerStyle(position=1, stray_marks=0)))
    touched = cards.any(axis=0)
    assert touched[0].any() and touched[-1].any() and touched[:, 0].any() and touched[:, -1].any()


def test_lines_go_from_a_pixel_to_more_than_three():
    style = ZenerStyle(**(STILL | {"thickness": 0.6}))
    cards = zener_cards(500, 1, style)
    plus = ink(cards[cards.labels == cards.classes.index("P")])
    widths = {int(card[5].sum()) for card in plus}  # a row that crosses the upright stroke alone
    assert widths == {1, 3}  # a stroke about a pixel's centre is an odd number of pixels wide
    thick = ink(zener_cards(500, 1, style, 100))
    widths = [int(card[20].sum()) for card in thick[cards.labels == 1]]
    assert min(widths) == 4 and max(widths) == 14


def test_a_square_tilted_by_45_degrees_is_a_diamond():
    cards = zener_cards(3000, 1, ZenerStyle(**(STILL | {"orientation": 45})), 41)
    squares = ink(cards[cards.labels == cards.classes.index("Q")])
    corners = [card.any(axis=1).argmax() for card in squares]  # the uppermost row with ink
    widths = [card[row].sum() for card, row in zip(squares, corners, strict=True)]
    assert min(widths) < 6  # a diamond begins with a tip
    assert max(widths) > 20  # and an upright square with a side


def test_stray_marks_are_added_without_moving_the_symbols():
    clean = zener_cards(100, 1, ZenerStyle(stray_marks=0))
    marked = zener_cards(100, 1, ZenerStyle(stray_marks=3))
    assert np.array_equal(clean.labels, marked.labels)
    assert (ink(marked) >= ink(clean)).all()
    added = (ink(marked) ^ ink(clean)).sum(axis=(1, 2))
    assert (added == 0).mean() > 0.15  # some cards have none
    assert 3 < added.mean() < 25 and added.max() < 45


def test_grey_edges_cut_at_half_are_the_black_and_white_card():
    grey = zener_cards(50, 1, ZenerStyle(antialiased=True))
    sharp = zener_cards(50, 1)
    assert len(np.unique(grey.images)) > 50
    assert np.array_equal(grey.images < 128, sharp.images < 128)


@pytest.mark.parametrize("style", [ZenerStyle(), ZenerStyle.report()])
def test_a_set_drawn_in_blocks_is_the_set_drawn_at_once(monkeypatch, style):
    at_once = zener_cards(12, 7, style)
    monkeypatch.setattr(zener, "PIXELS_AT_ONCE", 5 * 25 * 25)
    assert np.array_equal(zener_cards(12, 7, style).images, at_once.images)


def test_dithering_leaves_ink_where_there_was_ink_and_nearly_as_much():
    grey = zener_cards(200, 1, ZenerStyle(antialiased=True)).images[:, 0]
    black = ink(zener_cards(200, 1, ZenerStyle(dithering=1)))
    assert not np.array_equal(black, grey < 128)
    sums = (255 - grey.astype(float)).sum(axis=(1, 2)) / 255, black.sum(axis=(1, 2))
    assert abs(sums[0].mean() / sums[1].mean() - 1) < 0.05
    near = grey < 255  # the ink of a pixel goes one pixel on at a time
    for axis in (1, 2):
        near = near | np.roll(near, 1, axis) | np.roll(near, -1, axis)
    assert (black & ~near).mean() < 0.002


def only(letter, cards):
    return ink(cards)[cards.labels == cards.classes.index(letter)]


SKETCHED = {"size": 0.45, "thickness": 0.55, "stray_marks": 0, "sketched": True}


def test_a_sketched_symbol_that_is_not_turned_lies_whole_in_its_card():
    cards = zener_cards(2000, 1, ZenerStyle(position=1, orientation=0, **SKETCHED))
    for letter in cards.classes:
        spans = [max(extent(card, 0), extent(card, 1)) for card in only(letter, cards)]
        assert min(spans) >= (11 if letter == "W" else 5) and max(spans) >= 23, letter
        assert letter == "W" or min(spans) <= 7, letter
    for card in only("Q", cards):
        rows, columns = np.flatnonzero(card.any(1)), np.flatnonzero(card.any(0))
        assert abs(len(rows) - len(columns)) <= 1
        for side in (*card[rows[[0, -1]]], *card.T[columns[[0, -1]]]):
            assert side.sum() >= len(rows) - 1


@pytest.mark.parametrize("change", [{"orientation": 135}, {"position": 1.5}])
def test_turning_a_sketch_or_moving_it_beyond_its_room_cuts_parts_off(change):
    still = {"position": 1, "orientation": 0} | SKETCHED
    whole = only("Q", zener_cards(2000, 1, ZenerStyle(**still)))
    cut = only("Q", zener_cards(2000, 1, ZenerStyle(**(still | change))))
    left = cut.sum(axis=(1, 2)) / whole.sum(axis=(1, 2))
    assert (left < 0.8).mean() > 0.05 and (left > 0.95).mean() > 0.3


def test_the_lines_of_a_sketch_are_as_thick_in_a_small_symbol_as_in_a_large_one():
    cards = zener_cards(3000, 1, ZenerStyle(position=0, orientation=0, **SKETCHED))
    widths = {}
    for card in only("P", cards):
        rows = np.flatnonzero(card.any(axis=1))
        stroke = int(card[rows[0]].sum())  # the tip of the upright stroke
        widths.setdefault(len(rows) < 10, set()).add(stroke)
    # A stroke of even thickness about a pixel's centre is a pixel less or more.
    assert widths[True] == widths[False] == {1, 3}


@given(seeds, st.integers(0, 9))
def test_marks_leave_a_sketched_symbol_as_it_is(seed, most):
    clean = zener_cards(20, seed, ZenerStyle(stray_marks=0, sketched=True))
    marked = zener_cards(20, seed, ZenerStyle(stray_marks=most, sketched=True))
    assert (ink(marked) >= ink(clean)).all()
    added = (ink(marked) ^ ink(clean)).sum(axis=(1, 2))
    assert (added <= 4 * most).all()


def test_dithering_of_cards_that_stay_grey_is_refused():
    with pytest.raises(ValueError, match="dithering must be 0.*got 0.5"):
        ZenerStyle(antialiased=True, dithering=0.5)


@pytest.mark.parametrize(
    "styles, wanted",
    [
        (
            [
                ZenerStyle(0.5, 0.2, 0.6, 45, 3),
                ZenerStyle(0.5, 0.2, 0.6, 45, 3, antialiased=True),
                ZenerStyle(1, 0.3, 0.8, 180, 9),
            ],
            "87c420f6c5345ae3c86a460a1cc9ac4286719a364fdf0ac48dac24a0a7af8a1b",
        ),
        (
            [ZenerStyle.report(), ZenerStyle(1.5, 0.45, dithering=0.5)],
            "b21da3c625f043f454a641a5554867124df5f31d3943e6b53f840f56bc220201",
        ),
    ],
)
def test_the_bytes_are_those_of_every_other_machine_and_version(styles, wanted):
    digest = hashlib.sha256()
    for style in styles:
        for size in (25, (40, 33)):
            cards = zener_cards(40, 2017, style, size)
            digest.update(cards.images.tobytes())
            digest.update(cards.labels.astype("<i8").tobytes())
    assert digest.hexdigest() == wanted


@pytest.mark.parametrize("amount", AMOUNTS)
@pytest.mark.parametrize("value", [-1, -1e-9, float("nan"), float("inf"), 181])
def test_an_amount_out_of_range_is_refused_by_name(amount, value):
    with pytest.raises(ValueError, match=rf"{amount} must lie in 0\.\..*got {value}"):
        ZenerStyle(**{amount: value})


def test_a_part_of_a_stray_mark_is_refused():
    with pytest.raises(ValueError, match=r"stray_marks.*whole number.*2\.5"):
        ZenerStyle(stray_marks=2.5)


@pytest.mark.parametrize(
    "arguments, error, words",
    [
        ({"count": -1, "seed": 0}, ValueError, "count.*-1"),
        ({"count": 1, "seed": -1}, ValueError, "seed.*-1"),
        ({"count": 1.0, "seed": 0}, TypeError, "float"),
        ({"count": 1, "seed": None}, TypeError, "None"),
        ({"count": 1, "seed": 0, "size": 15}, ValueError, "16.*15"),
        ({"count": 1, "seed": 0, "size": (40, 0)}, ValueError, r"16.*\(40, 0\)"),
        ({"count": 1, "seed": 0, "size": 25.0}, TypeError, "float"),
        ({"count": 1, "seed": 0, "size": (25, 25, 1)}, ValueError, "unpack"),
    ],
)
def test_senseless_arguments_are_refused(arguments, error, words):
    with pytest.raises(error, match=words):
        zener_cards(**arguments)
