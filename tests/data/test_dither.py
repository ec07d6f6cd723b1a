"""Error diffusion: black and white, as much of each as there was grey."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from minicnn.data.dither import dithered

SIXTEENTHS = {(0, 2): 7, (1, 0): 3, (1, 1): 5, (1, 2): 1}  # of what (0, 1) passes on

greys = arrays.arrays(
    np.float64, st.tuples(*[st.integers(1, 12)] * 3), elements=st.floats(0, 1, width=16)
)


@given(greys)
def test_only_what_goes_over_the_edges_is_lost(ink):
    height, width = ink.shape[1:]
    lost = ink.sum(axis=(1, 2)) - dithered(ink).sum(axis=(1, 2))
    # A pixel is off by at most a half, and passes on at most 11/16 beside and 9/16 below the image.
    assert (np.abs(lost) <= 0.5 * (11 / 16 * height + 9 / 16 * width) + 1e-9).all()


@given(greys)
def test_black_and_white_stay_what_they_are(ink):
    black = ink < 0.5
    assert np.array_equal(dithered(black.astype(float)), black)


@given(greys)
def test_every_image_is_dithered_by_itself(ink):
    alone = [dithered(image[np.newaxis])[0] for image in ink]
    assert np.array_equal(dithered(ink), alone)


@given(st.floats(0, 1))
def test_an_even_grey_has_its_share_of_black_in_every_corner(grey):
    black = dithered(np.full((1, 48, 48), grey))[0]
    for corner in (black[:24, :24], black[:24, 24:], black[24:, :24], black[24:, 24:]):
        assert abs(corner.mean() - grey) < 0.06


@pytest.mark.parametrize("place", SIXTEENTHS)
@pytest.mark.parametrize("more", [-1e-3, 1e-3])
def test_the_error_of_a_pixel_goes_right_and_down_in_sixteenths(place, more):
    ink = np.zeros((1, 2, 3))
    ink[0, 0, 1] = 0.4  # white, so that all of it goes on
    for other, part in SIXTEENTHS.items():
        ink[0][other] = -0.4 * part / 16  # to which nothing is left to pass on
    ink[0][place] += 0.5 + more
    assert dithered(ink)[0][place] == (more > 0)
