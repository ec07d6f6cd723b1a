"""22 A loop order that keeps sums in registers.

The same products in another order can be ten times as fast. `y[f, n] += …` in the innermost loop
reads and writes memory for every product. A sum in a plain variable stays in a register, and is
written once. And if four such sums, of four filters, grow at the same time, a number of x that was
read serves all four. That is rung 7 of the ladder, without its vectors.

Read: docs/ladder.md, 7. A tile of registers
"""

from numba import njit

# Predict: 4 sums at a time instead of 1. How often is a number of x read, compared to before?
#   "a" as often        "b" half as often        "c" a quarter as often
PREDICTION = ...


@njit
def product(w, x, y):
    """y[f,n] = Σ_k w[f,k] · x[k,n], four rows of y at a time.

    w (F, K) with F a multiple of 4, x (K, N), y (F, N) uninitialised: write the result into it,
    each number once, and never read it. Each number of x may be read F / 4 times. Indices only, no
    slices.
    """
    ...  # about 12 lines
