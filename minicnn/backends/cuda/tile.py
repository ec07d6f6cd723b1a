"""One tile for every matrix product: c[m, n] = bias[m] + Σ_k a(m, k) · b(k, n).

A block of threads computes a piece of c. It goes along k in steps of DEPTH: all threads together
put two panels into shared memory, ask global memory for the numbers of the next two, and wait for
each other; while those numbers are on their way each thread adds the products of its own piece of
c, which stays in its registers:

    panel_a (DEPTH, rows of the block)   panel_b (DEPTH, columns of the block)
    thread (row, column) holds c at four rows and four columns side by side, and at as many again
    further on: rows 4 · row + 0..3, then 4 · (row + THREAD_ROWS) + 0..3, and columns alike

Every number that is read from global memory is used for a whole row or column of the block, and
every number that is read from shared memory for a row or column of the thread's piece; four that
lie side by side are one instruction. With 64 × 128 numbers of c that is 64 · 128 · DEPTH
multiply-adds for (64 + 128) · DEPTH numbers: an intensity of 43 multiply-adds a number, 21
operations a byte in float32, and 16 multiply-adds a shared load.

What a and b are is the operation's affair: it gives a `Source` for each. With groups there are as
many products of the same sizes side by side, each with its own blocks.
"""

from collections.abc import Callable
from math import gcd
from typing import NamedTuple

import numpy as np

from .device import SIMULATED, THREADS, cuda, device, index, kernel, launch, quotient, remainder
from .sums import column_sum, width_for

DEPTH = 8
BYTES = None if SIMULATED else 16  # where a panel begins, for loads of four numbers at once
PAD = 4  # numbers behind a panel's row, so that threads along k write to banks of their own


class Tile(NamedTuple):
    """Threads of a block along the rows and columns of c, and each thread's piece of it.

    beside: blocks that must find room side by side in a multiprocessor. While some of them wait,
    others compute; the compiler may give a thread so many registers (of 65,536) and no more.
    """

    thread_rows: int
    thread_columns: int
    rows: int
    columns: int
    beside: int

    @property
    def threads(self) -> int:
        return self.thread_rows * self.thread_columns

    @property
    def shape(self) -> tuple[int, int]:
        return self.thread_rows * self.rows, self.thread_columns * self.columns

    def carried(self, width: int) -> int:
        """Numbers that each thread brings to a panel of so many rows or columns."""
        return width * DEPTH // self.threads


# By rows; the last for a c of few columns. (The threads must be a multiple of DEPTH and of the
# columns, and divide DEPTH · rows and DEPTH · columns.)
TILES = (
    Tile(4, 32, 4, 4, 4), Tile(4, 32, 8, 4, 4), Tile(8, 16, 6, 8, 4), Tile(8, 16, 8, 8, 4),
    Tile(8, 16, 10, 8, 3), Tile(16, 16, 8, 8, 2), Tile(8, 16, 4, 2, 4),
)  # fmt: skip
if SIMULATED:
    TILES = Tile(2, 4, 3, 2, 1), Tile(2, 4, 3, 1, 1)
MOST = 32 if SIMULATED else 65536  # threads that keep all of a GPU busy
FETCHED = 12  # to fetch a block's columns costs as much as to compute so many rows of them


