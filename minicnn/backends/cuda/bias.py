"""One number per channel, added everywhere; its gradient is the sum over everywhere.

The kernels see a batch as (C, S): a channel's S numbers, all its positions of all images, lie
together.
"""

from .arrays import empty
from .device import THREADS, cuda, for_each, kernel, launch
from .sums import PIECE, block_sum, piece_of_channel


def bias_forward(x, b, buffers):
    y = empty(buffers, "biased", x.shape[1:], x)
    for_each(add_bias, x.size, x.flat, b.flat, x.size // x.shape[1], x.size, y.flat)
    return y


@kernel("F F n n F")
def add_bias(x, b, per_channel, size, y):
    """y[c] = x[c] + b[c], an element a thread."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        y[k] = x[k] + b[k // per_channel]


def bias_gradient(dy, db, buffers):
    channels = dy.shape[1]
    per_channel = dy.size // channels
    pieces = -(-per_channel // PIECE)
    partial = buffers.empty("partial db", channels * pieces, dy.dtype)
    launch(sum_channels, channels * pieces, dy.flat, per_channel, pieces, partial)
    for_each(add_channels, channels, partial, pieces, channels, db.flat)


@kernel("F n n F")
def sum_channels(dy, per_channel, pieces, partial):
    """partial[c, piece] = Σ of PIECE of the channel's numbers, a block each."""
    shared = cuda.shared.array(THREADS, dy.dtype)
    first, last = piece_of_channel(per_channel, pieces)
    total = dy.dtype.type(0)
    for k in range(first + cuda.threadIdx.x, last, THREADS):
        total += dy[k]
    total = block_sum(total, shared)
    if cuda.threadIdx.x == 0:
        partial[cuda.blockIdx.x] = total


@kernel("F n n F")
def add_channels(partial, pieces, channels, db):
    """db[c] = Σ over the channel's pieces, in order; a channel a thread."""
    for c in range(cuda.grid(1), channels, cuda.gridsize(1)):
        total = partial[c * pieces]
        for piece in range(1, pieces):
            total += partial[c * pieces + piece]
        db[c] = total
