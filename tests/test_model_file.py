"""Broken and hostile model files: each is refused with a ModelFileError, or is the same network."""

import json
import pickle
import tracemalloc
import zipfile
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicnn as m
from minicnn import model_file
from tests.strategies import stripes


def trained(epochs=2):
    """A network of several kinds of layers, its optimiser, and a progress with a best epoch."""
    network = m.Sequential(
        m.Conv2D(1, 2, 3), m.BatchNorm(2), m.Sequential(m.ReLU(), m.MaxPool2D(2)), m.Flatten(),
        m.Dropout(0.5), m.Dense(18, 2), seed=0,
    )  # fmt: skip
    return network, m.SGD(0.1, momentum=0.9)


@pytest.fixture(scope="module")
def valid(tmp_path_factory):
    """The bytes of a checkpoint that has everything in it."""
    path = tmp_path_factory.mktemp("valid") / "model.npz"
    network, optimizer = trained()
    m.fit(
        network, m.SoftmaxCrossEntropy(), optimizer, stripes(8), stripes(4, 1), epochs=2,
        patience=2, checkpoint=path, progress=False,
    )  # fmt: skip
    return path.read_bytes()


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    path = tmp_path_factory.mktemp("small") / "model.npz"
    m.save(path, m.Sequential(m.Dense(1, 1), seed=0))
    return path.read_bytes()


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    return tmp_path_factory.mktemp("target") / "model.npz"