def tile_for(rows: int, columns: int, dtype) -> Tile:
    """For a narrow c the narrow tile; else that whose blocks, side by side, have least to do."""

    def work(tile):
        return -(-rows // tile.shape[0]) * (tile.shape[0] + FETCHED)

    tile = TILES[-1] if columns <= TILES[-1].shape[1] else min(TILES[:-1], key=work)
    return tile if dtype == np.float32 else tile._replace(beside=1)  # a number in two registers


@device
def place(k, beside, threads):
    """How far a thread's k-th row or column is from its first: some side by side, then a gap."""
    return k // beside * beside * threads + k % beside


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


def put_into(width, spot, carried):
    @device
    def put(panel, held, counting, t):
        """panel[k, m] = what the thread holds, or 0 where it does not count."""
        for e in range(carried):
            k, m = spot(e, t)
            value = held[e] if counting & bit(e, True) else panel.dtype.type(0)
            panel[index(k * width + m)] = value

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
    THREAD_ROWS, THREAD_COLUMNS, R, S, _ = tile
    WIDTH_A, WIDTH_B = ROWS + PAD, COLUMNS + PAD
    SIZE_A, SIZE_B = DEPTH * WIDTH_A, DEPTH * WIDTH_B
    HELD_A, HELD_B = tile.carried(ROWS), tile.carried(COLUMNS)
    BESIDE_A, BESIDE_B = gcd(R, 4), gcd(S, 4)
    find_a, fetch_a, spot_a = source_a
    find_b, fetch_b, spot_b = source_b
    put_a, put_b = put_into(WIDTH_A, spot_a, HELD_A), put_into(WIDTH_B, spot_b, HELD_B)

    @device
    def add_products(k, panel_a, panel_b, row, column, from_a, from_b, sums):
        """sums += panel_a[k, own rows] · panel_b[k, own columns]."""
        for r in range(R):
            m = row + place(r, BESIDE_A, THREAD_ROWS)
            from_a[r] = panel_a[index(k * WIDTH_A + m)]
        for s in range(S):
            n = column + place(s, BESIDE_B, THREAD_COLUMNS)
            from_b[s] = panel_b[index(k * WIDTH_B + n)]
        for r in range(R):
            for s in range(S):
                sums[r, s] += from_a[r] * from_b[s]

    def product(a, b, bias, biased, rows, columns, depth, chunk, batch, c):
        panel_a = cuda.shared.array(SIZE_A, c.dtype, alignment=BYTES)
        panel_b = cuda.shared.array(SIZE_B, c.dtype, alignment=BYTES)
        held_a = cuda.local.array(HELD_A, c.dtype)
        held_b = cuda.local.array(HELD_B, c.dtype)
        from_a = cuda.local.array(R, c.dtype)
        from_b = cuda.local.array(S, c.dtype)
        own = cuda.local.array(S, index)
        sums = cuda.local.array((R, S), c.dtype)
        t, z = index(cuda.threadIdx.x), index(cuda.blockIdx.z)
        row = index(quotient(t, THREAD_COLUMNS) * BESIDE_A)
        column = index(remainder(t, THREAD_COLUMNS) * BESIDE_B)
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
            # Written out: a loop so long stays one, and its arrays out of the registers. (For a
            # bare 0, 1, 2 … numba would compile the function once for each.)
            add_products(index(0), panel_a, panel_b, row, column, from_a, from_b, sums)
            add_products(index(1), panel_a, panel_b, row, column, from_a, from_b, sums)
            add_products(index(2), panel_a, panel_b, row, column, from_a, from_b, sums)
            add_products(index(3), panel_a, panel_b, row, column, from_a, from_b, sums)
            add_products(index(4), panel_a, panel_b, row, column, from_a, from_b, sums)
            add_products(index(5), panel_a, panel_b, row, column, from_a, from_b, sums)
            add_products(index(6), panel_a, panel_b, row, column, from_a, from_b, sums)
            add_products(index(7), panel_a, panel_b, row, column, from_a, from_b, sums)
            cuda.syncthreads()
        for s in range(S):
            own[s] = column_at(index(n0 + column + place(s, BESIDE_B, THREAD_COLUMNS)))
        for r in range(R):
            m = m0 + row + place(r, BESIDE_A, THREAD_ROWS)
            if m < rows:
                start = bias[index(group * rows + m)] if biased else c.dtype.type(0)
                for s in range(S):
                    if own[s] < columns:
                        c[index((z * rows + m) * columns + own[s])] = start + sums[r, s]

    name += f", tile {ROWS} × {COLUMNS}" + (f", {groups} groups" if groups > 1 else "")
    bounds = {} if SIMULATED else {"launch_bounds": (tile.threads, tile.beside)}
    return kernel("F F F n n n n n n F", name, **bounds)(product)


def multiply(product, tile, groups, a, b, bias, sizes, batch, buffers, c):
    """c (groups, M, N) by a `tiled_product`, for sizes (M, N, K) of a group and bias (groups · M)
    or None. Where c alone gives too little work for the GPU, parts of the sum over k are computed
    side by side, and added up.
    """
    rows, columns, depth = sizes
    blocks = -(-columns // tile.shape[1]), -(-rows // tile.shape[0])
    most = depth // (8 * DEPTH)
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
