"""Pictures of what goes on inside a network show the numbers that they say they show."""

import numpy as np
import pytest

from minicnn import (
    Conv2D,
    Dense,
    Flatten,
    MaxPool2D,
    ReLU,
    Sequential,
    SoftmaxCrossEntropy,
    gradcheck,
    plotting,
)


def network(channels=1):
    return Sequential(
        Conv2D(channels, 3, 3, padding=1), ReLU(), MaxPool2D(2), Flatten(), Dense(3 * 3 * 3, 4),
        seed=0,
    ).astype("float64")


def shown(figure):
    """The arrays that a figure's axes show."""
    return [np.asarray(axes.images[0].get_array()).squeeze() for axes in figure.axes]


def test_filters_are_shown_a_row_each_on_one_scale():
    layer = Conv2D(2, 3, (4, 5))
    pictures = shown(plotting.filters(layer))
    assert len(pictures) == 6
    weight = layer.weight.value.reshape(6, 4, 5)
    scaled = (weight - weight.min()) / (weight.max() - weight.min())
    for picture, wanted in zip(pictures, scaled, strict=True):
        grey = picture if picture.ndim == 2 else picture[..., 0]
        np.testing.assert_allclose(grey, wanted, atol=1e-6)


def test_feature_maps_are_the_layers_outputs():
    net, image = network(), np.random.default_rng(0).standard_normal((1, 6, 6))
    pictures = shown(plotting.feature_maps(net, image))
    first = net.layers[0].forward(image[None])[0]
    second = np.maximum(first, 0)
    pooled = net.layers[2].forward(second[None])[0]
    for picture, wanted in zip(pictures, [*first, *second, *pooled], strict=True):
        np.testing.assert_array_equal(picture, wanted)


def test_feature_maps_need_a_layer_that_gives_images():
    with pytest.raises(ValueError, match="no layer"):
        plotting.feature_maps(Sequential(Dense(4, 2)), np.zeros(4))


def test_saliency_is_the_size_of_the_losss_slope_at_each_pixel():
    net, loss = network(channels=2), SoftmaxCrossEntropy()
    image = np.random.default_rng(1).standard_normal((1, 2, 6, 6))
    below = shown(plotting.saliency(net, loss, image, np.array([2])))[1]
    below = below if below.ndim == 2 else below[..., 0]
    slopes, step = np.empty((2, 6, 6)), 1e-6
    for place in np.ndindex(2, 6, 6):
        sides = []
        for sign in (1, -1):
            moved = image.copy()
            moved[(0, *place)] += sign * step
            sides.append(loss.forward(net.forward(moved), np.array([2])))
        slopes[place] = abs(sides[0] - sides[1]) / (2 * step)
    slopes = slopes.max(axis=0)
    np.testing.assert_allclose(below, slopes / slopes.max(), atol=1e-4)
    gradcheck.check(net, image)


def test_photographs_are_shown_in_their_colours():
    net, loss = network(channels=3), SoftmaxCrossEntropy()
    photos = np.random.default_rng(1).random((2, 3, 6, 6))
    *above, first, second = shown(plotting.saliency(net, loss, photos, np.array([2, 0])))
    for photo, picture in zip(photos, above, strict=True):
        scaled = (photo - photo.min()) / (photo.max() - photo.min())
        np.testing.assert_allclose(picture, scaled.transpose(1, 2, 0), atol=1e-6)
    for slopes in (first, second):
        assert slopes.max() == 1 and (slopes == slopes[..., :1]).all()
    logits, labels = np.array([[3.0, 0], [0, 1]]), np.array([1, 0])
    pixels = (255 * photos).astype(np.uint8)
    mistakes = shown(plotting.confident_mistakes(pixels, logits, labels, ("cat", "dog")))
    for picture, wanted in zip(mistakes, pixels, strict=True):
        np.testing.assert_array_equal(picture, wanted.transpose(1, 2, 0) / 255)
    maps = shown(plotting.feature_maps(net, photos[0]))
    np.testing.assert_array_equal(maps[:3], net.layers[0].forward(photos[:1])[0])


def test_of_one_logit_the_mistakes_are_those_of_predict_classes():
    logits, labels = np.array([[3.0], [-2], [1], [-1]]), np.array([1, 1, 0, 0])
    images = np.zeros((4, 1, 2, 2))
    figure = plotting.confident_mistakes(images, logits, labels, ("no", "yes"))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["no (88%),\nis yes", "yes (73%),\nis no"]  # sigmoid(2), sigmoid(1)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"labels": np.array([1, 0])}, "got 3 images, 3 rows of logits and 2 labels"),
        ({"images": np.zeros((2, 1, 2, 2))}, "got 2 images, 3 rows"),
        ({"labels": np.array([1, 0, 2])}, r"labels\[2\]: got 2, wanted 0 to 1"),
        ({"labels": np.eye(2)[[1, 0, 0]]}, "labels: got dtype float64, wanted integers"),
        ({"logits": np.zeros(3)}, r"logits: got shape \(3,\), wanted a column for each of 2"),
        ({"logits": np.zeros((3, 3))}, r"logits: got shape \(3, 3\)"),
        ({"logits": np.full((3, 2), np.nan)}, "logits: got NaN or infinity, wanted finite"),
        ({"count": -3}, "confident_mistakes: count must be at least 1, got -3"),
    ],
)
def test_mistakes_of_what_does_not_fit_together_are_refused(wrong, message):
    right = {"images": np.zeros((3, 1, 2, 2)), "logits": np.eye(2)[[0, 1, 1]],
             "labels": np.array([1, 0, 0]), "classes": ("a", "b")}  # fmt: skip
    assert len(plotting.confident_mistakes(**right).axes) == 3
    with pytest.raises((ValueError, TypeError), match=message):
        plotting.confident_mistakes(**right | wrong)


def test_a_picture_of_something_else_is_refused_with_what_was_wanted():
    net, image = network(), np.zeros((1, 1, 6, 6))
    with pytest.raises(TypeError, match="^filters: layer must be a Conv2D, got Sequential"):
        plotting.filters(net)
    with pytest.raises(TypeError, match=r"^saliency: .*write SoftmaxCrossEntropy\(…\)"):
        plotting.saliency(net, SoftmaxCrossEntropy, image, np.array([0]))


def test_mistakes_come_with_the_surest_first():
    logits = np.array([[5.0, 0, 0], [0, 1, 0], [0, 9, 0], [0, 0, 2]])
    labels = np.array([1, 0, 1, 0])
    images = np.arange(4.0).reshape(4, 1, 1, 1) + np.zeros((4, 1, 2, 2))
    figure = plotting.confident_mistakes(images, logits, labels, ("a", "b", "c"))
    titles = [axes.get_title() for axes in figure.axes]
    assert [title.split(" ")[0] for title in titles] == ["a", "c", "b"]
    assert [title[-1] for title in titles] == ["b", "a", "a"]
    with pytest.raises(ValueError, match="right"):
        plotting.confident_mistakes(images, logits, logits.argmax(1), ("a", "b", "c"))
