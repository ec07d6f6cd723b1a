"""Broken and hostile model files: each is refused with a ModelFileError, or is the same network."""

import pickle
import zipfile
from io import BytesIO
from itertools import product

import numpy as np
import pytest

import minicnn as m
from minicnn.files import description, model_file
from tests.files.broken import archive_of, contents, large_file, refusal, small_file, with_header
from tests.memory import peak_memory


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


def test_what_a_file_does_not_say_is_as_it_was_before_anyone_could_say_it(tmp_path):
    def as_before(header):
        for layer in header["network"]["layers"]:
            for newer in ("dilation", "groups"):
                layer.get("arguments", {}).pop(newer, None)

    path = tmp_path / "model.npz"
    path.write_bytes(large_file())
    network = m.load(path).network
    path.write_bytes(with_header(large_file(), as_before))
    older = m.load(path).network
    assert repr(older) == repr(network)
    x = np.random.default_rng(0).random((3, 1, 8, 8), np.float32)
    np.testing.assert_array_equal(older.predict(x), network.predict(x))


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
        (["network", "layers", 0, "arguments", "groups"], 0, "make no Conv2D"),
        (["network", "layers", 0, "arguments", "groups"], 2, "wanted (2, 0, 3, 3)"),
        (["network", "layers", 1, "arguments", "eps"], float("nan"), "eps must be positive"),
        (["network", "layers", 4, "arguments", "p"], 2, "p must be at least 0 and less than 1"),
        (["network", "layers", 4, "mask_seed"], [1, "2"], "wanted two whole numbers"),
        (["network", "layers", 5, "arguments", "in_features"], 18.5, "wanted (2, 18.5)"),
        (["network", "layers", 5, "arguments", "bias"], False, "arrays that nothing needs"),
        (["network", "layers", 5, "arguments", "bias"], "yes", "wanted {"),
        (["network", "layers", 3, "arguments"], {"x": 1}, "Flatten with arguments ['x']"),
        (["network", "layers"], [], "arrays that nothing needs"),
        (["arrays", "network/5.weight", "shape"], [18, 2], "begins with"),
        (["arrays", "network/5.weight", "shape"], [2, 19], "bytes, wanted"),
        (["arrays", "network/5.weight", "shape"], [2**20, 2**20], "bytes, wanted"),
        (["arrays", "network/5.weight", "shape"], [0, 10**30], "wanted 1 to 4 sizes"),
        (["arrays", "network/5.weight", "shape"], ["2", 18], "wanted 1 to 4 sizes"),
        (["arrays", "network/5.weight", "dtype"], "object", "as 'object', wanted one of"),
        (["arrays", "network/5.weight", "dtype"], "float64", "bytes, wanted"),
        (["arrays", "network/4.step", "dtype"], "float64", "begins with"),
        (["arrays", "network/7.weight"], {"shape": [1], "dtype": "float32"}, "missing"),
        (["optimizer", "class"], "Adam2", "has an optimizer 'Adam2', wanted one of SGD"),
        (["optimizer", "class"], "Adam", "has a Adam with arguments"),
        (["optimizer", "arguments", "lr"], -1.0, "lr must be ≥ 0"),
        (["optimizer", "arguments", "momentum"], 0.0, "arrays that nothing needs"),
        (["optimizer", "arguments", "nesterov"], "yes", "which it would not keep"),
        (["optimizer", "steps"], -1, "after -1 steps"),
        (["optimizer", "steps"], 10**30, "00000 steps, wanted 0 to 9007199254740992"),
        (["network", "layers", 4, "mask_seed"], [1, 2**32], "wanted two whole numbers of 32"),
        (["network", "layers", 4, "mask_seed"], [-1, 2], "wanted two whole numbers of 32"),
        (["network", "layers", 0, "arguments", "stride"], [1, 2**31], "must be at most"),
        (["progress", "history", "seconds"], [1.0], "not 1 numbers"),
        (["progress", "history"], {}, "has a history of none"),
        (["progress", "arguments", "seed"], 3, "wanted str"),
        (["progress", "best", "epoch"], 2, "has epoch 2 as the best, wanted one of 2"),
        (["progress", "best", "epoch"], -1, "has epoch -1 as the best, wanted one of 2"),
    ],
)  # fmt: skip
def test_a_header_that_asks_for_what_cannot_be_is_refused(tmp_path, path, value, message):
    data = with_header(large_file(), set_in(path, value))
    assert message in refusal(tmp_path / "model.npz", data)


