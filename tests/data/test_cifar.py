"""CIFAR-10, on archives made after its description: read as it says, or refused by name."""

import hashlib
import io
import tarfile
from dataclasses import replace

import numpy as np
import pytest

from minicnn.common.errors import DataFileError
from minicnn.data import cifar, load_cifar10
from minicnn.data.published import folder_on_disk
from tests.data.conftest import Mirrors

ARCHIVE = "cifar-10-binary.tar.gz"
NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def records(count, seed):
    """The bytes of a batch, and the images and labels that they stand for."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 256, (count, 3, 32, 32), dtype=np.uint8)
    labels = rng.integers(0, 10, count)
    content = bytearray()
    for image, label in zip(images, labels.tolist()):
        content.append(label)
        for plane in image:  # red, green, blue
            for row in plane:
                content += bytes(row)
    return bytes(content), images, labels


def small_set():
    """The files of an archive with batches of 1 to 5 images and a test batch of 3."""
    files = {f"data_batch_{k}.bin": records(k, k)[0] for k in range(1, 6)}
    files["test_batch.bin"] = records(3, 6)[0]
    return files | {"batches.meta.txt": "".join(f"{n}\n" for n in NAMES).encode() + b"\n"}


def archive(files):
    """In the order of its files' names, turned round: the loader must sort."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as tar:
        for name, content in sorted(files.items(), reverse=True):
            member = tarfile.TarInfo(f"cifar-10-batches-bin/{name}")
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return stream.getvalue()


@pytest.fixture
def published(monkeypatch):
    """A function that takes the files of an archive for what was published; gives its bytes."""

    def publish(files):
        content = archive(files)
        sha256 = (hashlib.sha256(content).hexdigest(),)
        monkeypatch.setattr(cifar, "CIFAR10", replace(cifar.CIFAR10, sha256=sha256))
        return content

    return publish


def check_small_set(train, test):
    batches = [records(k, k) for k in range(1, 6)]
    assert np.array_equal(train.images, np.concatenate([images for _, images, _ in batches]))
    assert np.array_equal(train.labels, np.concatenate([labels for *_, labels in batches]))
    _, images, labels = records(3, 6)
    assert np.array_equal(test.images, images) and np.array_equal(test.labels, labels)
    for dataset in (train, test):
        assert dataset.classes == NAMES
        assert dataset.images.dtype == np.uint8 and dataset.labels.dtype == np.int64
        assert dataset.images.flags.c_contiguous and dataset.images.flags.writeable


def test_an_archive_is_read_from_the_folder_its_subfolder_the_variable_or_the_cache(
    published, offline, tmp_path, monkeypatch
):
    content = published(small_set())
    for folder in (tmp_path / "direct", tmp_path / "parent" / "cifar-10", offline / "cifar-10"):
        folder.mkdir(parents=True)
        (folder / ARCHIVE).write_bytes(content)
    check_small_set(*load_cifar10(tmp_path / "direct"))
    check_small_set(*load_cifar10(str(tmp_path / "parent")))
    check_small_set(*load_cifar10())
    (offline / "cifar-10" / ARCHIVE).unlink()
    monkeypatch.setenv("MINICNN_DATA", str(tmp_path / "parent"))
    check_small_set(*load_cifar10())


def test_nothing_is_written_to_the_disk(published, offline, tmp_path):
    (tmp_path / ARCHIVE).write_bytes(published(small_set()))
    before = sorted(tmp_path.rglob("*"))
    load_cifar10(tmp_path)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_folder_without_the_archive_is_named_and_nothing_is_downloaded(offline, tmp_path):
    with pytest.raises(FileNotFoundError, match=ARCHIVE) as caught:
        load_cifar10(tmp_path)
    assert str(tmp_path) in str(caught.value)


def test_another_archive_is_not_even_opened(offline, tmp_path, monkeypatch):
    (tmp_path / ARCHIVE).write_bytes(content := archive(small_set()))
    monkeypatch.setattr("tarfile.open", lambda *_, **__: pytest.fail("the archive was opened"))
    with pytest.raises(DataFileError) as caught:
        load_cifar10(tmp_path)
    for word in (tmp_path / ARCHIVE, hashlib.sha256(content).hexdigest(), *cifar.CIFAR10.sha256):
        assert str(word) in str(caught.value)


@pytest.mark.parametrize(
    "name, content, words",
    [
        ("data_batch_3.bin", records(3, 3)[0][:-1], "data_batch_3.bin has 9218 bytes, wanted"),
        ("test_batch.bin", b"\x0a" + bytes(3072), "among the labels is 10, wanted 0 to 9"),
        ("batches.meta.txt", b"airplane\nautomobile\n", "wanted 0 to 1 for the classes airplane,"),
    ],
)
def test_an_archive_that_is_not_as_described_is_refused_by_name(
    name, content, words, published, offline, tmp_path
):
    (tmp_path / ARCHIVE).write_bytes(published(small_set() | {name: content}))
    with pytest.raises(DataFileError, match=words) as caught:
        load_cifar10(tmp_path)
    assert str(tmp_path / ARCHIVE) in str(caught.value)


@pytest.mark.parametrize("name", small_set())
def test_a_file_that_the_archive_lacks_is_named(name, published, offline, tmp_path):
    files = small_set()
    del files[name]
    (tmp_path / ARCHIVE).write_bytes(published(files))
    with pytest.raises(DataFileError, match=f"has no file cifar-10-batches-bin/{name}"):
        load_cifar10(tmp_path)


@pytest.fixture
def mirrors(no_data, monkeypatch):
    with Mirrors(cifar.CIFAR10, {ARCHIVE: archive(small_set())}) as mirrors:
        monkeypatch.setattr(cifar, "CIFAR10", mirrors.source)
        yield mirrors


def test_a_download_is_kept_as_it_came_and_asked_for_once(mirrors, no_data):
    del mirrors.answers[f"/a/{ARCHIVE}"]
    for _ in range(2):
        check_small_set(*load_cifar10())
    assert mirrors.asked == [f"/a/{ARCHIVE}", f"/b/{ARCHIVE}"]
    assert [path.name for path in no_data.rglob("*") if path.is_file()] == [ARCHIVE]


def test_when_no_mirror_sends_what_was_published_the_error_says_what_to_do(mirrors, no_data):
    mirrors.answers = dict.fromkeys(mirrors.answers, b"<html>")
    with pytest.raises(OSError) as caught:
        load_cifar10()
    for word in (no_data / "cifar-10", *mirrors.urls, "MINICNN_DATA"):
        assert str(word) in str(caught.value)
    assert not [path for path in no_data.rglob("*") if path.is_file()]


# The published archive


@pytest.mark.data
def test_cifar_10_has_its_published_size_and_content():
    if folder_on_disk(cifar.CIFAR10) is None:
        pytest.skip(f"neither MINICNN_DATA nor the cache has {ARCHIVE}")
    train, test = load_cifar10()
    assert train.images.shape == (50_000, 3, 32, 32) and test.images.shape == (10_000, 3, 32, 32)
    assert train.classes == NAMES
    assert np.bincount(train.labels).tolist() == [5000] * 10
    assert np.bincount(test.labels).tolist() == [1000] * 10
    # The means of red, green and blue that everyone quotes.
    assert (train.images.mean(axis=(0, 2, 3)) / 255).round(4).tolist() == [0.4914, 0.4822, 0.4465]
