"""23 A kernel: a thread for each output.

On a GPU one writes what a single thread does, and says how many there shall be. Each finds out
which one it is, and makes one output. Threads come in whole blocks, so there are a few more than
outputs, and those must do nothing. (Here it runs in Numba's simulator; no GPU is needed.)

Read: docs/cuda-kernels.md, 1. Naive: a thread for each output
"""

from numba import cuda

# Predict: y is 64 × 100, blocks of threads are 16 × 16. How many blocks does it take?
#   "a" 25        "b" 28        "c" 400
PREDICTION = ...


@cuda.jit
def product(w, x, y):
    """y[f,m] = Σ_k w[f,k] · x[k,m], each number of y by one thread: m, f = cuda.grid(2).

    w (F, K), x (K, M), y (F, M), all float64; m counts the threads along x, f those along y. A
    thread may read 2K numbers, and writes one. Indices only, no slices.
    """
    ...  # about 6 lines