@pytest.mark.parametrize("name", ["../../evil.npy", "/etc/passwd", "C:\\evil.npy", "extra.npy"])
def test_a_member_that_the_header_does_not_know_is_refused_and_written_nowhere(
    tmp_path, name
):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    data = archive_of([*contents(small_file()).items(), (name, b"x")])
    assert "unknown" in refusal(folder / "model.npz", data)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["model.npz"]


def test_a_missing_member_is_named(tmp_path):
    members = contents(small_file())
    del members["network/0.bias.npy"]
    message = refusal(tmp_path / "model.npz", archive_of(members.items()))
    assert "missing 'network/0.bias.npy'" in message


def test_an_array_that_no_member_was_announced_for_is_named(tmp_path):
    members = contents(with_header(small_file(), lambda h: {**h, "arrays": {}}))
    members = {name: data for name, data in members.items() if name == "header.json"}
    message = refusal(tmp_path / "model.npz", archive_of(members.items()))
    assert "has no array 'network/0.weight', wanted one of shape (1, 1)" in message


def test_whole_numbers_are_no_weights(tmp_path):
    file = BytesIO()
    np.save(file, np.array([[1]]))
    change = set_in(["arrays", "network/0.weight", "dtype"], "int64")
    members = contents(with_header(small_file(), change))
    members["network/0.weight.npy"] = file.getvalue()
    message = refusal(tmp_path / "model.npz", archive_of(members.items()))
    assert "network/0.weight holds int64, wanted floating-point numbers" in message


def test_a_layer_that_is_no_network_is_refused(tmp_path):
    def unwrap(header):
        header["network"] = header["network"]["layers"][0]
        header["arrays"] = {name.replace("0.", ""): a for name, a in header["arrays"].items()}

    members = contents(with_header(small_file(), unwrap))
    renamed = [(name.replace("0.", ""), data) for name, data in members.items()]
    message = refusal(tmp_path / "model.npz", archive_of(renamed))
    assert "holds a Dense, wanted a Sequential" in message


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_is_there_twice_is_refused(tmp_path):
    members = [*contents(small_file()).items()]
    data = archive_of([*members, members[1]])
    assert "has two members" in refusal(tmp_path / "model.npz", data)


@pytest.mark.parametrize(
    "array", [np.array([[object()]]), np.array([[1.0]]), np.array([["a"]]), np.array(["ab", "c"])]
)
def test_a_member_that_holds_objects_or_another_dtype_is_refused(tmp_path, array):
    class Evil:
        def __reduce__(self):
            return pytest.fail, ("the file ran code",)

    if array.dtype == object:
        array[0, 0] = Evil()
    file = BytesIO()
    np.save(file, array)
    members = contents(small_file()) | {"network/0.weight.npy": file.getvalue()}
    message = refusal(tmp_path / "model.npz", archive_of(members.items()))
    assert "network/0.weight.npy" in message


def test_a_compressed_bomb_is_refused_before_it_is_unpacked(tmp_path):
    members = contents(small_file())
    members["network/0.weight.npy"] += bytes(2**27)
    data = archive_of(members.items(), zipfile.ZIP_DEFLATED)
    assert len(data) < 2**18
    message, peak = peak_memory(lambda: refusal(tmp_path / "model.npz", data))
    assert peak < 2**22
    assert "is compressed" in message


WORDS = ["".join(letters) for letters in product("abcdefghijklmnop", repeat=4)]
NETWORK = '{"arrays": {}, "format": "minicnn model, version 1", "network": %s}'
POOLING = '{"class": "MaxPool2D", "arguments": {"kernel_size": [%s0], "stride": 1, "padding": 0, '
WASTEFUL = {
    "lists": '{"x": [' + "[]," * 2**17 + "0]}",
    "lists in lists": '{"x": [' + ("[" * 300 + "]" * 300 + ",") * 2**9 + "0]}",
    "objects": '{"x": [' + '{"":0},' * 2**16 + "0]}",
    "strings": '{"x": [' + '"aa",' * 2**16 + "0]}",
    "characters of four bytes": '{"x": "' + "a" * 2**20 + '𝄞"}',
    "names of arrays": '{"arrays": {' + ",".join(f'"{word}":0' for word in WORDS) + "}}",
    "names of fields": NETWORK % ("{" + ",".join(f'"{word}":0' for word in WORDS) + "}"),
    "an argument": NETWORK % POOLING % ("[]," * 2**17) + '"ceil_mode": false}}',
}


