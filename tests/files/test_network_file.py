"""Networks from text files: what they become, and what is refused."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from networks import zener

from minicnn import DataFileError, read_network, save
from minicnn.files import network_file


def written(folder, text):
    path = folder / "network.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("networks")


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 4)), max_size=3),
    st.integers(1, 6),
    st.integers(1, 3),
    st.integers(3, 9),
    st.sampled_from(["\n", "\r\n", "\n\n "]),
)
def test_a_description_becomes_its_layers(folder, convolutions, units, outputs, side, ending):
    text = ending.join([f"{k} {f}" for k, f in convolutions] + [str(units)])
    network = read_network(written(folder, text), (1, side, side), outputs)
    kinds = [type(layer).__name__ for layer in network.layers]
    tail = ["Flatten", "Dense", "Sigmoid", "Dense"]
    assert kinds == ["Conv2D", "MaxPool2D", "ReLU"] * len(convolutions) + tail
    shapes = [p.shape for p in network.parameters() if len(p.shape) == 4]
    assert [(s[2], s[0]) for s in shapes] == convolutions
    assert network.output_shape((1, side, side)) == (outputs,)


@given(
    st.lists(st.tuples(st.integers(1, 5), st.integers(1, 9)), max_size=3),
    st.integers(1, 6),
    st.integers(1, 3),
    st.integers(3, 9),
)
def test_as_many_weights_are_taken_as_are_allowed(folder, convolutions, units, outputs, side):
    path = written(folder, "\n".join([*(f"{k} {f}" for k, f in convolutions), str(units)]))
    made = read_network(path, (1, side, side), outputs)
    weights = sum(p.value.size for p in made.parameters() if len(p.shape) > 1)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(network_file, "MAX_WEIGHTS", weights)
        read_network(path, (1, side, side), outputs)
        patch.setattr(network_file, "MAX_WEIGHTS", weights - 1)
        with pytest.raises(DataFileError, match=f"got {weights} weights"):
            read_network(path, (1, side, side), outputs)


def test_the_studys_networks_can_be_written_down(folder):
    found = read_network(written(folder, "5 20\n5 40\n5 80\n5 100\n120\n"), (1, 25, 25), 5)
    assert repr(found) == repr(zener([20, 40, 80, 100]))


@given(st.binary(max_size=60))
@example(b"")
@example(b"99 100000\n99 100000\n100000")
@example("٥ ٢\n٣".encode())
def test_whatever_a_file_holds_it_is_a_network_or_refused_by_name(folder, content):
    path = written(folder, content)
    try:
        network = read_network(path, (1, 5, 5), 2)
    except DataFileError as error:
        assert str(path) in str(error)
    else:
        assert network.output_shape((1, 5, 5)) == (2,)


@pytest.mark.parametrize(
    "text, said",
    [
        ("5 16 3\n120", r"line 1: got '5 16 3', wanted a convolution's kernel"),
        ("5 16\n0", r"line 2: got '0', wanted the last line to be the units"),
        ("5 16\n5 16", r"line 2: got '5 16', wanted the last line"),
        ("five 16\n120", r"line 1: got 'five 16'"),
        ("9" * 5000, r"line 1: got '99999"),
        ("\n \n", r"got no lines"),
        ("1\n" * 6000, r"more than 10000 bytes"),
        ("99 100000\n120", r"got 980100000 weights, wanted at most 20000000"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(folder, text, said):
    with pytest.raises(DataFileError, match=f"network.txt.*{said}"):
        read_network(written(folder, text), (1, 25, 25), 1)


def test_a_saved_network_is_refused_with_the_function_that_reads_it(folder):
    save(folder / "trained.npz", zener([20]))
    with pytest.raises(DataFileError, match=r"trained.npz: got a saved network.*load\(path\)"):
        read_network(folder / "trained.npz", (1, 25, 25), 5)
