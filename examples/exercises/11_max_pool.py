"""11 Max pooling: the winner takes it all.

A window's largest number takes the place of what it sees. Move that pixel a little and y moves as
much; move another and nothing happens. So the whole of dy goes to the winner, and where windows
overlap, one pixel may win several and collects from all. Of equal pixels the first in reading
order wins.

Read: docs/backprop/pooling.md, The formula and its derivation
"""

import numpy as np

# Predict: after a ReLU all four pixels of a window are 0, and its dy is 1. Their dx add up to
#   "a" 1        "b" 4        "c" 0
PREDICTION = ...


def max_pool(x, dy, size, stride):
    """y[n,c,i,j] = max over u, v of x[n, c, i·s+u, j·s+v], and dx: dy[n,c,i,j] added to the winner.

    x (N, C, H, W), windows of size × size, stride s, dy (N, C, OH, OW)
    → y, of the shape of dy, and dx (N, C, H, W), float64.
    """
    ...  # about 8 lines