@pytest.mark.parametrize("text", WASTEFUL.values(), ids=WASTEFUL)
def test_a_header_takes_no_more_memory_than_is_promised(tmp_path, monkeypatch, text):
    share = 2**6  # of the limit and of the memory that it stands for
    monkeypatch.setattr(model_file, "MAX_PARTS", model_file.MAX_PARTS // share)
    data = archive_of([("header.json", text.encode())])
    message, peak = peak_memory(lambda: refusal(tmp_path / "model.npz", data))
    assert peak < 2**26 // share + 4 * len(data) + 16 * len(text)
    assert len(message) < 400 + len(str(tmp_path))


def test_members_of_a_few_bytes_are_refused_before_they_are_listed(tmp_path):
    data = archive_of([(f"{k}", b"") for k in range(10_000)])
    message, peak = peak_memory(lambda: refusal(tmp_path / "model.npz", data))
    assert "lists 10000 members in" in message
    assert peak < 2 * len(data)


def test_a_counter_that_no_training_reaches_is_refused(tmp_path):
    members = contents(large_file())
    for count in (-1, 2**62):
        start = members["network/4.step.npy"][:-8]
        members["network/4.step.npy"] = start + count.to_bytes(8, "little", signed=True)
        message = refusal(tmp_path / "model.npz", archive_of(members.items()))
        assert f"network/4.step holds [{count}], wanted counts of 0" in message


def test_members_that_share_their_bytes_are_refused(tmp_path):
    """A thousand names for the bytes of one member cost a file next to nothing."""
    file = BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        for name, content in contents(small_file()).items():
            archive.writestr(name, content)
        shared = archive.getinfo("header.json")
        for k in range(1000):
            archive.writestr(f"m{k}", bytes(100))
            info = archive.getinfo(f"m{k}")
            info.file_size = info.compress_size = shared.file_size
            info.header_offset, info.CRC = shared.header_offset, shared.CRC
    data = file.getvalue()
    assert "bytes, but has" in refusal(tmp_path / "model.npz", data)


def test_a_header_of_the_wrong_size_or_a_file_beyond_the_cap_is_refused(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(model_file, "MAX_HEADER", 100)
    assert "wanted up to 100" in refusal(tmp_path / "model.npz", small_file())
    monkeypatch.setattr(model_file, "MAX_FILE", 200)
    assert "wanted at most 200" in refusal(tmp_path / "model.npz", small_file())
    with pytest.raises(ValueError, match="a model file has at most"):
        m.save(tmp_path / "new.npz", m.Sequential(m.Dense(1, 1)))
    assert not (tmp_path / "new.npz").exists()


def test_networks_nested_too_deep_are_refused(tmp_path):
    network = '{"class": "Sequential", "layers": [' * 900 + "]}" * 900
    text = f'{{"arrays": {{}}, "format": "minicnn model, version 1", "network": {network}}}'
    data = archive_of([("header.json", text.encode())])
    assert "wanted JSON" in (message := refusal(tmp_path / "m.npz", data)) or "deep" in message


def test_more_layers_than_anyone_needs_are_neither_loaded_nor_saved(tmp_path, monkeypatch):
    monkeypatch.setattr(description, "MAX_LAYERS", 6)
    assert "more than 6 layers" in refusal(tmp_path / "model.npz", large_file())
    with pytest.raises(ValueError, match="more than 6 layers"):
        m.save(tmp_path / "model.npz", m.Sequential(*(m.ReLU() for _ in range(6))))


def test_a_file_that_is_not_there_is_an_os_error(tmp_path):
    with pytest.raises(FileNotFoundError):
        m.load(tmp_path / "model.npz")
    with pytest.raises(IsADirectoryError):
        m.load(tmp_path)
