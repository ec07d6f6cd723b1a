"""Long trainings keep no memory, no open files, and compile nothing twice; what lies in a file is
never in memory as a whole: make soak

Not part of `make test`, for it takes minutes. Linux only: it reads /proc.
"""

import gc
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
from numba.core import event

import minicnn as m
from minicnn import backends
from minicnn.data import Compose, CutOut, RandomCrop, RandomFlip
from minicnn.data.batches import in_batches, shuffled

EPOCHS, BATCHES, LARGEST = 50, 10_000, 64
GROWTH = 2.0  # MB that the allocator may keep back; one batch's arrays kept each time would be 500


def megabytes() -> float:
    """Resident memory of this process."""
    gc.collect()
    pages = Path("/proc/self/statm").read_text(encoding="utf-8").split()[1]
    return int(pages) * os.sysconf("SC_PAGESIZE") / 2**20


def own_megabytes() -> float:
    """Resident memory but for the pages of mapped files, which the system takes back at will."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    (line,) = (line for line in lines if line.startswith("RssAnon:"))
    return int(line.split()[1]) / 1024


@contextmanager
def watched() -> Iterator[list[float]]:
    """What `own_megabytes` was, every few milliseconds."""
    seen, done = [own_megabytes()], threading.Event()

    def watch():
        while not done.wait(0.003):
            seen.append(own_megabytes())

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def open_files() -> int:
    return len(os.listdir("/proc/self/fd"))


def network(backend: str) -> m.Sequential:
    layers = [
        m.Conv2D(1, 4, 3, padding=1), m.BatchNorm(4), m.ReLU(), m.MaxPool2D(2), m.Dropout(0.2),
        m.Flatten(), m.Dense(4 * 7 * 7, 10),
    ]  # fmt: skip
    return m.Sequential(*layers, seed=0).to(backend)


def samples(count: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (count, 1, 14, 14), dtype=np.uint8), rng.integers(0, 10, count)


class Compilations(event.Listener):
    def __init__(self):
        self.names = []

    def on_start(self, event):
        self.names.append(str(event.data["dispatcher"]))

    def on_end(self, event):
        pass


every_backend = pytest.mark.parametrize("backend", backends.available())


@every_backend
def test_fifty_epochs_leave_memory_and_open_files_as_they_were(backend, tmp_path):
    net, (images, labels), optimizer = network(backend), samples(3000), m.Adam()
    found = []
    for epochs in (5, EPOCHS):
        m.fit(net, m.SoftmaxCrossEntropy(), optimizer, (images, labels), (images, labels),
              epochs=epochs, batch_size=32, progress=False, augment=m.data.RandomAffine(2),
              checkpoint=tmp_path / f"{epochs}.npz")  # fmt: skip
        found.append((megabytes(), open_files()))
    print(f"\n{backend}: MB and open files after 5 and {EPOCHS} more epochs: {found}")
    (before, files_before), (after, files_after) = found
    assert after - before < GROWTH
    assert files_after == files_before


@every_backend
def test_ragged_batches_of_random_sizes_neither_grow_nor_compile(backend):
    net, (images, labels) = network(backend), samples(LARGEST)
    loss, optimizer, rng = m.SoftmaxCrossEntropy(), m.SGD(0.01), np.random.default_rng(1)

    def step(size: int) -> None:
        loss.forward(net.forward(images[:size] / np.float32(255), training=True), labels[:size])
        net.backward(loss.backward())
        optimizer.step(net.parameters())

    for size in range(LARGEST, 1, -1):
        step(size)
    before, listener = megabytes(), Compilations()
    with event.install_listener("numba:compile", listener):
        for size in rng.integers(2, LARGEST + 1, BATCHES):
            step(int(size))
    after = megabytes()
    print(f"\n{backend}: {before:.1f} MB before, {after:.1f} MB after {BATCHES} batches")
    assert listener.names == []
    assert after - before < GROWTH


@every_backend
def test_epochs_of_many_sizes_do_not_grow(backend):
    """Through `fit`, whose last batch is ragged in its own way each time."""
    net, (images, labels), rng = network(backend), samples(600), np.random.default_rng(2)
    sizes = [600, *rng.integers(100, 600, 200).tolist()]
    for k, size in enumerate(sizes):
        m.fit(net, m.SoftmaxCrossEntropy(), m.SGD(0.01), (images[:size], labels[:size]),
              batch_size=32, progress=False)  # fmt: skip
        if k == 20:
            before = megabytes()
    after = megabytes()
    steps = sum(len(list(in_batches(shuffled(size, 0, 0), 32))) for size in sizes)
    print(f"\n{backend}: {before:.1f} MB, {after:.1f} MB after {steps} steps in {len(sizes)} fits")
    assert after - before < GROWTH


@every_backend
@pytest.mark.parametrize("augment", [None, Compose([RandomFlip(), RandomCrop(4), CutOut(16)])])
def test_a_set_in_a_file_is_never_in_memory_as_a_whole(backend, augment, tmp_path):
    count, side = 20_000, 64
    path, shape = tmp_path / "photos.npy", (count, 3, side, side)
    photos = np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=shape)
    for rows in in_batches(photos, 1000):
        rows[...] = np.random.default_rng(len(rows)).integers(0, 256, rows.shape, dtype=np.uint8)
    del photos, rows
    images, labels = np.load(path, mmap_mode="r"), np.arange(count) % 10
    layers = m.AvgPool2D(8), m.Flatten(), m.Dense(3 * 8 * 8, 10)
    net, loss = m.Sequential(*layers, seed=0).to(backend), m.SoftmaxCrossEntropy()

    def train(first: int) -> None:
        part = images[:first], labels[:first]
        m.fit(net, loss, m.SGD(0.01), part, part, epochs=2, progress=False, augment=augment)
        net.predict(part[0])

    train(1000)
    gc.collect()
    with watched() as seen:
        train(count)
    size, growth = images.nbytes / 2**20, max(seen) - seen[0]
    print(f"\n{backend}: {growth:.1f} MB more for {size:.0f} MB of images, {len(seen)} looks")
    assert size > 100 * GROWTH and growth < GROWTH
