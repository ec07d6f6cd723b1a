"""One tile for every matrix product: c[m, n] = bias[m] + Σ_k a(m, k) · b(k, n).

A block of threads computes a piece of c. It goes along k in steps of DEPTH: all threads together
fill two panels in shared memory, wait, and then each thread adds the products of its own piece,
which stays in its registers:

    shared_a (DEPTH, rows of the block)   shared_b (DEPTH, columns of the block)
    thread (row, column) holds c at four rows and four columns side by side, and at as many again
    further on: rows 4 · row + 0..3, then 4 · (row + THREAD_ROWS) + 0..3, and columns alike

Every number that is read from global memory is used for a whole row or column of the block, and
every number that is read from shared memory for a row or column of the thread's piece; four that
lie side by side are one instruction. With the largest tile that is 64 · 128 · DEPTH multiply-adds
for (64 + 128) · DEPTH numbers: an intensity of 43 multiply-adds a number, 21 operations a byte in
float32, and 16 multiply-adds a shared load.

What a and b are is the operation's affair. `find_a(group, m0, batch, t)` says once what thread t
must know of the rows from m0 on, and `fill_a(panel, a, found, k0, last, t)` writes panel[k, m] for
k in 0..DEPTH and m in 0..ROWS, with zeros outside; `find_b` and `fill_b` alike for columns.
With groups there are as many products of the same sizes side by side, each with its own blocks.
"""

from math import gcd
from typing import NamedTuple

from .device import SIMULATED, THREADS, cuda, device, index, kernel, launch, quotient, remainder
from .sums import column_sum

DEPTH = 8
BYTES = None if SIMULATED else 16  # where a panel begins, for loads of four numbers at once
PAD = 4  # numbers behind a panel's row, so that threads along k write to banks of their own


class Tile(NamedTuple):
    """Threads of a block along the rows and columns of c, and each thread's piece of it."""

    thread_rows: int
    thread_columns: int
    rows: int
    columns: int

    @property
    def threads(self) -> int:
        return self.thread_rows * self.thread_columns

    @property
    def shape(self) -> tuple[int, int]:
        return self.thread_rows * self.rows, self.thread_columns * self.columns


# By rows, and a narrow one for c of few columns. As many threads as columns, where it can be: then
# k is the same for all threads of a block, and is computed once and not by each. (The operations'
# fill functions want as many threads as columns or a multiple, and a multiple of DEPTH.)
TILES = (Tile(4, 32, 4, 4), Tile(4, 32, 8, 4), Tile(8, 16, 8, 8), Tile(8, 16, 4, 2))
if SIMULATED:
    TILES = Tile(2, 4, 3, 2), Tile(2, 4, 3, 1)
BLOCKS = 4 if SIMULATED else 512  # keep all of a GPU busy


def tile_for(rows: int, columns: int) -> Tile:
    """For a narrow c the narrow tile; else the smallest that has all rows of c, or the largest."""
    if columns <= TILES[-1].shape[1]:
        return TILES[-1]
    wide = TILES[:-1]
    return next((tile for tile in wide if rows <= tile.shape[0]), wide[-1])


@device
def place(k, beside, threads):
    """How far a thread's k-th row or column is from its first: some side by side, then a gap."""
    return k // beside * beside * threads + k % beside


@device
def value_or_zero(a, k, inside):
    """a[k] where it lies inside, else 0. No branch: loads that follow each other do not wait."""
    value = a[index(k if inside else 0)]
    return value if inside else a.dtype.type(0)


def tiled_product(name, tile, groups, find_a, fill_a, find_b, fill_b):
    """The kernel for a product a group. c (parts, groups, M, N): part z sums k from z · chunk to
    (z + 1) · chunk, and a single part adds the bias, where there is one.

    batch: images side by side in a batch, for the operations' index arithmetic.
    """
    ROWS, COLUMNS = tile.shape
    THREAD_ROWS, THREAD_COLUMNS, R, S = tile
    WIDTH_A, WIDTH_B = ROWS + PAD, COLUMNS + PAD
    SIZE_A, SIZE_B = DEPTH * WIDTH_A, DEPTH * WIDTH_B
    BESIDE_A, BESIDE_B = gcd(R, 4), gcd(S, 4)

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
        sums = cuda.local.array((R, S), c.dtype)
        from_a = cuda.local.array(R, c.dtype)
        from_b = cuda.local.array(S, c.dtype)
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
        last = index(min(depth, (part + 1) * chunk))
        for k in range(index(part * chunk), last, DEPTH):
            k0 = index(k)
            fill_a(panel_a, a, found_a, k0, last, t)
            fill_b(panel_b, b, found_b, k0, last, t)
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
        for r in range(R):
            m = m0 + row + place(r, BESIDE_A, THREAD_ROWS)
            if m < rows:
                start = bias[index(group * rows + m)] if biased else c.dtype.type(0)
                for s in range(S):
                    n = n0 + column + place(s, BESIDE_B, THREAD_COLUMNS)
                    if n < columns:
                        c[index((z * rows + m) * columns + n)] = start + sums[r, s]

    name += f", tile {ROWS} × {COLUMNS}" + (f", {groups} groups" if groups > 1 else "")
    return kernel("F F F n n n n n n F", name)(product)


def multiply(product, tile, groups, a, b, bias, sizes, batch, buffers, c):
    """c (groups, M, N) by a `tiled_product`, for sizes (M, N, K) of a group and bias (groups · M)
    or None. Where c alone gives too little work for the GPU, parts of the sum over k are computed
    side by side, and added up.
    """
    rows, columns, depth = sizes
    blocks = -(-columns // tile.shape[1]), -(-rows // tile.shape[0])
    most = depth // (8 * DEPTH)
    parts = max(1, min(BLOCKS // (blocks[0] * blocks[1] * groups), most))
    chunk = -(-depth // (parts * DEPTH)) * DEPTH
    size, biased = groups * rows * columns, int(bias is not None)
    bias = c if bias is None else bias
    whole = c if parts == 1 else buffers.empty("parts", parts * size, c.dtype)
    launch(
        product, (*blocks, parts * groups), a, b, bias, biased if parts == 1 else 0, rows, columns,
        depth, chunk, batch, whole, threads=tile.threads,
    )  # fmt: skip
    if parts > 1:
        width = THREADS
        while width > 4 and parts * width >= 16 * THREADS:  # eight parts or more for each row
            width //= 2
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
