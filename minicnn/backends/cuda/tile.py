"""One tile for every matrix product: c[m, n] = bias[m] + Σ_k a(m, k) · b(k, n).

A block of threads computes a piece of c. It goes along k in steps of DEPTH: all threads together
put two panels into shared memory (`panels.py`), ask global memory for the numbers of the next two,
and wait for each other; while those numbers are on their way, the products of the panels are added
to the threads' pieces of c, which stay in their registers (`tensor_cores.py`, `multiply_adds.py`).

Every number that is read from global memory is used for a whole row or column of the block. With
64 × 128 numbers of c that is 64 · 128 · DEPTH multiply-adds for (64 + 128) · DEPTH numbers: an
intensity of 43 multiply-adds a number, 21 operations a byte in float32.

What a and b are is the operation's affair: it gives a `Source` for each. With groups there are as
many products of the same sizes side by side, each with its own blocks.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from . import multiply_adds, tensor_cores
from .device import SIMULATED, THREADS, cuda, device, index, kernel, launch, quotient, remainder
from .panels import BYTES, DEPTH, PAD, Tile, at_a, at_b, further, thread_at
from .sums import column_sum, width_for

# By rows; the last for a c of few columns. (The threads must be a multiple of DEPTH and of the
# columns, and divide DEPTH · rows and DEPTH · columns.)
TILES = (
    Tile(8, 16, 2, 8, 4), Tile(8, 16, 4, 8, 3), Tile(8, 16, 6, 8, 2), Tile(8, 16, 8, 8, 2),
    Tile(8, 16, 10, 8, 2), Tile(8, 16, 4, 2, 4),
)  # fmt: skip
if SIMULATED:
    TILES = Tile(2, 8, 4, 2, 1), Tile(4, 4, 2, 2, 1)
MOST = 32 if SIMULATED else 65536  # threads that keep all of a GPU busy
MOST_TILES = 65535  # of rows: a grid's second number is no larger
FETCHED = 4  # to fetch a block's columns costs as much as to compute so many rows of them


def tile_for(rows: int, columns: int, dtype) -> Tile:
    """For a narrow c the narrow tile; else that whose blocks, side by side, have least to do."""

    def work(tile):
        return -(-rows // tile.shape[0]) * (tile.shape[0] + FETCHED)

    tile = TILES[-1] if columns <= TILES[-1].shape[1] else min(TILES[:-1], key=work)
    if dtype == np.float32 and tensor_cores.available():
        return tile._replace(tensor_cores=True)
    return tile._replace(beside=1)


class Source(NamedTuple):
    """How the threads of a block bring the numbers of a matrix to its panel; here of a(m, k).

    spot(e, t): k and m, within the panel, of the e-th number of thread t.
    find(group, m0, batch, t): what thread t must know of the rows from m0 on, for all k.
    fetch(held, a, found, k0, last, t): held[e] = the thread's e-th number from k0 on, or any where
    k ≥ last or m is no row of a. Bit e of what it returns says whether the number counts. (Whoever
    puts a 0 there at once waits for the number; the bits are looked at much later.)
    """

    find: Callable
    fetch: Callable
    spot: Callable


def along_k(tile):
    """The spots where neighbouring threads have neighbouring k."""
    apart = tile.threads // DEPTH

    @device
    def spot(e, t):
        return remainder(t, DEPTH), index(quotient(t, DEPTH) + e * apart)

    return spot


def along_columns(tile):
    """The spots where neighbouring threads have neighbouring columns, and each some k in a row."""
    columns, carried = tile.shape[1], tile.carried(tile.shape[1])

    @device
    def spot(e, t):
        return index(quotient(t, columns) * carried + e), remainder(t, columns)

    return spot


@device
def bit(e, counts):
    return index(1 << e) if counts else index(0)


def put_into(at, spot, carried):
    @device
    def put(panel, held, counting, t):
        """panel[k, m] = what the thread holds, or 0 where it does not count."""
        for e in range(carried):
            k, m = spot(e, t)
            value = held[e] if counting & bit(e, True) else panel.dtype.type(0)
            panel[at(k, m)] = value

    return put


@device
def same(n):
    return n


def tiled_product(name, tile, groups, source_a, source_b, column_at=same):
    """The kernel for a product a group. c (parts, groups, M, N): part z sums k from z · chunk to
    (z + 1) · chunk, and a single part adds the bias, where there is one.

    batch: images side by side in a batch, for the operations' index arithmetic. column_at(n): the
    column of c that is column n of the product; N or more where there is none.
    """
    ROWS, COLUMNS = tile.shape
    THREAD_ROWS, THREAD_COLUMNS, R, S, *_ = tile
    SIZE_A, SIZE_B = DEPTH * (ROWS + PAD), DEPTH * (COLUMNS + PAD)
    HELD_A, HELD_B = tile.carried(ROWS), tile.carried(COLUMNS)
    find_a, fetch_a, spot_a = source_a
    find_b, fetch_b, spot_b = source_b
    put_a, put_b = put_into(at_a(ROWS), spot_a, HELD_A), put_into(at_b(COLUMNS), spot_b, HELD_B)
    way = tensor_cores if tile.tensor_cores else multiply_adds
    add_products, place = way.panel_products(tile), thread_at(tile)

    def product(a, b, bias, biased, rows, columns, depth, chunk, batch, c):
        panel_a = cuda.shared.array(SIZE_A, c.dtype, alignment=BYTES)
        panel_b = cuda.shared.array(SIZE_B, c.dtype, alignment=BYTES)
        held_a = cuda.local.array(HELD_A, c.dtype)
        held_b = cuda.local.array(HELD_B, c.dtype)
        own = cuda.local.array(S, index)
        sums = cuda.local.array((R, S), c.dtype)
        t, z = index(cuda.threadIdx.x), index(cuda.blockIdx.z)
        row, column = place(t)
        m0, n0 = index(cuda.blockIdx.y * ROWS), index(cuda.blockIdx.x * COLUMNS)
        part, group = quotient(z, groups), remainder(z, groups)
        for r in range(R):
            for s in range(S):
                sums[r, s] = 0
        found_a = find_a(group, m0, index(batch), t)
        found_b = find_b(group, n0, index(batch), t)
        first, last = index(part * chunk), index(min(depth, (part + 1) * chunk))
        counting_a = fetch_a(held_a, a, found_a, first, last, t)
        counting_b = fetch_b(held_b, b, found_b, first, last, t)
        for k in range(first, last, DEPTH):
            put_a(panel_a, held_a, counting_a, t)
            put_b(panel_b, held_b, counting_b, t)
            # In front of the last products nothing is left to ask for, so the first come again.
            ahead = index(k + DEPTH if k + DEPTH < last else first)
            counting_a = fetch_a(held_a, a, found_a, ahead, last, t)
            counting_b = fetch_b(held_b, b, found_b, ahead, last, t)
            cuda.syncthreads()
            # It works row and column out again: handed over, they take registers in the loop.
            add_products(panel_a, panel_b, t, sums)
            cuda.syncthreads()
        for s in range(S):
            own[s] = column_at(index(n0 + 2 * column + further(s, THREAD_COLUMNS)))
        for r in range(R):
            m = m0 + 2 * row + further(r, THREAD_ROWS)
            if m < rows:
                start = bias[index(group * rows + m)] if biased else c.dtype.type(0)
                for s in range(S):
                    if own[s] < columns:
                        c[index((z * rows + m) * columns + own[s])] = start + sums[r, s]

    name += f", tile {ROWS} × {COLUMNS}" + f", {groups} groups" * (groups > 1)
    name += f", {tensor_cores.NAME}" * tile.tensor_cores
    bounds = {} if SIMULATED else {"launch_bounds": (tile.threads, tile.beside)}
    return kernel("F F F n n n n n n F", name, **bounds)(product)


def multiply(product, tile, groups, a, b, bias, sizes, batch, buffers, c):
    """c (groups, M, N) by a `tiled_product`, for sizes (M, N, K) of a group and bias (groups · M)
    or None. Where c alone gives too little work for the GPU, parts of the sum over k are computed
    side by side, and added up.
    """
    rows, columns, depth = sizes
    blocks = -(-columns // tile.shape[1]), -(-rows // tile.shape[0])
    most = depth // (4 * DEPTH)
    if blocks[1] > MOST_TILES:
        raise ValueError(
            f"cuda: a product of {rows} rows, wanted at most {MOST_TILES * tile.shape[0]}: a layer "
            "has too many inputs or outputs"
        )
    parts = max(1, min(MOST // (tile.threads * blocks[0] * blocks[1] * groups), most))
    chunk = -(-depth // (parts * DEPTH)) * DEPTH
    size, biased = groups * rows * columns, int(bias is not None)
    bias = c if bias is None else bias
    whole = c if parts == 1 else buffers.empty("parts", parts * size, c.dtype)
    launch(
        product, (*blocks, parts * groups), a, b, bias, biased if parts == 1 else 0, rows, columns,
        depth, chunk, batch, whole, threads=tile.threads,
    )  # fmt: skip
    if parts > 1:
        width = width_for(parts)
        launch(add_parts, -(-size // width), whole, parts, size, width, bias, biased, columns, c)


@kernel("F n n n F n n F")
def add_parts(partial, parts, size, width, bias, biased, columns, c):
    """c = bias + Σ over the parts. A block's threads stand in rows of `width` along c; each row
    adds its share of the parts, and then the rows are added.
    """
    shared = cuda.shared.array(THREADS, c.dtype)
    t = cuda.threadIdx.x
    k = cuda.blockIdx.x * width + t % width
    total = c.dtype.type(0)
    if k < size:
        for part in range(t // width, parts, THREADS // width):
            total += partial[part * size + k]
    total = column_sum(total, shared, width)
    if t < width and k < size:
        c[k] = total + (bias[k // columns] if biased else c.dtype.type(0))
