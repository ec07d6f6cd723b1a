"""ONNX files: what onnxruntime computes from them is what the network computes."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from minicnn import Conv2D, Dense, ReLU, Sequential, to_onnx
from minicnn.layers.base import Layer
from tests.strategies import LAYERS, any_layer, batch_sizes, networks, normal, seeds

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("onnx") / "network.onnx"


def check(network, shape, n, seed, path):
    """The file's output against the network's, relative to the largest number."""
    to_onnx(network, path, shape)
    onnx.checker.check_model(str(path), full_check=True)
    x = normal((n, *shape), seed, "float32")
    wanted = network.forward(x)
    session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
    (found,) = session.run(None, {"images": x})
    assert found.shape == wanted.shape and found.dtype == np.float32
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-5 * max(1, np.abs(wanted).max()))


@pytest.mark.parametrize("kind", LAYERS)
@given(data=st.data(), n=batch_sizes, seed=seeds)
def test_every_kind_of_layer_leaves_and_computes_the_same(path, kind, data, n, seed):
    layer, shape = data.draw(LAYERS[kind])
    check(Sequential(layer), shape, n, seed, path)


@given(networks(), batch_sizes, seeds)
def test_whole_networks_leave(path, drawn, n, seed):
    check(*drawn, n, seed, path)


@given(any_layer, st.integers(0, 3), batch_sizes, seeds)
def test_networks_in_networks_leave(path, drawn, depth, n, seed):
    layer, shape = drawn
    for _ in range(depth):
        layer = Sequential(layer)
    check(Sequential(layer), shape, n, seed, path)


def test_a_network_of_float64_leaves_in_float32(path):
    network = Sequential(Dense(3, 2), seed=0).astype("float64")
    to_onnx(network, path, (3,))
    (weight, _) = onnx.load(path).graph.initializer
    np.testing.assert_array_equal(
        onnx.numpy_helper.to_array(weight), network[0].weight.value.astype("float32")
    )


def test_a_shape_that_does_not_fit_is_refused_and_nothing_is_written(tmp_path):
    with pytest.raises(ValueError, match="layer 0: Conv2D.*"):
        to_onnx(Sequential(Conv2D(1, 2, 3)), tmp_path / "a.onnx", (2, 5, 5))
    assert not list(tmp_path.iterdir())


def test_a_layer_of_ones_own_is_refused_by_position(tmp_path):
    class Mine(Layer):
        def output_shape(self, input_shape):
            return input_shape

    with pytest.raises(TypeError, match=r"layer 1\.0, Mine\(\), has no counterpart"):
        to_onnx(Sequential(ReLU(), Sequential(Mine())), tmp_path / "a.onnx", (2,))
    assert not list(tmp_path.iterdir())


def test_a_folder_that_is_a_file_is_an_os_error(tmp_path):
    (tmp_path / "file").write_text("", encoding="utf-8")
    with pytest.raises(OSError):
        to_onnx(Sequential(ReLU()), tmp_path / "file" / "a.onnx", (2,))


def test_a_disk_that_is_full_leaves_the_older_file(tmp_path, monkeypatch):
    def half(path, content):
        with open(path, "wb") as file:
            file.write(content[: len(content) // 2])
        raise OSError(28, "No space left on device")

    to_onnx(Sequential(ReLU()), tmp_path / "a.onnx", (2,))
    before = (tmp_path / "a.onnx").read_bytes()
    monkeypatch.setattr(Path, "write_bytes", half)
    with pytest.raises(OSError, match="No space left"):
        to_onnx(Sequential(Dense(2, 1)), tmp_path / "a.onnx", (2,))
    assert [*tmp_path.iterdir()] == [tmp_path / "a.onnx"]
    assert (tmp_path / "a.onnx").read_bytes() == before


def test_without_onnx_the_error_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "onnx", None)
    with pytest.raises(ImportError, match="pip install onnx"):
        to_onnx(Sequential(ReLU()), tmp_path / "a.onnx", (2,))
