"""Processes that die, disks that are full, Ctrl-C: a checkpoint is a whole older or newer one."""

import os

import pytest

import minicnn as m
from tests.files.test_resuming import every_backend, run

pytestmark = pytest.mark.skipif(os.name == "nt", reason="POSIX signals and limits")


def test_the_numbers_are_on_the_disk_before_they_take_the_name(tmp_path, monkeypatch):
    done = []
    for name in ("fsync", "replace"):
        monkeypatch.setattr(os, name, followed(getattr(os, name), name, done))
    m.save(tmp_path / "a.npz", m.Sequential(m.Dense(2, 2)))
    assert done == ["fsync", "replace"]


def followed(function, name, done):
    def call(*arguments):
        done.append(name)
        return function(*arguments)

    return call


# A child saves states that are 0, 1, 2, … throughout, and is killed at a random moment.
KILLED = """
import os, random, signal, sys, time
import minicnn as m
path = sys.argv[1]
network = m.Sequential(m.Dense(200, 300), m.Dense(300, 200))
optimizer = m.SGD(0.1)

def save(k):
    for p in network.state().values():
        p.value = p.value * 0 + k
    optimizer.steps = k
    m.save(path, network, optimizer)

def saved():
    network, optimizer, _ = m.load(path)
    values = {v for p in network.state().values() for v in (p.value.min(), p.value.max())}
    assert values == {optimizer.steps}, (values, optimizer.steps)
    return optimizer.steps

save(0)
start = time.perf_counter()
save(0)
a_while = 5 * (time.perf_counter() - start)
rng, unfinished, kills = random.Random(0), 0, 0
while kills < 100 or not (saved() and unfinished):  # some child gets far enough, and some not
    kills += 1
    before = saved()
    child = os.fork()
    if child == 0:
        k = before
        while True:
            k += 1
            save(k)
    time.sleep(rng.uniform(0, a_while))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert saved() >= before
    unfinished += sum(name.endswith(".part") for name in os.listdir(os.path.dirname(path)))
"""

FULL = """
import os, resource, sys
import minicnn as m
path = sys.argv[1]
m.save(path, m.Sequential(m.Dense(4, 4), seed=0))
with open(path, "rb") as file:
    before = file.read()
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[2]), resource.RLIM_INFINITY))
try:
    m.save(path, m.Sequential(m.Dense(400, 400)))
except OSError as error:
    print(error)
with open(path, "rb") as file:
    assert file.read() == before
m.load(path)
assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]
"""

# Ctrl-C again and again, each time at a random moment, until one attempt gets to the end.
INTERRUPTED = """
import os, random, signal, sys, threading
import minicnn as m
from tests.strategies import stripes
from tests.files.test_checkpoint import state
from tests.files.test_resuming import fresh
path, backend = sys.argv[1], sys.argv[2]

def train(**arguments):
    network, optimizer = fresh().to(backend), m.Adam()
    m.fit(network, m.SoftmaxCrossEntropy(), optimizer, stripes(400), stripes(50, 1), epochs=8,
          batch_size=16, patience=8, progress=False, **arguments)
    return state(network, optimizer)

whole = train()
rng, delay, interrupted, found = random.Random(0), 0.05, 0, None
while found is None:
    timer = threading.Timer(rng.uniform(0, delay), os.kill, (os.getpid(), signal.SIGINT))
    try:
        timer.start()
        found = train(checkpoint=path)
        timer.cancel()
        timer.join()
        if not interrupted:  # a fast machine was done before the alarm: again, with an earlier one
            os.remove(path)
            found, delay = None, delay / 2
    except KeyboardInterrupt:
        timer.join()
        interrupted += 1
        delay += 0.05
        if os.path.exists(path):
            m.load(path)
assert found == whole
print(interrupted)
"""


def test_a_process_that_is_killed_while_saving_leaves_a_whole_file(tmp_path):
    run(KILLED, tmp_path / "model.npz")


@pytest.mark.parametrize("limit", [0, 1000, 100_000])
def test_a_full_disk_leaves_the_old_file_and_says_so(tmp_path, limit):
    message = run(FULL, tmp_path / "model.npz", limit)
    assert "not saved, an older file is intact" in message
    assert str(tmp_path / "model.npz") in message


@every_backend
def test_a_training_that_is_interrupted_again_and_again_ends_with_the_same_bits(
    tmp_path, backend
):
    assert int(run(INTERRUPTED, tmp_path / "model.npz", backend)) > 0
