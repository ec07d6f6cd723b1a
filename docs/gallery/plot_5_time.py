"""
Where a step's time goes
========================

Every part of a training step on one thread, with the least time that the machine's registers and
its memory would need marked on each bar. First the reference:
"""

import numpy as np
from threadpoolctl import threadpool_limits

import minicnn as nn
from minicnn.timing import profile

network = nn.Sequential(
    nn.Conv2D(1, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2D(2),
    nn.Conv2D(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2D(2),
    nn.Flatten(), nn.Dense(16 * 7 * 7, 10), seed=0,
)  # fmt: skip
images = np.random.default_rng(0).random((64, 1, 28, 28), np.float32)
labels = np.arange(64) % 10
loss, optimizer = nn.SoftmaxCrossEntropy(), nn.SGD(0.01)
with threadpool_limits(1, user_api="blas"):
    found = profile(network, loss, optimizer, images, labels)
print(found)
figure = found.plot()

# %%
# Then the same network with compiled kernels, whose vector lanes are images:

nn.set_threads(1)
found = profile(network.to("numba"), loss, optimizer, images, labels)
print(found)
figure = found.plot()

# %%
# The times are of the machine that built this page, whatever else it did at that moment;
# the results that the studies discuss were measured with more care.
