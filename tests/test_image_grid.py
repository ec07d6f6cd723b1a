"""Images side by side in one figure."""

import numpy as np
import pytest

from minicnn.plotting import image_grid

RNG = np.random.default_rng(30)


@pytest.mark.parametrize("shape", [(5, 6, 4), (5, 1, 6, 4), (5, 3, 6, 4)])
def test_an_image_grid_shows_uint8_images_as_they_are(shape):
    images = RNG.integers(0, 256, shape, dtype=np.uint8)
    figure = image_grid(images, columns=2)
    assert len(figure.axes) == 5
    for axes, image in zip(figure.axes, images, strict=True):
        (shown,) = axes.images
        assert shown.get_clim() == (0, 1)
        expected = image if image.ndim == 2 else np.moveaxis(image, 0, -1).squeeze()
        assert np.allclose(255 * np.asarray(shown.get_array()).squeeze(), expected)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_are_drawn_on_one_scale_from_the_smallest_to_the_largest(dtype):
    images = np.stack([np.full((2, 2), value, dtype) for value in (-3.0, 0.0, 1.0)])
    shown = [axes.images[0].get_array().squeeze()[0, 0] for axes in image_grid(images).axes]
    assert shown == [0.0, 0.75, 1.0]


def test_images_of_one_single_value_can_be_drawn():
    assert (image_grid(np.full((1, 2, 2), 7.0)).axes[0].images[0].get_array() == 0).all()


def test_titles_stand_above_their_images_row_by_row():
    figure = image_grid(np.zeros((3, 2, 2)), titles=["a", "b", "c"], columns=2)
    assert [axes.get_title() for axes in figure.axes] == ["a", "b", "c"]
    specs = [axes.get_subplotspec() for axes in figure.axes]
    assert [(s.rowspan.start, s.colspan.start) for s in specs] == [(0, 0), (0, 1), (1, 0)]


def test_fewer_images_than_columns_leave_no_gap():
    figure = image_grid(np.zeros((3, 2, 2)), columns=8)
    assert figure.axes[0].get_gridspec().get_geometry() == (1, 3)


@pytest.mark.parametrize(
    "shape", [(4,), (4, 5), (2, 2, 4, 5), (0, 4, 5), (2, 0, 5), (2, 1, 3, 4, 5)]
)
def test_arrays_that_are_no_images_are_refused(shape):
    with pytest.raises(ValueError, match=r"^images: got shape \(.*\), wanted \(N, H, W\)"):
        image_grid(np.zeros(shape))


@pytest.mark.parametrize(
    ("images", "options", "error", "message"),
    [
        (np.full((1, 2, 2), np.nan), {}, ValueError, "images: got NaN or infinity, wanted finite"),
        (np.zeros((1, 2, 2), int), {}, TypeError, "images: got dtype int64, wanted uint8 or a"),
        (np.zeros((2, 2, 2)), {"titles": ["a"]}, ValueError, "titles: got 1, wanted 2"),
        (np.zeros((2, 2, 2)), {"columns": 0}, ValueError, "image_grid: columns must be at least 1"),
        (np.zeros((2, 2, 2)), {"columns": 2.5}, TypeError, "image_grid: columns must be a whole"),
    ],
)
def test_other_wrong_arguments_of_an_image_grid_are_named(images, options, error, message):
    with pytest.raises(error, match=f"^{message}"):
        image_grid(images, **options)
