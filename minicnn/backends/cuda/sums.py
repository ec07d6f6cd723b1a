"""Sums over many numbers, in an order that is always the same: no atomic additions.

A block's threads each add a stride of the numbers; then the threads' sums are added in pairs in
shared memory, half as many each time, until one is left. Several blocks leave a number each, and
those are added one after the other.
"""

from .device import THREADS, cuda, device, kernel, launch

PIECE = 64 * THREADS  # numbers that one block adds up, where a sum has several blocks


@device
def block_sum(value, shared):
    """The sum of `value` over a block's threads, for every thread. shared (THREADS,).

    All threads of the block must get here together.
    """
    return column_sum(value, shared, 1)


@device
def column_sum(value, shared, width):
    """The same with the threads in rows of `width`, a power of two: a sum for each column."""
    t, half = cuda.threadIdx.x, THREADS // 2
    cuda.syncthreads()  # whoever still reads the last sum
    shared[t] = value
    cuda.syncthreads()
    while half >= width:
        if t < half:
            shared[t] += shared[t + half]
        cuda.syncthreads()
        half //= 2
    return shared[t % width]


def width_for(count):
    """The width of those rows, where each column has so many numbers: eight or more a thread."""
    width = THREADS
    while width > 4 and count * width >= 16 * THREADS:
        width //= 2
    return width


@device
def piece_of_channel(count, pieces):
    """Where the block's piece of its channel begins and ends."""
    c, piece = cuda.blockIdx.x // pieces, cuda.blockIdx.x % pieces
    return c * count + piece * PIECE, c * count + min(count, (piece + 1) * PIECE)


def sum_of(x, size, factor, buffers, name):
    """factor · Σ x[:size] as a Scalar: an array of one number on the device."""
    pieces = -(-size // PIECE)
    partial = buffers.empty(f"partial {name}", pieces, x.dtype)
    launch(sum_pieces, pieces, x, size, partial)
    result = buffers.empty(name, 1, x.dtype)
    launch(add_pieces, 1, partial, pieces, x.dtype.type(factor), result, threads=1)
    return result


@kernel("F n F")
def sum_pieces(x, size, partial):
    """partial[piece] = Σ of PIECE numbers, a block each."""
    shared = cuda.shared.array(THREADS, x.dtype)
    piece = cuda.blockIdx.x
    total = x.dtype.type(0)
    for k in range(piece * PIECE + cuda.threadIdx.x, min(size, (piece + 1) * PIECE), THREADS):
        total += x[k]
    total = block_sum(total, shared)
    if cuda.threadIdx.x == 0:
        partial[piece] = total


@kernel("F n r F")
def add_pieces(partial, pieces, factor, result):
    """result = factor · Σ partial, in order, by one thread."""
    total = partial.dtype.type(0)
    for piece in range(pieces):
        total += partial[piece]
    result[0] = factor * total
