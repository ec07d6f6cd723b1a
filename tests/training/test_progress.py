"""What fit shows while it trains: in a terminal, in a notebook, and where there is neither."""

import os
import re
import subprocess
import sys

import pytest

from minicnn.files.history import COLUMNS, History
from minicnn.training import progress
from minicnn.training.evaluation import Tally
from tests.jupyter import run

TRAINING = """
import numpy as np, minicnn as m
x, y = np.eye(8, 3, dtype="f"), np.arange(8) % 2
network = m.Sequential(m.Dense(3, 2), seed=0)
history = m.fit(network, m.SoftmaxCrossEntropy(), m.SGD(0.1), (x, y), EXTRA, epochs=3)
"""
SCORES = r"loss 0\.\d{4}, accuracy \d+\.\d\d%"
LINES = [rf"epoch {k}/3: {SCORES}, \d+\.\d s" for k in (1, 2, 3)]
JUDGED = [line.replace(", \\d+", f", validation {SCORES}, \\d+") for line in LINES]


def printed(extra):
    code = TRAINING.replace("EXTRA", extra)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == ""
    return done.stderr


def test_where_there_is_no_terminal_every_epoch_is_a_line_on_standard_error():
    assert re.fullmatch("\n".join(LINES) + "\n", printed("None"))


def test_with_a_validation_set_its_scores_stand_on_the_line():
    assert re.fullmatch("\n".join(JUDGED) + "\n", printed("(x, y)"))


def test_without_progress_nothing_is_printed():
    assert printed("progress=False") == ""


def test_a_program_without_standard_error_trains():
    code = f"import sys; sys.stderr = None{TRAINING.replace('EXTRA', 'None')}print(len(history))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "3"


@pytest.mark.skipif(os.name != "posix", reason="pty makes terminals of POSIX")
def test_in_a_terminal_a_bar_gives_way_to_the_line_of_its_epoch():
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(ours, (24, 120))
    code = TRAINING.replace("EXTRA", "(x, y)")
    child = subprocess.Popen([sys.executable, "-c", code], stderr=theirs)
    os.close(theirs)
    shown = b""
    while True:
        try:
            shown += os.read(ours, 4096)
        except OSError:  # the other end is closed
            break
    os.close(ours)
    assert child.wait() == 0
    text = shown.decode().replace("\r\n", "\n")
    assert "epoch 2/3:   0%|" in text and "images/s" in text
    assert text.count("\n") == 3
    # What comes after a return to the line's start covers what was there.
    left = [line.rsplit("\r", 1)[-1] for line in text.split("\n")[:-1]]
    assert re.fullmatch("\n".join(JUDGED), "\n".join(left))


def notebook(*cells):
    """The outputs of each cell, as a real kernel gives them."""
    nbformat = pytest.importorskip("nbformat")
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    run(book)
    return [cell.outputs for cell in book.cells]


@pytest.mark.filterwarnings("default")  # those of the notebook's client are not ours
def test_in_a_notebook_one_output_of_the_cell_shows_the_epochs():
    training = TRAINING.replace("EXTRA", "(x, y)")
    long = training.replace("epochs=3", "epochs=200")
    silent = training.replace("epochs=3", "epochs=3, progress=False")
    outputs = notebook(training, long, silent)
    (shown,), (last,), nothing = outputs
    assert shown.output_type == last.output_type == "display_data"
    assert re.fullmatch("\n".join(JUDGED), shown.data["text/plain"])
    lines = last.data["text/plain"].split("\n")
    assert [line.split(":")[0] for line in lines] == [f"epoch {k}/200" for k in range(181, 201)]
    assert not nothing


def test_a_running_epoch_says_how_far_it_is(monkeypatch):
    written = []
    monkeypatch.setattr(progress.Notebook, "write", lambda self, *line: written.extend(line))
    shown, tally = progress.Notebook(epochs=2, samples=40), Tally()
    tally.add(0.5, 10, 10)
    with shown.epoch(1):
        shown.update(tally)
    assert written == ["epoch 2/2: 25% of the images, loss 0.5000"]


def test_a_bar_has_come_as_far_as_samples_were_trained(capsys):
    shown, tally = progress.Bar(epochs=1, samples=40), Tally()
    with shown.epoch(0):
        for samples in (8, 16, 4):
            tally.add(0.5, samples, samples)
            shown.update(tally)
            assert shown.bar.n == tally.samples


def test_a_mean_over_nothing_that_counts_is_a_sum():
    tally = Tally()
    assert tally.loss == 0
    for weight in (0.0, 0.0, 2.0):  # class weights may leave nothing to count
        tally.add(0.5, weight, 4)
    assert tally.loss == (0.5 + 0.5 + 2 * 0.5) / 2


def test_only_what_shows_a_running_epoch_looks_at_its_losses():
    for kind, looks in ((progress.Report, False), (progress.Lines, False), (progress.Bar, True)):
        shown = kind(epochs=1, samples=40)
        with shown.epoch(0):
            shown.looked -= 1000
            assert shown.due() == looks
            tally = Tally()
            tally.add(0.5, 10, 10)
            shown.update(tally)
            assert not shown.due()


def test_a_history_of_one_column_makes_a_line(capsys):
    history = History()
    history.append(**dict.fromkeys(COLUMNS) | {"train_loss": 2.0, "seconds": 0.5})
    shown = progress.Lines(epochs=1, samples=1)
    with shown.epoch(0):
        shown.end(history)
    assert capsys.readouterr().err == "epoch 1/1: loss 2.0000, 0.5 s\n"
