"""A batch as vector lanes: the images of a block lie side by side, the batch axis moves fastest.

Every image goes through the same arithmetic, so one vector instruction does it for as many images
as a register holds:

    x[n, c, i, j]   is   data[n // B, c, i, j, n % B]          data (blocks, C, H, W, B)

Blocks go to threads. A channel's pixels of one block are contiguous, a pixel's B images are whole
registers, and nothing about an image (its size, a stride, a padding) ever breaks a vector.
"""

from math import prod

import numpy as np
from numba import prange

from .runtime import LANES, kernel
from .simd import length, packed, store


class Lanes:
    """A batch: data (blocks, *sample shape, B), of which the first `count` lanes are images.

    The lanes after them, in the last block, hold anything. What sums over images calls
    `clear_padding` on its operands first; cleared: they are 0 already.
    """

    __slots__ = ("cleared", "count", "data")

    def __init__(self, data: np.ndarray, count: int, cleared: bool = False) -> None:
        self.data, self.count, self.cleared = data, count, cleared

    @property
    def stored(self) -> np.ndarray:
        """What lies in memory: of a batch that is known by less than its data (`unpooled.py`)."""
        return self.data

    @property
    def shape(self) -> tuple[int, ...]:
        return (self.count, *self.data.shape[1:-1])

    @property
    def dtype(self) -> np.dtype:
        return self.data.dtype

    def __len__(self) -> int:
        return self.count


def block_shape(count: int, sample_shape: tuple[int, ...]) -> tuple[int, ...]:
    """Shape of the data of `count` images. B is LANES: one register of float32, two of float64."""
    return (-(-count // LANES), *sample_shape, LANES)


def empty(buffers, name, sample_shape, like, dtype=None, zero_from_zero=False) -> Lanes:
    """A batch in a layer's buffers, uninitialised, with as many images as `like`.

    zero_from_zero: where an image of `like` is 0, what will be computed from it is 0 as well; so
    the padding of one is as cleared as that of the other.
    """
    data = like.data
    shape = (len(data), *sample_shape, LANES)
    cleared = zero_from_zero and like.cleared
    return Lanes(buffers.empty(name, shape, dtype or data.dtype), like.count, cleared)


def clear_padding(x: Lanes) -> None:
    """Set the lanes that are no image to zero, so that a sum over lanes is a sum over images."""
    used = x.count % LANES
    if used and not x.cleared:
        clear_lanes(x.stored[-1].reshape(-1, LANES), used)
        x.cleared = True


@kernel
def clear_lanes(x, first):
    """x (numbers of a sample, B): x[:, first:] = 0."""
    for row in prange(len(x)):
        for lane in range(LANES):  # all of them, as one register
            x[row, lane] = x[row, lane] if lane < first else 0


CHUNK = 64  # numbers of a sample that one iteration of a parallel loop moves


def pack(images: np.ndarray, indices: np.ndarray, scale: float, data: np.ndarray) -> None:
    """data[g, k, lane] = images[indices[g·B + lane], k] · scale; lanes without an image get 0."""
    blocks, lanes = data.shape[0], data.shape[-1]
    flat = images.reshape(len(images), -1)
    pack_lanes(flat, indices, data.dtype.type(scale), data.reshape(blocks, -1, lanes))


@kernel
def pack_lanes(images, indices, scale, data):
    blocks, size, lanes = data.shape
    chunks = (size + CHUNK - 1) // CHUNK
    for item in prange(blocks * chunks):
        g, first = item // chunks, item % chunks * CHUNK
        end, L = min(first + CHUNK, size), length(data)
        whole = first  # up to here, squares of L numbers × L images are turned in registers
        if (g + 1) * lanes <= len(indices):
            whole = end - (end - first) % L
            for q in range(0, lanes, L):
                for k in range(first, whole, L):
                    tile = packed(images, indices, g * lanes + q, k, scale, data)
                    store(tile, data, (g * size + k) * lanes + q, lanes, 0, L)
        for lane in range(lanes):
            n = g * lanes + lane
            for k in range(whole, end):
                if n < len(indices):
                    data[g, k, lane] = data.dtype.type(images[indices[n], k]) * scale
                else:
                    data[g, k, lane] = 0


def unpack(x: Lanes) -> np.ndarray:
    """The batch as a new array (N, *sample shape)."""
    blocks, lanes = x.data.shape[0], x.data.shape[-1]
    images = np.empty(x.shape, x.dtype)
    unpack_lanes(x.data.reshape(blocks, -1, lanes), images.reshape(x.count, -1))
    return images


@kernel
def unpack_lanes(data, images):
    lanes = data.shape[2]
    for n in prange(len(images)):
        for k in range(images.shape[1]):
            images[n, k] = data[n // lanes, k, n % lanes]


# ── a batch's data with fewer axes, for kernels that need no more; none is copied ──────────────


def by_channel(x: Lanes) -> np.ndarray:
    """(blocks, C, H·W·B)."""
    blocks, channels, *positions = x.data.shape
    return x.data.reshape(blocks, channels, prod(positions))


def rows(x: Lanes) -> np.ndarray:
    """(blocks·C, H·W·B): a row is a channel of a block."""
    blocks, channels, *positions = x.data.shape
    return x.data.reshape(blocks * channels, prod(positions))


def elements(x: Lanes) -> np.ndarray:
    """(blocks, elements of an image, B)."""
    return x.data.reshape(len(x.data), -1, x.data.shape[-1])
