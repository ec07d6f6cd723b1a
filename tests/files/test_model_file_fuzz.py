"""Model files with anything wrong anywhere: a ModelFileError or the same network, nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

import minicnn as m
from tests.files.broken import contents, large_file, refusal, small_file, with_header


@pytest.fixture(scope="module")
def target(tmp_path_factory):
    return tmp_path_factory.mktemp("target") / "model.npz"


def same_or_refused(path, data, original):
    path.write_bytes(data)
    try:
        network = m.load(path).network
    except m.ModelFileError:
        return
    assert repr(network) == repr(original)
    for name, parameter in original.state().items():
        assert network.state()[name].value.tobytes() == parameter.value.tobytes()


def test_whatever_byte_is_flipped_the_file_is_refused_or_the_same_network(target):
    target.write_bytes(small_file())
    original = m.load(target).network
    for position in range(len(small_file())):
        for mask in (1, 0x80, 0xFF):
            data = bytearray(small_file())
            data[position] ^= mask
            same_or_refused(target, bytes(data), original)


def test_wherever_it_is_cut_off_the_file_is_refused(target):
    for length in range(len(small_file())):
        refusal(target, small_file()[:length])


edits = st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(max_size=6)), max_size=4)


@given(edits=edits, cut=st.floats(0, 1), tail=st.binary(max_size=30), replace=st.booleans())
def test_random_edits_give_the_same_network_or_a_refusal(
    target, edits, cut, tail, replace
):
    target.write_bytes(large_file())
    original = m.load(target).network
    data = bytearray(large_file())
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
def test_a_header_that_says_something_else_somewhere_is_read_or_refused(target, data):
    """With right checksums, as an attacker would write it."""
    header = json.loads(contents(large_file())["header.json"])
    path = data.draw(st.sampled_from([*places(header)][1:]))
    inner = header
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = data.draw(some_json)
    target.write_bytes(with_header(large_file(), lambda _: header))
    try:
        found = m.load(target)
    except m.ModelFileError:
        return
    m.save(target, *found)
    assert repr(m.load(target).network) == repr(found.network)
