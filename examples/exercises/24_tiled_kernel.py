"""24 A tiled kernel: a block shares what it reads, and waits twice.

The threads of a block have a small fast memory in common. Together they fetch a panel of w and one
of x, a number each, wait for each other, and take products out of the panels. Then they wait once
more, before anybody overwrites what a slower thread still reads. Leave that out and most runs are
right.

Read: docs/cuda-kernels.md, 2. Tiled: a block shares what it reads
"""

from numba import cuda, float64

SIDE = 4  # of a panel, and of a block of threads

# Predict: panels of 16 × 16 instead of none. How many numbers of global memory takes a product now?
#   "a" 1/8        "b" 2, as before        "c" 1/256
PREDICTION = ...


@cuda.jit
def product(w, x, y):
    """y[f,m] = Σ_k w[f,k] · x[k,m], k in steps of SIDE.

    For each step, every thread of a block fetches one number of w and one of x into panels that the
    block shares, cuda.shared.array((SIDE, SIDE), float64), and takes SIDE products out of them.

    w (F, K), x (K, M), y (F, M), all float64; F, K and M are multiples of SIDE. A block has SIDE
    threads along x (which is m) and SIDE along y (f). A thread may read 2K / SIDE numbers.
    """
    ...  # about 13 lines
