"""Names that are not there: what they may have meant, and parts imported when asked for."""

import subprocess
import sys

import pytest

import minicnn
from minicnn.common.names import ELSEWHERE, MODULES, public_names


def say(module, name):
    with pytest.raises(AttributeError) as raised:
        getattr(module, name)
    return str(raised.value)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Conv2d", "minicnn.Conv2D"),
        ("Linear", "minicnn.Dense"),
        ("BatchNorm2d", "minicnn.BatchNorm"),
        ("MaxPooling2D", "minicnn.MaxPool2D"),
        ("CrossEntropyLoss", "minicnn.SoftmaxCrossEntropy"),
        ("load_model", "minicnn.load"),
        ("adam", "minicnn.Adam"),
        ("Sequental", "minicnn.Sequential"),
        ("Module", "minicnn.Layer"),
        ("StepLR", "minicnn.schedules.StepDecay"),
        ("load_minst", "minicnn.data.load_mnist"),
        ("random_split", "minicnn.data.split"),
    ],
)
def test_a_name_of_another_library_or_a_slip_is_answered_with_ours(name, meant):
    wanted = f"module 'minicnn' has no attribute {name!r}: did you mean {meant}?"
    assert say(minicnn, name) == wanted
    with pytest.raises(ImportError) as raised:
        exec(f"from minicnn import {name}")
    assert str(raised.value) == wanted


def test_every_name_in_the_table_leads_to_one_that_is_there():
    ours = {name for module in MODULES for name in public_names(module)}
    assert ours.issuperset(ELSEWHERE.values())
    assert not ours & ELSEWHERE.keys()


def test_the_modules_inside_answer_too():
    assert say(minicnn.layers, "Linear").endswith("did you mean minicnn.Dense?")
    assert say(minicnn.optimizers, "Adamw").endswith("did you mean minicnn.AdamW?")
    with pytest.raises(ImportError, match=r"did you mean minicnn\.Dense\?"):
        exec("from minicnn.layers import Linear")


@pytest.mark.parametrize("name", ["Foo", "no_grad", "__wrapped__", "_Conv2D", "a.b", ""])
def test_a_name_that_resembles_nothing_is_an_attribute_error_as_ever(name):
    assert say(minicnn, name) == f"module 'minicnn' has no attribute {name!r}"
    assert not hasattr(minicnn, name)


def test_a_part_is_imported_when_it_is_asked_for_and_matplotlib_with_it_not_before():
    code = (
        "import sys, minicnn\n"
        "print('matplotlib' in sys.modules, 'minicnn.timing' in sys.modules)\n"
        "print(minicnn.plotting.filters.__name__, minicnn.timing.__name__)\n"
        "from minicnn import plotting\n"
        "print(plotting is minicnn.plotting, 'matplotlib' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split("\n") == ["False False", "filters minicnn.timing", "True True", ""]
