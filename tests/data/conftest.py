"""IDX files and whole sets, written from the format's description, and mirrors that send them."""

import gzip
import hashlib
import os
import struct
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from minicnn.data import mnist
from minicnn.data.mnist import FILES

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx_bytes(array):
    header = bytes([0, 0, CODES[array.dtype.str[1:]], array.ndim])
    sizes = struct.pack(f">{array.ndim}I", *array.shape)
    return header + sizes + array.astype(array.dtype.newbyteorder(">")).tobytes()


def small_set(seed=0):
    """The four files of a set of 5 and 3 images, unpacked, by name."""
    rng = np.random.default_rng(seed)
    contents = []
    for count in (5, 3):
        contents.append(idx_bytes(rng.integers(0, 256, (count, 28, 28), dtype="u1")))
        contents.append(idx_bytes(rng.integers(0, 10, count, dtype="u1")))
    return dict(zip(FILES, contents, strict=True))


def put(folder, files, packed=()):
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        if name in packed:
            (folder / f"{name}.gz").write_bytes(gzip.compress(content))
        else:
            (folder / name).write_bytes(content)
    return folder


class Mirrors:
    """Two mirrors of a set's files, on this machine; `answers` says what they send, by path."""

    def __init__(self, source, published):
        self.answers = {f"/{m}/{n}": c for m in "ab" for n, c in published.items()}
        self.cut_short = set()
        self.asked = []
        mirrors = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                mirrors.asked.append(self.path)
                content = mirrors.answers.get(self.path)
                if content is None:
                    self.send_error(404)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                half = len(content) // 2
                self.wfile.write(content[:half] if self.path in mirrors.cut_short else content)

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        root = f"http://127.0.0.1:{self.server.server_port}"
        self.source = replace(
            source,
            mirrors=(f"{root}/a/", f"{root}/b/"),
            sha256=tuple(hashlib.sha256(content).hexdigest() for content in published.values()),
        )
        self.urls = [root + path for path in self.answers]

    def __enter__(self):
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def mirrors(no_data, monkeypatch):
    files = small_set()
    packed = {name: gzip.compress(content, mtime=0) for name, content in files.items()}
    with Mirrors(mnist.MNIST, {f"{name}.gz": text for name, text in packed.items()}) as mirrors:
        mirrors.files, mirrors.packed = files, packed
        monkeypatch.setattr(mnist, "MNIST", mirrors.source)
        yield mirrors


@pytest.fixture
def no_data(tmp_path, monkeypatch):
    """The user's cache, empty, and no MINICNN_DATA: nothing real can be found by a test."""
    cache = tmp_path / "cache"
    monkeypatch.delenv("MINICNN_DATA", raising=False)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setattr("pooch.os_cache", lambda project: cache / project)
    return cache / "minicnn"


@pytest.fixture
def offline(no_data, monkeypatch):
    """No data anywhere, and any attempt to fetch some fails the test."""
    monkeypatch.setattr("pooch.retrieve", lambda *_, **__: pytest.fail("tried to download"))
    return no_data


@pytest.fixture
def real_data():
    """The folder that MINICNN_DATA names, when both real sets are there."""
    variable = os.environ.get("MINICNN_DATA")
    if not variable:
        pytest.skip("MINICNN_DATA is not set")
    for folder in ("mnist", "fashion-mnist"):
        if len(list(Path(variable, folder).glob("*-ubyte*"))) < 4:
            pytest.skip(f"MINICNN_DATA has no subfolder {folder} with the four files")
    return Path(variable)
