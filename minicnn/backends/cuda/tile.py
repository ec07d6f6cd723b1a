"""One tile for every matrix product: c[m, n] = bias[m] + Σ_k a(m, k) · b(k, n).

A block of threads computes a piece of c. It goes along k in steps of DEPTH: all threads together
fill two panels in shared memory, wait, and then each thread adds the products of its own piece,
which stays in its registers:

    shared_a (DEPTH, rows of the block)   shared_b (DEPTH, columns of the block)
    thread (row, column) holds c at rows row + r · THREAD_ROWS, columns column + s · THREAD_COLUMNS

Every number that is read from global memory is used for a whole row or column of the block, and
every number that is read from shared memory for a row or column of the thread's piece. With the
largest tile that is 128 · 128 · DEPTH multiply-adds for 2 · 128 · DEPTH numbers: an intensity of
64 multiply-adds a number, 32 operations a byte in float32, and 4 multiply-adds a shared load.

What a and b are is the operation's affair: `fill_a(panel, a, group, m0, k0, last, …)` writes
panel[k, m] for k in 0..DEPTH, m in 0..ROWS with zeros outside, and `fill_b` alike for columns.
With groups there are as many products of the same sizes side by side, each with its own blocks.
"""

from typing import NamedTuple

from .device import SIMULATED, cuda, kernel, launch

DEPTH = 8


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


# 16, 32, 64 and 128 rows, always 128 columns. (The operations' fill functions want as many threads
# as columns or a multiple, and a multiple of DEPTH.)
TILES = (Tile(4, 32, 4, 4), Tile(4, 32, 8, 4), Tile(8, 16, 8, 8), Tile(16, 16, 8, 8))
if SIMULATED:
    TILES = (Tile(2, 4, 3, 2),)
PARTS = 4 if SIMULATED else 512  # pieces of work that keep all of a GPU busy


def tile_for(rows: int) -> Tile:
    """The smallest tile that has all rows of c, else the largest."""
    return next((tile for tile in TILES if rows <= tile.shape[0]), TILES[-1])


def tiled_product(name, tile, groups, fill_a, fill_b, biased):
    """The kernel for a product a group. c (parts, groups, M, N): part z sums k from z · chunk to
    (z + 1) · chunk.

    batch: images side by side in a batch, for the operations' index arithmetic.
    """
    ROWS, COLUMNS = tile.shape
    THREAD_ROWS, THREAD_COLUMNS, R, S = tile

    def product(a, b, bias, rows, columns, depth, chunk, batch, c):
        panel_a = cuda.shared.array((DEPTH, ROWS), c.dtype)
        panel_b = cuda.shared.array((DEPTH, COLUMNS), c.dtype)
        sums = cuda.local.array((R, S), c.dtype)
        from_a = cuda.local.array(R, c.dtype)
        from_b = cuda.local.array(S, c.dtype)
        t = cuda.threadIdx.x
        row, column = t // THREAD_COLUMNS, t % THREAD_COLUMNS
        n0, m0 = cuda.blockIdx.x * COLUMNS, cuda.blockIdx.y * ROWS
        part, group = cuda.blockIdx.z // groups, cuda.blockIdx.z % groups
        for r in range(R):
            m = m0 + row + r * THREAD_ROWS
            for s in range(S):
                own = biased and m < rows
                sums[r, s] = bias[group * rows + m] if own else c.dtype.type(0)
        last = min(depth, (part + 1) * chunk)
        for k0 in range(part * chunk, last, DEPTH):
            fill_a(panel_a, a, group, m0, k0, last, batch, t)
            fill_b(panel_b, b, group, k0, last, n0, batch, t)
            cuda.syncthreads()
            for k in range(DEPTH):
                for r in range(R):
                    from_a[r] = panel_a[k, row + r * THREAD_ROWS]
                for s in range(S):
                    from_b[s] = panel_b[k, column + s * THREAD_COLUMNS]
                for r in range(R):
                    for s in range(S):
                        sums[r, s] += from_a[r] * from_b[s]
            cuda.syncthreads()
        for r in range(R):
            m = m0 + row + r * THREAD_ROWS
            for s in range(S):
                n = n0 + column + s * THREAD_COLUMNS
                if m < rows and n < columns:
                    c[(cuda.blockIdx.z * rows + m) * columns + n] = sums[r, s]

    name += f", tile {ROWS} × {COLUMNS}" + (f", {groups} groups" if groups > 1 else "")
    return kernel("F F F n n n n n F", name)(product)


def multiply(product, tile, groups, a, b, bias, sizes, parts, batch, c):
    """Launch a `tiled_product` for sizes (M, N, K) of a group, with K in so many parts."""
    rows, columns, depth = sizes
    chunk = -(-depth // (parts * DEPTH)) * DEPTH
    blocks = -(-columns // tile.shape[1]), -(-rows // tile.shape[0]), parts * groups
    bias = c if bias is None else bias
    launch(
        product, blocks, a, b, bias, rows, columns, depth, chunk, batch, c, threads=tile.threads
    )


def parts_of(tile: Tile, groups: int, sizes: tuple[int, int, int]) -> int:
    """Into how many parts the sum over k is cut, so that there is work for all of the GPU."""
    rows, columns, depth = sizes
    blocks = -(-columns // tile.shape[1]) * -(-rows // tile.shape[0]) * groups
    return max(1, min(-(-PARTS // blocks), depth // (4 * DEPTH)))


@kernel("F n n F")
def add_parts(partial, parts, size, y):
    """y[k] = Σ over the parts, in order; a thread takes every gridsize-th k."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        total = partial[k]
        for part in range(1, parts):
            total += partial[part * size + k]
        y[k] = total
