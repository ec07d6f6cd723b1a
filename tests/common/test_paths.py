"""Paths and files: what is no path or no regular file is refused before anything is touched."""

import errno
import os
import signal
from contextlib import contextmanager

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import minicnn as m
from minicnn import plotting
from minicnn.common.paths import whole_file
from minicnn.data import load_mnist, read_cards, read_idx, write_cards, zener_cards
from tests.strategies import stripes


def network():
    return m.Sequential(m.Flatten(), m.Dense(64, 2), seed=0)


def train(checkpoint, function=m.fit, **arguments):
    loss, optimizer = m.SoftmaxCrossEntropy(), m.SGD(0.1)
    function(
        network(), loss, optimizer, stripes(8), checkpoint=checkpoint, progress=False, **arguments
    )


def plot(path):
    plotting.save(plotting.image_grid(stripes(1)[0]), path)


READERS = {
    "load": m.load,
    "read_idx": read_idx,
    "read_network": lambda path: m.read_network(path, (1, 8, 8), 2),
    "fit": train,
}
WRITERS = {
    "save": lambda path: m.save(path, network()),
    "History.save": lambda path: m.History().save(path),
    "fit again": lambda path: train(path, resume=False),
}
FOLDERS = {
    "read_cards": read_cards,
    "write_cards": lambda path: write_cards(zener_cards(1, seed=0), path),
    "load_mnist": load_mnist,
    "cross_validate": lambda path: train(path, m.cross_validate, folds=2),
}
ALL = READERS | WRITERS | FOLDERS | {"plotting.save": plot}


@pytest.fixture
def descriptor(tmp_path):
    with open(tmp_path / "open", "wb") as file:
        yield file.fileno()


@pytest.mark.parametrize("use", ALL.values(), ids=ALL)
def test_what_is_no_path_is_refused_and_no_open_file_is_taken_for_one(use, descriptor):
    for wrong in (descriptor, True, b"bytes", 2.5, ["a"]):
        with pytest.raises(TypeError, match=r"\w+: (path|folder|directory|checkpoint) must be a s"):
            use(wrong)
    os.fstat(descriptor)  # still open
    assert os.lseek(descriptor, 0, os.SEEK_END) == 0


def test_onnx_files_have_paths_too(descriptor):
    with pytest.raises(TypeError, match="to_onnx: path must be a str or an os.PathLike, got"):
        m.to_onnx(network(), descriptor, (1, 8, 8))


@contextmanager
def awake():
    """Who waits for the other end of a FIFO would wait for ever."""

    def wake(*_):
        raise TimeoutError("waits for the other end of the FIFO")

    before = signal.signal(signal.SIGALRM, wake)
    signal.alarm(60)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="FIFOs")
@pytest.mark.parametrize("use", (READERS | WRITERS).values(), ids=READERS | WRITERS)
def test_a_fifo_is_refused_at_once_and_stays_one(tmp_path, use):
    path = tmp_path / "fifo"
    os.mkfifo(path)
    with awake(), pytest.raises(OSError, match="is a FIFO.*wanted a regular file.*fifo"):
        use(path)
    assert path.is_fifo()
    assert [*tmp_path.iterdir()] == [path]


@pytest.mark.skipif(not os.path.exists("/dev/zero"), reason="devices")
@pytest.mark.parametrize("read", READERS.values(), ids=READERS)
def test_a_device_is_refused(tmp_path, read):
    (tmp_path / "link").symlink_to("/dev/zero")
    for path in ("/dev/zero", tmp_path / "link"):
        with pytest.raises(OSError, match="a device, wanted a regular file"):
            read(path)


names = st.text(st.characters(exclude_characters="/\0", exclude_categories=["Cs"]), min_size=1)


@given(names.filter(lambda name: len(name.encode()) <= 255 and name not in (".", "..")))
@example("n" * 255)
@example("né" * 85)
@example("𝄞" * 63)
def test_every_name_that_the_disk_takes_can_be_saved(tmp_path_factory, name):
    path = tmp_path_factory.mktemp("names") / name
    try:
        path.write_bytes(b"old")
    except (OSError, UnicodeError):  # file systems and locales differ in what they take
        return
    with whole_file(path) as unfinished:
        unfinished.write_bytes(b"new")
    assert path.read_bytes() == b"new"
    assert [*path.parent.iterdir()] == [path]


@pytest.mark.skipif(os.name == "nt", reason="names of bytes")
def test_a_name_that_is_no_text_can_be_saved_too(tmp_path):
    path = os.path.join(tmp_path, os.fsdecode(b"\xff\xfe.npz"))
    try:
        m.save(path, network())
    except OSError:
        pytest.skip("this file system takes text only")
    m.load(path)


def test_an_error_that_names_no_file_gets_the_name_of_the_one_that_was_to_be_written(tmp_path):
    with pytest.raises(OSError, match="No space left.*whole.txt'$"), whole_file(
        tmp_path / "whole.txt"
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with pytest.raises(OSError, match="^7 of 9 written$"), whole_file(tmp_path / "whole.txt"):
        raise OSError("7 of 9 written")  # as NumPy says it
