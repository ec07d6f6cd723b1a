"""Inputs with fixed means and deviations, and how these are measured."""

import copy
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import (
    SGD,
    Dense,
    Flatten,
    Sequential,
    SoftmaxCrossEntropy,
    Standardize,
    backends,
    fit,
    load,
    save,
)
from minicnn.data import Dataset
from minicnn.layers import standardize as module
from tests.strategies import batch_sizes, normal, seeds, standardize, stripes

every_backend = pytest.mark.parametrize("backend", backends.available())
every_dtype = pytest.mark.parametrize("dtype", ["float32", "float64"])
shapes = st.tuples(st.integers(1, 9), st.integers(1, 3)) | st.tuples(
    st.integers(1, 9), st.integers(1, 3), st.integers(1, 4), st.integers(1, 4)
)


def all_but_channels(x):
    return (0, *range(2, x.ndim))


@every_backend
@every_dtype
@given(standardize(), batch_sizes, seeds)
def test_it_takes_the_mean_away_and_divides_by_the_deviation(backend, dtype, drawn, n, seed):
    layer, shape = drawn
    layer.to(backend)
    x, dy = (normal((n, *shape), seed + k, dtype) for k in range(2))
    mean, std = (np.reshape(a, (-1, *[1] * (len(shape) - 1))) for a in (layer.mean, layer.std))
    tolerance = {"float32": 1e-5, "float64": 1e-12}[dtype]
    y = layer.forward(x, training=True)
    assert y.dtype == dtype
    np.testing.assert_allclose(y, (x - mean) / std, atol=tolerance)
    np.testing.assert_allclose(layer.backward(dy), dy / std, rtol=tolerance)


@every_backend
def test_its_numbers_are_rounded_to_the_dtype_of_each_batch_and_of_no_other(backend):
    layer, x = Standardize(0.1, 3.0).to(backend), normal((4, 3), 0)
    for dtype, tolerance in (("float32", 1e-5), ("float64", 1e-12), ("float32", 1e-5)):
        y = layer.forward(x.astype(dtype))
        assert y.dtype == dtype
        np.testing.assert_allclose(y, (x - 0.1) / 3, rtol=tolerance, atol=tolerance)


@given(standardize())
def test_nothing_in_it_is_learned(drawn):
    layer, _ = drawn
    assert not layer.parameters() and not layer.state()


@given(shapes, seeds, st.sampled_from(["uint8", "float32", "float64"]), st.integers(1, 30))
def test_the_images_that_it_was_measured_on_leave_with_mean_0_and_deviation_1(
    shape, seed, dtype, chunk
):
    images = np.random.default_rng(seed).integers(0, 256, (shape[0] + 1, *shape[1:])).astype(dtype)
    images[0], images[1] = 3, 200  # no channel is constant
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "CHUNK", chunk)
        layer = Standardize.of(images)
    y = layer.forward(images.astype("float64") / (255 if dtype == "uint8" else 1))
    axes = all_but_channels(y)
    np.testing.assert_allclose(y.mean(axes), 0, atol=1e-12)
    np.testing.assert_allclose(y.std(axes), 1, atol=1e-12)


@given(seeds, st.floats(-1e8, 1e8))
def test_a_small_deviation_beside_a_large_mean_does_not_cancel(seed, mean):
    images = mean + normal((50, 2), seed)
    layer = Standardize.of(images)
    np.testing.assert_allclose(layer.std, (images - images.mean(0)).std(0), rtol=1e-9)


def test_pixels_are_measured_as_fit_passes_them_on():
    images = np.array([[[[0, 255]], [[51, 51 * 3]]]], np.uint8)
    layer = Standardize.of(images)
    assert layer.mean == pytest.approx((0.5, 0.4))
    assert layer.std == pytest.approx((0.5, 0.2))


@pytest.mark.parametrize("value", [0.1, -1e9, 0])
def test_a_channel_that_is_constant_becomes_0(value):
    images = np.stack([np.full((7, 3, 3), value), np.arange(63.0).reshape(7, 3, 3)], axis=1)
    layer = Standardize.of(images)
    assert layer.mean[0] == value and layer.std[0] == 1
    y = layer.forward(images)
    assert not y[:, 0].any() and y[:, 1].std() == pytest.approx(1)


def test_a_memory_map_is_read_in_pieces(tmp_path, monkeypatch):
    images = np.random.default_rng(0).integers(0, 256, (40, 3, 4, 4), np.uint8)
    np.save(tmp_path / "images.npy", images)
    mapped, pieces = np.load(tmp_path / "images.npy", mmap_mode="r"), []

    class Watched(np.memmap):
        def __getitem__(self, index):
            part = super().__getitem__(index)
            pieces.append(part.size)
            return part

    monkeypatch.setattr(module, "CHUNK", 100)
    layer = Standardize.of(mapped.view(Watched))
    assert max(pieces) <= 100 and sum(pieces) >= images.size
    wanted = Standardize.of(images)
    np.testing.assert_allclose([layer.mean, layer.std], [wanted.mean, wanted.std], rtol=1e-12)


@pytest.mark.parametrize(
    ("images", "error", "words"),
    [
        (Dataset(*stripes(4), ("a", "b")), TypeError, "an array such as train.images, got Dataset"),
        ([[1.0, 2.0]], TypeError, "images must be an array"),
        (np.ma.masked_array(np.ones((2, 2)), mask=True), TypeError, "masked array"),
        (np.ones((2, 2), int), TypeError, "uint8 pixels, float32 or float64, got int64"),
        (np.ones((2, 2, 2)), ValueError, r"\(N, C, H, W\) or \(N, C\), got \(2, 2, 2\)"),
        (np.ones((0, 2)), ValueError, r"got \(0, 2\)"),
        (np.array([[1, np.nan], [2, 3]]), ValueError, "mean must be finite, got nan for channel 1"),
        (np.array([[np.inf, 1], [2, 3]]), ValueError, "mean must be finite, got .* for channel 0"),
        (np.array([[1e-60, 1], [0, 3]]), ValueError, "std must be positive .* for channel 0"),
    ],
)
def test_images_that_cannot_be_measured_are_refused(images, error, words):
    with pytest.raises(error, match=words):
        Standardize.of(images)


@every_backend
def test_a_network_learns_behind_it_and_takes_it_along(backend, tmp_path):
    images, labels = stripes()
    network = Sequential(Standardize.of(images), Flatten(), Dense(64, 2), seed=0).to(backend)
    history = fit(network, SoftmaxCrossEntropy(), SGD(0.05), (images, labels), epochs=3,
                  progress=False)  # fmt: skip
    assert history["train_loss"][-1] < history["train_loss"][0]
    save(tmp_path / "a.npz", network)
    again = load(tmp_path / "a.npz").network
    assert again[0].arguments == network[0].arguments
    wanted = network.to("numpy").predict(images)
    for other in (again, copy.deepcopy(network), pickle.loads(pickle.dumps(network))):
        np.testing.assert_array_equal(other.predict(images), wanted)


def test_numbers_may_come_in_a_list_or_an_array():
    wanted = Standardize((0.5, 1.5), (2.0, 4.0)).arguments
    assert Standardize([0.5, 1.5], np.array([2, 4])).arguments == wanted
    assert Standardize(np.float32(0.5), 2).arguments == {"mean": 0.5, "std": 2.0}
