"""Programs that tests run in a process of their own, with another environment."""

import subprocess
import sys
import textwrap

TRAINING = '''
import hashlib
import numpy as np
import minicnn as m


def network(seed=0):
    return m.Sequential(
        m.Conv2D(1, 6, 3, padding=1), m.BatchNorm(6), m.ReLU(), m.MaxPool2D(2),
        m.Conv2D(6, 9, (3, 2), stride=(1, 2), padding=1), m.Tanh(), m.AvgPool2D(2, ceil_mode=True),
        m.Flatten(), m.Dropout(0.3), m.Dense(54, 20), m.Sigmoid(), m.Dense(20, 3), seed=seed,
    )


def small_network(seed=0):
    """With fewer kernels to compile."""
    return m.Sequential(
        m.Conv2D(1, 6, 3, padding=1), m.ReLU(), m.MaxPool2D(2), m.Flatten(), m.Dense(120, 3),
        seed=seed,
    )


def train(backend="numba", epochs=10, seed=0, optimizer=None, network=network):
    rng = np.random.default_rng(seed)
    x, y = rng.random((70, 1, 10, 9), dtype=np.float32), rng.integers(0, 3, 70)
    net = network(seed).to(backend)
    m.fit(net, m.SoftmaxCrossEntropy(), optimizer or m.Adam(), (x, y), epochs=epochs, batch_size=16,
          seed=seed, progress=False)
    return net


def digest(net):
    return hashlib.sha256(b"".join(p.value.tobytes() for p in net.state().values())).hexdigest()
'''


def run(program, **environment):
    """Run TRAINING and then the program; returns the finished process, output as text."""
    import os

    return subprocess.run(
        [sys.executable, "-c", TRAINING + textwrap.dedent(program)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
    )
