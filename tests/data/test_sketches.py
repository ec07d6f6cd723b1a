"""Sketched symbols as distances: 0 where their lines are, and no ink beyond their half-side."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn.data.sketches import FORM, SMALLEST, sketch_distance
from minicnn.data.symbols import symbol_distance

half_sides = st.floats(3, 40)
lines = st.integers(1, 3)
forms = st.lists(st.floats(-1, 1), min_size=FORM, max_size=FORM)
points = st.lists(st.tuples(st.floats(-50, 50), st.floats(-50, 50)), min_size=1, max_size=20)
PIXEL = np.sqrt(0.5)  # how far a corner may be from the whole pixel that it is put on
ANGLES = 2 * np.pi / 5 * np.arange(5)


def distance(letter, points, half_side, line, form):
    x, y = np.reshape(points, (-1, 2)).T[:, np.newaxis, np.newaxis]
    half_side, line = np.full((2, 1, 1, 1), [[[[half_side]]], [[[line]]]])
    return sketch_distance(letter, x, y, half_side, line, np.array([form]))[0, 0]


def at(radius, angles):
    """Points around the centre, from the top."""
    return radius * np.stack([np.sin(angles), -np.cos(angles)], axis=1)


def not_on(edges, values):
    """Where rounding decides nothing."""
    return np.abs(np.subtract.outer(edges, values)).min(axis=0) > 1e-9


@pytest.mark.parametrize("letter", SMALLEST)
@given(points, half_sides, lines, forms)
def test_no_ink_lies_beyond_the_half_side_but_for_waves_above_and_below(
    letter, points, half_side, line, form
):
    near = distance(letter, points, half_side, line, form)
    assert (near >= 0).all()  # and so none is NaN
    x, y = np.abs(points).T
    # A star's sharp corners and the waves' crests are those of the middle of the line.
    more = {"S": 2 * PIXEL + line, "W": 2 + line}.get(letter, 0) + 1e-9
    beyond = (x > half_side + more) | ((y > half_side + more) & (letter != "W"))
    assert (near[beyond] > line / 2).all()


@given(points, half_sides, lines, forms)
def test_a_circle_is_the_printed_one(points, half_side, line, form):
    reach = half_side - line / 2
    x, y = np.transpose(points) / reach
    printed = reach * symbol_distance("O", x, y)
    assert np.allclose(distance("O", points, half_side, line, form), printed)


@given(points, half_sides, lines, forms)
def test_a_plus_is_two_crossing_rectangles(points, half_side, line, form):
    x, y = np.abs(points).T
    edges = half_side - 0.5, line / 2
    lying, upright = ((a <= edges[0]) & (b <= edges[1]) for a, b in ((x, y), (y, x)))
    inked = distance("P", points, half_side, line, form) <= line / 2
    sure = not_on(edges, x) & not_on(edges, y)
    assert np.array_equal(inked[sure], (lying | upright)[sure])


@given(points, half_sides, lines, forms)
def test_a_square_is_one_square_less_another(points, half_side, line, form):
    farther = np.abs(points).max(axis=1)
    edges = half_side - line, half_side
    inked = distance("Q", points, half_side, line, form) <= line / 2
    sure = not_on(edges, farther)
    assert np.array_equal(inked[sure], ((edges[0] < farther) & (farther < edges[1]))[sure])


@given(half_sides, lines, forms)
def test_a_star_has_five_tips_and_is_open_between_them(half_side, line, form):
    reach = half_side - 0.5
    for tip in np.round(at(reach, ANGLES)):  # or a neighbour, if it lies between the two
        around = tip + np.moveaxis(np.mgrid[-1:2, -1:2], 0, -1).reshape(9, 2)
        assert distance("S", around, half_side, line, form).min() <= 1e-9
    hollow = at(reach, ANGLES + np.pi / 5)
    # The inner corners are at 0.55 of the reach at most; the sides pass by at an angle.
    assert (distance("S", hollow, half_side, line, form) >= 0.3 * reach - 2 * PIXEL).all()


@given(half_sides, lines, forms, st.lists(st.floats(-1, 1), min_size=1, max_size=20))
def test_three_sine_lines_lie_where_their_formula_says(half_side, line, form, along):
    height, rate, phase, spacing = form
    reach = half_side - 0.5
    x = reach * np.array(along)
    sine = np.sin(2 * np.pi * (0.125 + 0.075 * rate) * x + np.pi * phase)
    for row in (-1, 0, 1):
        y = (1 if height < 0 else 2) * sine + row * reach * (0.7 + 0.25 * spacing)
        points = np.stack([x, y], axis=1)
        assert np.allclose(distance("W", points, half_side, line, form), 0, atol=1e-5)