def contents(data):
    """Members of an archive by name."""
    with zipfile.ZipFile(BytesIO(data)) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def archive_of(members, compression=zipfile.ZIP_STORED):
    """An archive with right checksums; members are (name, bytes)."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w", compression) as archive:
        for name, data in members:
            archive.writestr(zipfile.ZipInfo(name), data, compression)
    return file.getvalue()


def with_header(data, change):
    members = contents(data)
    header = json.loads(members["header.json"])
    header = change(header) or header
    members["header.json"] = json.dumps(header).encode()
    return archive_of(members.items())


def refusal(path, data):
    """The message with which a file is refused; it names the file."""
    path.write_bytes(data)
    with pytest.raises(m.ModelFileError) as caught:
        m.load(path)
    assert str(caught.value).startswith(f"{path}: ")
    return str(caught.value)


def same_or_refused(path, data, original):
    path.write_bytes(data)
    try:
        network = m.load(path).network
    except m.ModelFileError:
        return
    assert repr(network) == repr(original)
    for name, parameter in original.state().items():
        assert network.state()[name].value.tobytes() == parameter.value.tobytes()


def test_whatever_byte_is_flipped_the_file_is_refused_or_the_same_network(small, target):
    target.write_bytes(small)
    original = m.load(target).network
    for position in range(len(small)):
        for mask in (1, 0x80, 0xFF):
            data = bytearray(small)
            data[position] ^= mask
            same_or_refused(target, bytes(data), original)


def test_wherever_it_is_cut_off_the_file_is_refused(small, target):
    for length in range(len(small)):
        refusal(target, small[:length])


edits = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=6)), max_size=4)


@given(edits=edits, cut=st.floats(0, 1), tail=st.binary(max_size=30), replace=st.booleans())
def test_random_edits_give_the_same_network_or_a_refusal(
    valid, target, edits, cut, tail, replace
):
    target.write_bytes(valid)
    original = m.load(target).network
    data = bytearray(valid)
    for where, new in edits:
        position = int(where * len(data))
        data[position : position + (len(new) if replace else 0)] = new
    same_or_refused(target, bytes(data[: round(cut * len(data))]) + tail, original)
    same_or_refused(target, bytes(data), original)


def places(value, path=()):
    """Every place in a JSON document."""
    yield path
    if isinstance(value, (dict, list)):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(one, (*path, key))


some_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
    | st.sampled_from(["Dense", "Sequential", "same", 2**70, -1, 0, 10**400, "float64"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)  # fmt: skip


@given(data=st.data())
def test_a_header_that_says_something_else_somewhere_is_read_or_refused(valid, target, data):
    """With right checksums, as an attacker would write it."""
    header = json.loads(contents(valid)["header.json"])
    path = data.draw(st.sampled_from([*places(header)][1:]))
    inner = header
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = data.draw(some_json)
    target.write_bytes(with_header(valid, lambda _: header))
    try:
        found = m.load(target)
    except m.ModelFileError:
        return
    found.network.summary((1, 8, 8))
    m.save(target, *found)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "begins with b''"),
        (b"<!DOCTYPE html><html>", "begins with b'<!DOCTYP', wanted a zip archive"),
        (pickle.dumps([1, 2, 3]), "wanted a zip archive"),
        (archive_of([]), "wanted a zip archive"),
        (archive_of([("a.npy", b"")]), "no member 'header.json'; its members are 'a.npy'"),
        (archive_of([("header.json", b"{'a")]), "wanted JSON"),
        (archive_of([("header.json", b"[" * 100_000)]), "wanted JSON"),
        (archive_of([("header.json", b"\xff\xfe")]), "wanted JSON"),
        (archive_of([("header.json", b"[1]")]), "is list, wanted an object"),
        (archive_of([("header.json", b"{}")]), "has no 'arrays'"),
        (archive_of([("header.json", b'{"arrays": {}}')]), "has no 'format'"),
    ],
)
def test_what_is_no_model_file_is_refused_with_what_it_is(tmp_path, data, message):
    assert message in refusal(tmp_path / "model.npz", data)


def set_in(path, value):
    def change(header):
        for key in path[:-1]:
            header = header[key]
        header[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("path", "value", "message"),
    [
        (["format"], "minicnn model, version 2", "is a 'minicnn model, version 2', wanted"),
        (["network", "class"], "Dense", "has no 'arguments'"),
        (["network", "layers", 0, "class"], "os.system", "has a layer 'os.system', wanted one of"),
        (["network", "layers", 0, "arguments"], {"in_channels": 1}, "with arguments"),
        (["network", "layers", 0, "arguments", "out_channels"], 10**9, "shape (2, 1, 3, 3)"),
        (["network", "layers", 0, "arguments", "kernel_size"], 3, "make no Conv2D"),
        (["network", "layers", 0, "arguments", "stride"], [0, 1], "stride must be at least 1"),
        (["network", "layers", 0, "arguments", "padding"], [-1, 1], "padding must be at least 0"),
        (["network", "layers", 1, "arguments", "eps"], float("nan"), "eps must be positive"),
        (["network", "layers", 4, "arguments", "p"], 2, "p must be at least 0 and less than 1"),
        (["network", "layers", 4, "mask_seed"], [1, "2"], "wanted two whole numbers"),
        (["network", "layers", 5, "arguments", "in_features"], 18.5, "wanted (2, 18.5)"),
        (["network", "layers", 5, "arguments", "bias"], False, "arrays that nothing needs"),
        (["network", "layers", 3, "arguments"], {"x": 1}, "Flatten with arguments ['x']"),
        (["network", "layers"], [], "arrays that nothing needs"),
        (["arrays", "network/5.weight", "shape"], [18, 2], "begins with"),
        (["arrays", "network/5.weight", "shape"], [2, 19], "bytes, wanted"),
        (["arrays", "network/5.weight", "shape"], [2**20, 2**20], "bytes, wanted"),
        (["arrays", "network/5.weight", "shape"], [0, 10**30], "wanted 1 to 4 sizes"),
        (["arrays", "network/5.weight", "dtype"], "object", "as 'object', wanted one of"),
        (["arrays", "network/5.weight", "dtype"], "float64", "bytes, wanted"),
        (["arrays", "network/4.step", "dtype"], "float64", "begins with"),
        (["arrays", "network/7.weight"], {"shape": [1], "dtype": "float32"}, "missing"),
        (["optimizer", "class"], "Adam2", "has an optimizer 'Adam2', wanted one of SGD"),
        (["optimizer", "class"], "Adam", "has a Adam with arguments"),
        (["optimizer", "arguments", "lr"], -1.0, "lr must be ≥ 0"),
        (["optimizer", "arguments", "momentum"], 0.0, "arrays that nothing needs"),
        (["optimizer", "steps"], -1, "after -1 steps"),
        (["progress", "history", "seconds"], [1.0], "not 1 numbers"),
        (["progress", "history"], {}, "has a history of none"),
        (["progress", "arguments", "seed"], 3, "wanted str"),
        (["progress", "best", "epoch"], 2, "has epoch 2 as the best, wanted one of 2"),
    ],
)  # fmt: skip
def test_a_header_that_asks_for_what_cannot_be_is_refused(valid, tmp_path, path, value, message):
    assert message in refusal(tmp_path / "model.npz", with_header(valid, set_in(path, value)))


@pytest.mark.parametrize("name", ["../../evil.npy", "/etc/passwd", "C:\\evil.npy", "extra.npy"])
def test_a_member_that_the_header_does_not_know_is_refused_and_written_nowhere(
    small, tmp_path, name
):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    data = archive_of([*contents(small).items(), (name, b"x")])
    assert "unknown" in refusal(folder / "model.npz", data)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["model.npz"]


def test_a_missing_member_is_named(small, tmp_path):
    members = contents(small)
    del members["network/0.bias.npy"]
    message = refusal(tmp_path / "model.npz", archive_of(members.items()))
    assert "missing 'network/0.bias.npy'" in message


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(small, tmp_path):
    members = [*contents(small).items()]
    data = archive_of([*members, members[1]])
    assert "has two members" in refusal(tmp_path / "model.npz", data)


@pytest.mark.parametrize(
    "array", [np.array([[object()]]), np.array([[1.0]]), np.array([["a"]]), np.array(["ab", "c"])]
)
def test_a_member_that_holds_objects_or_another_dtype_is_refused(small, tmp_path, array):
    class Evil:
        def __reduce__(self):
            return pytest.fail, ("the file ran code",)

    if array.dtype == object:
        array[0, 0] = Evil()
    file = BytesIO()
    np.save(file, array)
    members = contents(small) | {"network/0.weight.npy": file.getvalue()}
    message = refusal(tmp_path / "model.npz", archive_of(members.items()))
    assert "network/0.weight.npy" in message


def test_a_compressed_bomb_is_refused_before_it_is_unpacked(small, tmp_path):
    members = contents(small)
    members["network/0.weight.npy"] += bytes(2**27)
    data = archive_of(members.items(), zipfile.ZIP_DEFLATED)
    assert len(data) < 2**18
    tracemalloc.start()
    try:
        message = refusal(tmp_path / "model.npz", data)
        assert tracemalloc.get_traced_memory()[1] < 2**22
    finally:
        tracemalloc.stop()
    assert "is compressed" in message


def test_members_that_share_their_bytes_are_refused(small, tmp_path):
    """A thousand names for the bytes of one member cost a file next to nothing."""
    members = [*contents(small).items(), *((f"m{k:03}", b"") for k in range(1000))]
    with zipfile.ZipFile(BytesIO(archive_of(members)), "a") as archive:
        large = archive.getinfo("header.json")
        for info in archive.infolist()[-1000:]:
            info.file_size = info.compress_size = large.file_size
            info.header_offset, info.CRC = large.header_offset, large.CRC
        archive.comment = b"the directory is written again"
        file = archive.fp
        archive.close = lambda: None
        archive._didModify = True
        file.seek(archive.start_dir)
        archive._write_end_record()
        file.truncate()
        data = file.getvalue()
    assert "bytes, but has" in refusal(tmp_path / "model.npz", data)


def test_a_header_of_the_wrong_size_or_a_file_beyond_the_cap_is_refused(
    small, tmp_path, monkeypatch
):
    monkeypatch.setattr(model_file, "MAX_HEADER", 100)
    assert "wanted up to 100" in refusal(tmp_path / "model.npz", small)
    monkeypatch.setattr(model_file, "MAX_FILE", 200)
    assert "wanted at most 200" in refusal(tmp_path / "model.npz", small)
    with pytest.raises(ValueError, match="a model file has at most"):
        m.save(tmp_path / "new.npz", m.Sequential(m.Dense(1, 1)))
    assert not (tmp_path / "new.npz").exists()


def test_networks_nested_too_deep_are_refused(tmp_path):
    network = '{"class": "Sequential", "layers": [' * 900 + "]}" * 900
    text = f'{{"arrays": {{}}, "format": "minicnn model, version 1", "network": {network}}}'
    data = archive_of([("header.json", text.encode())])
    assert "wanted JSON" in (message := refusal(tmp_path / "m.npz", data)) or "deep" in message


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        m.load(tmp_path / "model.npz")
    with pytest.raises(IsADirectoryError):
        m.load(tmp_path)
