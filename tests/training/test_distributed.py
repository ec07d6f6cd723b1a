"""Training on 2 and 4 ranks of this machine beside the same training in one process."""

import json
import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path
from shutil import copy, which
from types import SimpleNamespace
from zlib import crc32

import numpy as np
import pytest

from minicnn import SGD, Dropout, Sequential, fit

pytest.importorskip("mpi4py", reason="mpi4py is not installed (the extra `mpi`)")
MPIEXEC = which("mpiexec", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
if MPIEXEC is None:
    pytest.skip("mpiexec is missing (the extra `mpi`)", allow_module_level=True)

from minicnn.training.ranks import Ranks, checksum  # noqa: E402 (they need mpi4py, as the next)
from tests import mpi_job  # noqa: E402

ROOT = Path(__file__).parents[2]
several_ranks = pytest.mark.parametrize("ranks", [2, 4])

# Trainings that come to an end, by the number of ranks. One job makes them all, one after the
# other, for most of a job's time is its processes' start.
OTHERS = (
    "loss", "network", "frozen", "dtype", "optimizer", "validation", "seed", "epochs", "train",
    "classes",
)  # fmt: skip
BY_SEVERAL = (
    "float32", "float64", "weights", "smoothed", "frozen", "augmented", "norm", "one step",
    "stopped",
)  # fmt: skip
CASES = {
    1: ("float32", "weightless"),
    2: (*BY_SEVERAL, "numba", "weightless", "hook", *(f"other {what}" for what in OTHERS)),
    4: BY_SEVERAL,
}


def run(ranks, folder, *cases):
    """The finished job; each case has a folder of its own."""
    for case in cases:
        (folder / case).mkdir()
    return subprocess.run(
        [MPIEXEC, "-n", str(ranks), sys.executable, mpi_job.__file__, folder, *cases],
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
        capture_output=True, text=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def job(tmp_path_factory):
    """The folder of the job of so many ranks, which runs when it is first asked for."""

    @cache
    def folder_of(ranks):
        folder = tmp_path_factory.mktemp("job")
        done = run(ranks, folder, *CASES[ranks])
        assert done.returncode == 0, done.stderr
        return folder

    return folder_of


def results(folder, ranks):
    """Histories and final states, one per rank."""
    histories = [json.loads((folder / f"{r}.json").read_bytes()) for r in range(ranks)]
    return histories, [np.load(folder / f"{r}.npy") for r in range(ranks)]


def alone(case="float32"):
    """What one process makes of the whole batches."""
    net = mpi_job.network().astype("float64" if case == "float64" else "float32")
    if case == "frozen":
        net[0].freeze()
    images, labels = mpi_job.samples()
    augment = mpi_job.AUGMENT if case == "augmented" else None
    history = fit(
        net, mpi_job.loss(case), SGD(0.1, momentum=0.9), (images, labels),
        (images[:31], labels[:31]), augment=augment, **mpi_job.ARGUMENTS,
    )  # fmt: skip
    return history, mpi_job.state(net)


def test_only_rank_0_shows_the_progress(tmp_path):
    done = run(2, tmp_path, "shown")
    epochs = re.findall(r"epoch (\d)/4: loss .*, accuracy .*, validation loss .* s\n", done.stderr)
    assert epochs == ["1", "2", "3", "4"], done.stderr


@several_ranks
@pytest.mark.parametrize(
    ("case", "tolerance"),
    [
        ("float32", 1e-5),
        ("float64", 1e-12),
        ("weights", 1e-5),
        ("smoothed", 1e-5),
        ("frozen", 1e-5),
        ("augmented", 1e-5),
    ],
)
def test_the_loss_curve_is_that_of_one_process_with_the_whole_batch(
    ranks, case, tolerance, job
):
    histories, states = results(job(ranks) / case, ranks)
    wanted, state = alone(case)
    for name in ("train_loss", "validation_loss"):
        np.testing.assert_allclose(histories[0][name], wanted[name], rtol=tolerance)
    for name in ("train_accuracy", "validation_accuracy", "learning_rate"):
        np.testing.assert_allclose(histories[0][name], wanted[name], rtol=1e-12)
    np.testing.assert_allclose(states[0], state, rtol=0, atol=10 * tolerance)
    assert all(np.array_equal(states[0], other) for other in states[1:])


def test_numba_ranks_learn_what_one_numpy_process_learns(job):
    histories, states = results(job(2) / "numba", 2)
    wanted, _ = alone()
    np.testing.assert_allclose(histories[0]["train_loss"], wanted["train_loss"], rtol=1e-5)
    assert np.array_equal(*states)


def test_one_rank_is_one_process_to_the_bit(job):
    histories, states = results(job(1) / "float32", 1)
    wanted, state = alone()
    assert histories[0]["train_loss"] == pytest.approx(wanted["train_loss"], rel=1e-7)
    assert np.array_equal(states[0], state)


@pytest.mark.parametrize("shape", [(), (0, 3), (205,), (250, 3, 2)])
@pytest.mark.parametrize("kind", ["u1", ">f4", "<i8"])
def test_the_checksum_of_samples_is_that_of_all_their_bytes(shape, kind):
    array = np.random.default_rng(0).integers(0, 100, shape).astype(kind)
    assert checksum(array) == crc32(array.tobytes())
    assert checksum(array.T) == crc32(array.T.tobytes())


@several_ranks
def test_ranks_stay_bit_identical_with_batch_normalisation_and_dropout(ranks, job):
    histories, states = results(job(ranks) / "norm", ranks)
    assert all(np.array_equal(states[0], other) for other in states[1:])
    for name in ("train_loss", "validation_loss", "train_accuracy", "validation_accuracy"):
        assert all(history[name] == histories[0][name] for history in histories)


@several_ranks
def test_a_job_that_goes_on_from_rank_0s_checkpoint_ends_with_the_same_bits(ranks, job, tmp_path):
    histories, (wanted, *_) = results(job(ranks) / "norm", ranks)
    copy(job(ranks) / "job.npz", tmp_path)
    done = run(ranks, tmp_path, "resumed")
    assert done.returncode == 0, done.stderr
    found, states = results(tmp_path / "resumed", ranks)
    assert all(np.array_equal(state, wanted) for state in states)
    assert found[0]["train_loss"] == histories[0]["train_loss"]


def test_another_number_of_ranks_does_not_go_on_from_a_checkpoint(job, tmp_path):
    copy(job(2) / "job.npz", tmp_path)
    done = run(4, tmp_path, "resumed")
    assert done.returncode != 0
    assert "is of another training: it has ranks=2, this call has ranks=4" in done.stderr
    with pytest.raises(ValueError, match="it has ranks=2, this call has no ranks"):
        fit(mpi_job.network(*mpi_job.NORM), mpi_job.loss(""), SGD(0.1, momentum=0.9),
            mpi_job.samples(), checkpoint=job(2) / "job.npz", **mpi_job.ARGUMENTS)  # fmt: skip


@several_ranks
def test_running_statistics_average_the_shares_of_a_batch_by_their_size(ranks, job):
    _, states = results(job(ranks) / "one step", ranks)
    net, (images, labels) = mpi_job.network(*mpi_job.NORM), mpi_job.samples()
    fit(net, mpi_job.loss(""), SGD(0.1), (images, labels), batch_size=53, progress=False)
    mean = mpi_job.state(net)[48:52]  # after convolution (36 + 4), gamma and beta
    np.testing.assert_array_equal(mean, net[3].running_mean.value)
    np.testing.assert_allclose(states[0][48:52], mean, rtol=1e-5)


@pytest.mark.parametrize(
    ("case", "message"),
    [
        ("raises", "rank 1 of 4 on .* ends the job(.|\n)*no room on the disk"),
        ("exits", "rank 1 of 4 on .* ends the job"),
        ("exits after two", "rank 1 of 4 on .* ends the job"),
        ("changed", "after epoch 4 the parameters of rank 3 are not those of rank 0"),
        ("drifts", "after epoch 1 the parameters of rank 1 are not those of rank 0"),
        ("seeds", "rank 1 was given seed=1, rank 0 seed=0"),
        ("nan", "the loss is nan in epoch 1, step"),
        ("batch", "batch_size 3 gives some of the 4 ranks no sample"),
    ],
)
def test_an_error_on_a_rank_ends_the_job_and_says_why(case, message, tmp_path):
    done = run(4, tmp_path, case)
    assert done.returncode != 0
    assert re.search(message, done.stderr), done.stderr
    assert not list((tmp_path / case).iterdir())


@pytest.mark.parametrize("what", OTHERS)
def test_every_rank_is_told_what_one_was_given_that_the_others_were_not(what, job):
    told = [(job(2) / f"other {what}" / f"{rank}.txt").read_text("utf-8") for rank in range(2)]
    assert told[0] == told[1]
    named = {
        "network": "layer 3: Dropout()",
        "frozen": f"layer 0: {mpi_job.network()[0]}, frozen: weight, bias, rank 0 layer 0: ",
        "dtype": "parameters of float64",
        "classes": "train with inputs",
    }
    assert "rank 1 was given " + named.get(what, what) in told[0]


@pytest.mark.parametrize("ranks", [1, 2])
def test_a_batch_in_which_no_sample_counts_moves_the_running_statistics(ranks, job):
    net, arguments = mpi_job.without_weight()
    fit(net, *arguments, epochs=2, batch_size=4, seed=1, progress=False)
    assert np.abs(net[0].running_mean.value).min() > 1e-3
    states = [np.load(job(ranks) / "weightless" / f"{rank}.npy") for rank in range(ranks)]
    assert all(np.array_equal(states[0], other) for other in states[1:])
    if ranks == 1:
        assert np.array_equal(states[0], mpi_job.state(net))
    else:  # each rank's variance is that of its own share
        np.testing.assert_allclose(states[0][8:12], net[0].running_mean.value, rtol=1e-5)


def test_each_rank_has_a_sample_to_judge():
    comm = SimpleNamespace(rank=0, size=3, allgather=lambda thing: [thing] * 3)
    images, labels = mpi_job.samples()
    Ranks(comm).agree([], {"train": None, "validation": (images[:3], labels[:3])})
    with pytest.raises(ValueError, match="^validation: 2 samples for 3 ranks$"):
        Ranks(comm).agree([], {"train": None, "validation": (images[:2], labels[:2])})


def test_each_rank_draws_masks_of_its_own_and_rank_0_those_of_a_single_process():
    single, drawn = Sequential(Dropout(), Dropout()), []
    single.reseed(7)
    for rank in range(3):
        network = Sequential(Dropout(), Dropout())
        comm = SimpleNamespace(rank=rank, size=3, bcast=lambda thing: thing)
        Ranks(comm).start(network, 7)
        drawn += [layer.mask_seed for layer in network]
    assert drawn[:2] == [layer.mask_seed for layer in single]
    assert len({*drawn}) == 6


def test_rank_0_decides_when_all_stop(job):
    histories, states = results(job(2) / "hook", 2)
    assert [len(history["train_loss"]) for history in histories] == [2, 2]
    assert np.array_equal(*states)


def test_a_rank_that_is_killed_ends_the_job_which_says_so(tmp_path):
    done = run(4, tmp_path, "killed")
    assert done.returncode != 0
    processes = re.findall(r"rank \d: process (\d+) on", done.stderr)
    named = re.search(r"PID (\d+) RUNNING", done.stdout + done.stderr)[1]
    assert named in processes
    assert "Killed (signal 9)" in done.stdout + done.stderr
    assert not list((tmp_path / "killed").iterdir())
