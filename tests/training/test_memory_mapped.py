"""Samples in a memory-mapped file: the same numbers as from memory, a batch of them at a time."""

import numpy as np
import pytest

from minicnn import (
    SGD,
    AvgPool2D,
    Conv2D,
    Dense,
    Flatten,
    MeanSquaredError,
    Reshape,
    Sequential,
    SoftmaxCrossEntropy,
    backends,
    evaluate,
    find_learning_rate,
    fit,
)
from minicnn.data import Compose, CutOut, Dataset, RandomAffine, RandomCrop, RandomFlip
from minicnn.data.batches import memory_mapped
from tests.memory import peak_memory

every_backend = pytest.mark.parametrize("backend", backends.available())
CLASSES = ("a", "b", "c", "d")
AUGMENT = Compose([RandomFlip(), RandomCrop(2), CutOut(3), RandomAffine(rotation=10)])


def images_of(count, kind="uint8", side=8):
    pixels = np.random.default_rng(0).integers(0, 256, (count, 3, side, side), dtype=np.uint8)
    return pixels if kind == "uint8" else (pixels / 255).astype(kind)


def mapped(images, folder):
    np.save(folder / "images.npy", images)
    return np.load(folder / "images.npy", mmap_mode="r")


def mirrored(images, rng):
    return images[..., ::-1].copy()


def network(backend, side=8):
    pooled = 3 * (side // 4) ** 2
    layers = Conv2D(3, 3, 1), AvgPool2D(4), Flatten(), Dense(pooled, 4)
    return Sequential(*layers, seed=0).to(backend)


def results(backend, images, **arguments):
    """All that training and judging make of the images."""
    net, loss = network(backend), SoftmaxCrossEntropy()
    samples = Dataset(images, np.arange(len(images)) % 4, CLASSES)
    history = fit(net, loss, SGD(0.1), samples[:40], samples[40:], epochs=3, batch_size=16,
                  seed=2, progress=False, **arguments)  # fmt: skip
    losses = history["train_loss"], history["validation_loss"], evaluate(net, loss, samples).loss
    return losses, [p.value.tolist() for p in net.state().values()], net.predict(images).tolist()


@every_backend
@pytest.mark.parametrize("kind", ["uint8", "float32", "float64"])
@pytest.mark.parametrize("augment", [None, AUGMENT, RandomFlip(), mirrored])
def test_a_file_gives_the_same_bits_as_memory(backend, kind, augment, tmp_path):
    images = images_of(50, kind)
    from_memory = results(backend, images, augment=augment)
    assert results(backend, mapped(images, tmp_path), augment=augment) == from_memory


@every_backend
def test_training_goes_on_from_a_checkpoint_wherever_the_images_lie(backend, tmp_path):
    images, path = images_of(50), tmp_path / "training.npz"
    labels, ends = np.arange(50) % 4, []
    for first, then in ((images, mapped(images, tmp_path)), (mapped(images, tmp_path), images)):
        net = network(backend)
        for epochs, inputs in ((1, first), (3, then)):
            fit(net, SoftmaxCrossEntropy(), SGD(0.1), (inputs, labels), epochs=epochs,
                augment=AUGMENT, checkpoint=path, progress=False)  # fmt: skip
        path.unlink()
        ends.append([p.value.tolist() for p in net.state().values()])
    assert ends[0] == ends[1]


COUNT, SIDE = 12_500, 16


def large(kind, folder):
    path = folder / "large.npy"
    shape = (COUNT, 3, SIDE, SIDE)
    images = np.lib.format.open_memmap(path, mode="w+", dtype=kind, shape=shape)
    images[:100] = images_of(100, kind, SIDE)
    images.flush()
    return np.load(path, mmap_mode="r")


def test_what_is_measured_sees_a_copy_of_the_images(tmp_path):
    images = large("uint8", tmp_path)
    assert peak_memory(lambda: images[np.arange(len(images))])[1] >= images.nbytes


@every_backend
@pytest.mark.parametrize("kind", ["uint8", "float32"])
@pytest.mark.parametrize("augment", [None, RandomCrop(2)])
def test_training_and_judging_hold_a_small_part_of_the_file_in_memory(
    backend, kind, augment, tmp_path
):
    images, net, loss = large(kind, tmp_path), network(backend, SIDE), SoftmaxCrossEntropy()
    photos, most = Dataset(images, np.arange(COUNT) % 4, CLASSES), images.nbytes / 3
    train, validation = photos[: COUNT // 2], photos[COUNT // 2 :]

    def training():
        fit(net, loss, SGD(0.01), train, validation, batch_size=64, augment=augment, progress=False)

    for action in (
        training,
        lambda: evaluate(net, loss, photos),
        lambda: net.predict(images),
        lambda: find_learning_rate(net, loss, SGD(0.01), photos, steps=5),
    ):
        action()  # a compiler's memory is not the action's
        assert peak_memory(action)[1] < most


@every_backend
def test_an_autoencoder_leaves_its_targets_in_the_file_too(backend, tmp_path):
    images = large("float32", tmp_path)
    layers = AvgPool2D(8), Flatten(), Dense(12, 3 * SIDE**2), Reshape((3, SIDE, SIDE))
    net = Sequential(*layers, seed=0).to(backend)

    def training():
        fit(net, MeanSquaredError(), SGD(0.01), (images, images), batch_size=64, progress=False)

    training()
    assert peak_memory(training)[1] < images.nbytes / 3


@pytest.mark.parametrize("layout", ["fortran", "big-endian", "every second"])
def test_a_file_that_must_be_copied_is_warned_of_and_read_all_the_same(layout, tmp_path):
    images = images_of(20, "float32")
    if layout == "fortran":
        odd = mapped(np.asfortranarray(images), tmp_path)
    elif layout == "big-endian":
        odd = mapped(images.astype(">f4"), tmp_path)
    else:
        odd = mapped(np.repeat(images, 2, axis=0), tmp_path)[::2]
    net = network("numpy")
    with pytest.warns(UserWarning, match="images: the memory-mapped array is read into memory"):
        predicted = net.predict(odd)
    assert np.array_equal(predicted, net.predict(images))


def test_what_lies_in_a_file_is_told_from_what_was_read_from_it(tmp_path):
    images = mapped(images_of(9), tmp_path)
    for view in (images, images[2:], np.asarray(images), images[:, 1][..., None].reshape(9, -1)):
        assert memory_mapped(view)
    for copy in (images[[1, 2]], images.copy(), images + 1, images_of(9), images_of(9)[1:]):
        assert not memory_mapped(copy)
