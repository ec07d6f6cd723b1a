"""
How small a step?
=================

A gradient check compares what ``backward`` says with a difference quotient,

    (f(x + h) − f(x − h)) / 2h.

How far are the two apart, if ``backward`` is right? A large h sees the curve of f, an error of
about h². A small h sees rounding: f is known to about 16 digits in float64, 7 in float32, and what
is lost is divided by h.
"""

import numpy as np
from matplotlib.figure import Figure

import minicnn as nn

steps = np.logspace(-12, 0, 49)
figure = Figure(figsize=(7, 4), layout="constrained")
axes = figure.add_subplot()
for dtype, marker in ((np.float32, "s"), (np.float64, "o")):
    layer, x = nn.Tanh(), np.full((1, 1), 0.3, dtype)
    layer.forward(x, training=True)
    backward = float(layer.backward(np.ones((1, 1), dtype))[0, 0])

    def f(h, layer=layer, x=x, dtype=dtype):
        return float(layer.forward(x + dtype(h))[0, 0])

    errors = [abs((f(h) - f(-h)) / (2 * h) - backward) / backward for h in steps]
    axes.loglog(steps, np.maximum(errors, 1e-13), marker + "-", color="black", markersize=4,
                fillstyle="none", label=dtype.__name__)  # fmt: skip
axes.loglog(steps, steps**2, ":", color="0.5", label="h²")
axes.axvline(1e-6, color="0.7", linewidth=0.8)
axes.set(xlabel="step h", ylabel="relative difference", ylim=(1e-13, 10))
axes.legend()

# %%
# In float64 there is a wide valley, and ``minicnn.gradcheck`` takes h = 10⁻⁶ (grey), on its left
# side, where f's curve no longer counts. In float32 no h is good for more than a few digits, too
# few to tell a wrong gradient from a rounded one: check in float64, train in float32.
