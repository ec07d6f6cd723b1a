"""What every rank of test_distributed.py runs: `mpiexec -n R python mpi_job.py FOLDER CASE …`."""

import os
import signal
import sys
from pathlib import Path
from threading import Thread
from time import sleep

import numpy as np

from minicnn import (  # fmt: skip
    SGD,
    BatchNorm,
    Conv2D,
    Dense,
    Dropout,
    Flatten,
    MaxPool2D,
    ReLU,
    Residual,
    Sequential,
    SoftmaxCrossEntropy,
    distributed,
    set_threads,
)
from minicnn.data import Compose, CutOut, Dataset, RandomCrop, RandomFlip


def samples():
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (53, 1, 8, 8)).astype(np.uint8), rng.integers(0, 3, 53)


def network(*between, seed=0):
    return Sequential(
        Conv2D(1, 4, 3, padding=1), ReLU(), MaxPool2D(2), *between,
        Residual(Conv2D(4, 4, 3, padding=1)), Flatten(), Dense(64, 3), seed=seed,
    )  # fmt: skip


def loss(case):
    if case == "smoothed":  # some shares have no sample that counts
        return SoftmaxCrossEntropy(label_smoothing=0.2, class_weights=[1, 0, 0])
    return SoftmaxCrossEntropy(class_weights=[1, 2, 5] if case == "weights" else None)


NORM, WITH_NORM = (BatchNorm(4), Dropout(0.2)), ("norm", "one step", "stopped", "resumed")

# 53 samples: the last of the batches of 17 has 2, fewer than four ranks can share.
AUGMENT = Compose([RandomFlip(), RandomCrop(1), CutOut(3)])
ARGUMENTS = {"epochs": 4, "batch_size": 17, "seed": 3, "progress": False}


class Drifting(SGD):
    """Rank 1's machine computes something else."""

    def update(self, ops, values, grads, slots, lr, step):
        super().update(ops, values, grads, slots, lr * (1 + 1e-3 * (RANK == 1)), step)


def state(net):
    return np.concatenate(
        [p.value.ravel() for p in net.state().values() if p.dtype.kind == "f"]
    )


def main(comm, case, folder):
    net = network(*(NORM if case in WITH_NORM else []), seed=comm.rank)
    net = net.astype("float64" if case == "float64" else "float32")
    arguments = dict(ARGUMENTS)
    images, labels = samples()
    if case == "numba":
        set_threads(1)
        net.to("numba")
    if case in ("stopped", "resumed"):
        # Ranks that don't write need no folder that they could write to.
        place = folder.parent if comm.rank == 0 else Path("/nowhere")
        arguments["checkpoint"] = place / "job.npz"
    if case == "stopped":
        arguments["epochs"] = 2
    if case == "shown":
        arguments["progress"] = True
    if case == "seeds":
        arguments["seed"] = comm.rank
    if case == "nan":
        images = images.astype("float32")
        images[20] = np.nan
    if case == "one step":
        arguments |= {"epochs": 1, "batch_size": 53}
    if case == "batch":
        arguments["batch_size"] = comm.size - 1
    if case == "raises" and comm.rank == 1:
        raise RuntimeError("no room on the disk")
    if case == "exits" and comm.rank == 1:
        sys.exit(3)
    if case == "killed" and comm.rank == 1:
        os.kill(os.getpid(), 9)
    if case == "changed":
        arguments["after_epoch"] = lambda epoch, *_: changed(net, comm.rank == epoch == 3)
    if case == "exits after two" and comm.rank == 1:
        Thread(target=interrupt_twice).start()
        sleep(9)
    if case == "hook":
        arguments["after_epoch"] = lambda epoch, *_: comm.rank == 0 and epoch == 1
    if case == "frozen":
        net[0].freeze()
    if case == "augmented":
        np.save(folder / f"images-{comm.rank}.npy", images)
        images = np.load(folder / f"images-{comm.rank}.npy", mmap_mode="r")
        arguments["augment"] = AUGMENT
    if case == "weightless":
        return weightless(comm, folder)
    other = case.removeprefix("other ")
    if other != case:
        return refused(comm, folder, other)
    optimizer = (Drifting if case == "drifts" else SGD)(0.1, momentum=0.9)
    history = distributed.fit(
        comm, net, loss(case), optimizer, (images, labels), (images[:31], labels[:31]), **arguments
    )
    np.save(folder / f"{comm.rank}.npy", state(net))
    history.save(folder / f"{comm.rank}.json")


def weightless(comm, folder):
    """A batch in which no sample counts still moves BatchNorm's statistics."""
    net, arguments = without_weight()
    distributed.fit(comm, net, *arguments, epochs=2, batch_size=4, seed=1, progress=False)
    np.save(folder / f"{comm.rank}.npy", state(net))


def without_weight():
    """A network and what it learns from: half of its batches have class weight 0 throughout."""
    x = np.random.default_rng(0).standard_normal((8, 4)).astype("f")
    net = Sequential(BatchNorm(4), Dense(4, 2), seed=0)
    loss = SoftmaxCrossEntropy(class_weights=[1, 0])
    return net, (loss, SGD(0.1), (x, np.array([0] + [1] * 7)))


def changed(net, really):
    if really:
        net[0].bias.value = np.ones(4)


def interrupt_twice():
    for _ in range(2):
        os.kill(os.getpid(), signal.SIGINT)
        sleep(0.2)


def refused(comm, folder, what):
    """What each rank is told when rank 1 is asked for another training."""
    net, (images, labels), validation, arguments = network(), samples(), None, dict(ARGUMENTS)
    a_loss, optimizer, names = SoftmaxCrossEntropy(), SGD(0.1), ("a", "b", "c")
    if comm.rank == 1:
        if what == "loss":
            a_loss = SoftmaxCrossEntropy(label_smoothing=0.1)
        if what == "network":
            net = network(Dropout(0.5))
        if what == "frozen":
            net[0].freeze()
        if what == "dtype":
            net.astype("float64")
        if what == "optimizer":
            optimizer = SGD(0.2)
        if what == "validation":
            validation = images[:31], labels[:31]
        if what == "seed":
            arguments["seed"] += 1
        if what == "epochs":
            arguments["epochs"] += 1
        if what == "train":
            labels = labels[::-1]
        if what == "classes":
            names = names[::-1]
    try:
        train = Dataset(images, labels, names)
        distributed.fit(comm, net, a_loss, optimizer, train, validation, **arguments)
    except ValueError as error:
        (folder / f"{comm.rank}.txt").write_text(str(error), "utf-8")


if __name__ == "__main__":
    with distributed.job() as comm:
        RANK = comm.rank
        for case in sys.argv[2:]:
            main(comm, case, Path(sys.argv[1], case))
