"""MNIST and its relative: found where they should be, fetched whole or not at all."""

import hashlib
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pooch
import pytest

from minicnn.common.errors import DataFileError
from minicnn.data import mnist
from minicnn.data.mnist import FILES, load_fashion_mnist, load_mnist
from tests.data.conftest import idx_bytes, put, small_set

LOADERS = [(load_mnist, "mnist"), (load_fashion_mnist, "fashion-mnist")]
HTML = b"<html><body>Moved</body></html>"


def is_set(pair, files):
    """Whether the loaded pair holds just what the files hold."""
    held = [idx_bytes(a.astype("u1")) for d in pair for a in (d.images.squeeze(1), d.labels)]
    return held == list(files.values())


# Where the files are found


@pytest.mark.parametrize("load, subfolder", LOADERS)
@pytest.mark.parametrize("packed", [(), FILES, FILES[:1]])
def test_files_are_read_from_the_folder_or_its_subfolder_packed_or_not(
    load, subfolder, packed, offline, tmp_path
):
    files = small_set()
    put(tmp_path / "direct", files, packed)
    put(tmp_path / "parent" / subfolder, files, packed)
    for folder in (tmp_path / "direct", tmp_path / "parent", str(tmp_path / "parent")):
        train, test = load(folder)
        assert is_set((train, test), files)
        assert train.images.shape == (5, 1, 28, 28) and test.images.shape == (3, 1, 28, 28)
        assert train.images.dtype == np.uint8 and train.labels.dtype == np.int64


def test_each_loader_takes_its_own_subfolder(offline, tmp_path, monkeypatch):
    digits, clothes = small_set(1), small_set(2)
    put(tmp_path / "mnist", digits)
    put(tmp_path / "fashion-mnist", clothes)
    put(tmp_path, small_set(3))  # what lies in the folder itself comes second
    monkeypatch.setenv("MINICNN_DATA", str(tmp_path))
    assert is_set(load_mnist(), digits)
    assert is_set(load_fashion_mnist(), clothes)
    assert load_mnist()[0].classes == tuple("0123456789")
    assert load_fashion_mnist()[1].classes[0] == "T-shirt/top"
    assert load_fashion_mnist()[1].classes[9] == "Ankle boot"


def test_the_argument_comes_before_the_variable_and_the_variable_before_the_cache(
    offline, tmp_path, monkeypatch
):
    given, named, cached = small_set(1), small_set(2), small_set(3)
    put(tmp_path / "given", given)
    put(tmp_path / "named", named)
    put(offline / "mnist", cached)
    assert is_set(load_mnist(), cached)
    monkeypatch.setenv("MINICNN_DATA", str(tmp_path / "named"))
    assert is_set(load_mnist(), named)
    assert is_set(load_mnist(tmp_path / "given"), given)
    monkeypatch.setenv("MINICNN_DATA", str(tmp_path / "missing"))
    assert is_set(load_mnist(), cached)


def test_a_cache_that_may_only_be_read_is_read_and_left_as_it_was(offline):
    folder = put(offline / "mnist", small_set(), FILES)
    before = [(path, path.stat().st_mtime_ns) for path in sorted(offline.rglob("*"))]
    folder.chmod(0o555)
    try:
        assert is_set(load_mnist(), small_set())
    finally:
        folder.chmod(0o755)
    assert [(path, path.stat().st_mtime_ns) for path in sorted(offline.rglob("*"))] == before


def test_a_given_folder_that_lacks_a_file_is_named_and_nothing_is_downloaded(offline, tmp_path):
    put(offline / "mnist", small_set())  # nor does the cache stand in for it
    put(tmp_path / "given", small_set())
    (tmp_path / "given" / FILES[2]).unlink()
    for folder in (tmp_path / "given", tmp_path / "missing"):
        with pytest.raises(FileNotFoundError) as caught:
            load_mnist(folder)
        for word in (str(folder), *FILES):
            assert word in str(caught.value)


# What the files hold


@pytest.mark.parametrize(
    "position, array, words",
    [
        (1, np.zeros(4, "u1"), ["(5, 28, 28)", "(4,)", "as many labels as images"]),
        (1, np.array([0, 1, 10, 2, 3], "u1"), ["is 10", "0 to 9"]),
        (0, np.zeros((5, 28, 27), "u1"), ["(5, 28, 27)", "(N, 28, 28)"]),
        (0, np.zeros((5, 28, 28), "i2"), ["int16", "uint8"]),
        (0, np.zeros(28, "u1"), ["(28,)", "(N, 28, 28)"]),
        (1, np.zeros((5, 1), "u1"), ["(5, 1)", "(N,)"]),
        (1, np.zeros(5, "i1"), ["int8", "labels of uint8"]),
        (3, np.zeros(2, "u1"), ["(3, 28, 28)", "(2,)"]),
    ],
)
def test_images_and_labels_that_do_not_fit_are_refused_with_both_names(
    position, array, words, offline, tmp_path
):
    put(tmp_path, small_set() | {FILES[position]: idx_bytes(array)})
    with pytest.raises(DataFileError) as caught:
        load_mnist(tmp_path)
    first = position // 2 * 2
    for word in (*words, *(str(tmp_path / name) for name in FILES[first : first + 2])):
        assert word in str(caught.value)


def test_a_broken_file_is_refused_by_name(offline, tmp_path):
    put(tmp_path, small_set() | {FILES[3]: HTML})
    with pytest.raises(DataFileError, match=FILES[3]):
        load_mnist(tmp_path)


# How the files are fetched


def names(folder):
    return sorted(path.name for path in folder.rglob("*") if path.is_file())


ALL = sorted(f"{name}.gz" for name in FILES)


