"""Random bits from a counter: Philox4x32-10 (Salmon et al., "Parallel random numbers: as easy as
1, 2, 3", 2011).

A counter-based generator is a function, not a sequence: four 32-bit words are a scrambled copy of
(counter, key). Any thread, lane or device can so draw any element's number by itself, and all
backends draw the same dropout mask.

    word[e] for element e of sample n = philox4x32(counter = (e // 4, n, step, 0), key)[e % 4]
"""

import numpy as np

# Multipliers and Weyl constants of the paper, table 2.
MULTIPLIER_0, MULTIPLIER_1 = 0xD2511F53, 0xCD9E8D57
WEYL_0, WEYL_1 = 0x9E3779B9, 0xBB67AE85
ROUNDS = 10
LOW = 0xFFFFFFFF


def keep_threshold(p: float) -> int:
    """A word ≥ this keeps its element: of 2³² words a share of 1 − p does."""
    return round(p * 2**32)


def philox4x32(counter, key: tuple[int, int]):
    """Ten rounds over four 32-bit words that are held in uint64 arrays, so products are exact."""
    c0, c1, c2, c3 = (np.asarray(c, dtype=np.uint64) for c in counter)
    k0, k1 = key
    low, shift = np.uint64(LOW), np.uint64(32)
    for _ in range(ROUNDS):
        product_0 = np.uint64(MULTIPLIER_0) * c0
        product_1 = np.uint64(MULTIPLIER_1) * c2
        c0, c1, c2, c3 = (
            (product_1 >> shift) ^ c1 ^ np.uint64(k0),
            product_1 & low,
            (product_0 >> shift) ^ c3 ^ np.uint64(k1),
            product_0 & low,
        )
        k0, k1 = (k0 + WEYL_0) & LOW, (k1 + WEYL_1) & LOW
    return c0, c1, c2, c3


def words(seed: tuple[int, int], step: int, samples: int, elements: int) -> np.ndarray:
    """The words of every element: uint64 (samples, elements), each below 2³²."""
    quads = np.arange((elements + 3) // 4)
    sample = np.arange(samples)[:, None]
    four = philox4x32((quads[None, :], sample, np.uint64(step), np.uint64(0)), seed)
    return np.stack(four, axis=-1).reshape(samples, -1)[:, :elements]
