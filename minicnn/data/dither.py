"""Greys as a pattern of black and white: Floyd and Steinberg, "An adaptive algorithm for spatial
grey scale" (1976), which is what turns grey into 1 bit in most image libraries.
"""

from __future__ import annotations

import numpy as np


def dithered(ink: np.ndarray) -> np.ndarray:
    """Black (True) and white pixels whose mean, in any small place, is that of the greys.

    ink: (N, H, W), 0 for white and 1 for black. From left to right, row after row, a pixel is black
    if it has at least 0.5; what it thereby gets too much or too little goes to the pixels to come:

        ·  ·  7
        3  5  1     sixteenths

    What goes over the image's edge is lost. Returns (N, H, W).
    """
    height, width = ink.shape[1:]
    # Images in the last axis, so that each step is one over all of them; the frame takes the loss.
    rest = np.zeros((height + 1, width + 2, len(ink)))
    rest[:height, 1:-1] = ink.transpose(1, 2, 0)
    black = np.empty((height, width, len(ink)), bool)
    for row in range(height):
        for column in range(width):
            j = column + 1
            black[row, column] = rest[row, j] >= 0.5
            error = (rest[row, j] - black[row, column]) / 16
            rest[row, j + 1] += 7 * error
            rest[row + 1, j - 1] += 3 * error
            rest[row + 1, j] += 5 * error
            rest[row + 1, j + 1] += error
    return black.transpose(2, 0, 1)