def test_a_download_is_kept_in_the_cache_and_asked_for_once(mirrors, no_data):
    assert is_set(load_mnist(), mirrors.files)
    assert is_set(load_mnist(), mirrors.files)
    assert names(no_data / "mnist") == ALL
    assert mirrors.asked == [f"/a/{name}.gz" for name in FILES]


def test_a_download_logs_nothing(mirrors, monkeypatch, caplog):
    # pooch's logger is no child of the root logger, on which caplog listens.
    monkeypatch.setattr(pooch.get_logger(), "handlers", [caplog.handler])
    load_mnist()
    assert not caplog.records


def test_an_html_page_or_a_missing_file_sends_the_loader_to_the_next_mirror(mirrors, no_data):
    mirrors.answers[f"/a/{FILES[0]}.gz"] = HTML
    del mirrors.answers[f"/a/{FILES[1]}.gz"]
    assert is_set(load_mnist(), mirrors.files)
    assert names(no_data) == ALL
    assert [path for path in mirrors.asked if path.startswith("/b/")] == [
        f"/b/{FILES[0]}.gz",
        f"/b/{FILES[1]}.gz",
    ]


def test_files_that_are_already_there_are_not_fetched_again(mirrors, no_data):
    put(no_data / "mnist", {f"{name}.gz": mirrors.packed[name] for name in FILES[1:]})
    assert is_set(load_mnist(), mirrors.files)
    assert mirrors.asked == [f"/a/{FILES[0]}.gz"]


def refusal(mirrors, folder):
    """The message when no mirror delivers: it says all one needs to fetch the files by hand."""
    with pytest.raises(OSError) as caught:
        load_mnist()
    for word in (str(folder), *FILES, *mirrors.urls, "MINICNN_DATA"):
        assert word in str(caught.value)
    return str(caught.value)


def test_wrong_bytes_from_every_mirror_never_reach_the_final_name(mirrors, no_data):
    mirrors.answers = dict.fromkeys(mirrors.answers, HTML)
    assert hashlib.sha256(HTML).hexdigest() in refusal(mirrors, no_data)
    assert names(no_data) == []


def test_a_download_cut_short_leaves_no_file(mirrors, no_data):
    mirrors.cut_short = {path for path in mirrors.answers if FILES[2] in path}
    refusal(mirrors, no_data)
    assert names(no_data) == sorted(f"{name}.gz" for name in FILES[:2])


def test_a_download_that_the_user_interrupts_leaves_no_file(mirrors, no_data, monkeypatch):
    def interrupted(self, url, output_file, pooch):
        with open(output_file, "wb") as file:
            file.write(mirrors.packed[FILES[0]][:10])
        raise KeyboardInterrupt

    monkeypatch.setattr("pooch.downloaders.HTTPDownloader.__call__", interrupted)
    with pytest.raises(KeyboardInterrupt):
        load_mnist()
    assert names(no_data) == []


def test_two_downloads_at_once_both_succeed(mirrors, no_data):
    with ThreadPoolExecutor(2) as pool:
        loads = [pool.submit(load_mnist) for _ in range(2)]
    assert all(is_set(load.result(), mirrors.files) for load in loads)
    assert names(no_data) == ALL


def test_without_a_network_one_error_says_where_to_put_the_files(mirrors, no_data, monkeypatch):
    def unreachable(*_, **__):
        raise OSError("network is unreachable")

    monkeypatch.setattr("requests.get", unreachable)
    assert "network is unreachable" in refusal(mirrors, no_data)


def test_a_cache_that_cannot_be_made_is_an_os_error_that_names_it(mirrors, no_data):
    no_data.parent.write_text("a file where the cache's folder should be", encoding="utf-8")
    refusal(mirrors, no_data)


# The real files


def counts(labels):
    return np.bincount(labels).tolist()


@pytest.mark.data
def test_mnist_has_its_published_size_and_content(real_data):
    train, test = load_mnist(real_data)
    assert train.images.shape == (60_000, 1, 28, 28) and test.images.shape == (10_000, 1, 28, 28)
    assert train.labels[:10].tolist() == [5, 0, 4, 1, 9, 2, 1, 3, 1, 4]
    assert counts(train.labels) == [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
    assert counts(test.labels) == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    # The mean that everyone quotes, 0.1307 of full white.
    assert train.images.sum(dtype=np.int64) == 1_567_298_545
    assert round(train.images.mean() / 255, 4) == 0.1307
    assert test.images.sum(dtype=np.int64) == 264_923_200


@pytest.mark.data
def test_fashion_mnist_has_its_published_size_and_content(real_data):
    train, test = load_fashion_mnist(real_data)
    assert train.images.shape == (60_000, 1, 28, 28) and test.images.shape == (10_000, 1, 28, 28)
    assert train.labels[:10].tolist() == [9, 0, 0, 3, 0, 2, 7, 2, 5, 5]
    assert counts(train.labels) == [6000] * 10 and counts(test.labels) == [1000] * 10
    assert train.images.sum(dtype=np.int64) == 3_431_114_169
    assert round(train.images.mean() / 255, 4) == 0.2860
    assert test.images.sum(dtype=np.int64) == 573_469_082


@pytest.mark.data
@pytest.mark.parametrize("source", [mnist.MNIST, mnist.FASHION_MNIST])
def test_the_real_files_have_the_hashes_that_downloads_are_held_to(source, real_data):
    paths = [real_data / source.folder / f"{name}.gz" for name in FILES]
    if not all(path.is_file() for path in paths):
        pytest.skip("MINICNN_DATA holds unpacked files")
    assert tuple(hashlib.sha256(path.read_bytes()).hexdigest() for path in paths) == source.sha256
