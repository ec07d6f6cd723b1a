"""One convolution as CUDA kernels: naive, tiled in shared memory, in registers too, tensor cores.

Prints what each reads from global memory for one multiply-add, and what the compiler makes of it.
On a GPU it also checks and times them; NUMBA_ENABLE_CUDASIM=1 checks them without one.
The layer is the second of the LeNet-like network: 32 → 64 channels, 5×5, same padding, 14×14.
"""

from math import prod
from statistics import median

import numpy as np
from options import at_least, parser
from results import save

from minicnn import Conv2D, backends
from minicnn.backends.cuda import convolution
from minicnn.backends.cuda.device import SIMULATED, cuda, kernel, missing
from minicnn.backends.cuda.tile import DEPTH, tile_for

SIDE = 4 if SIMULATED else 16  # of the square tile in shared memory

# Kernel: whether tensor cores multiply, which the simulator has none of.
OF_THE_BACKEND = {"register-tiled": False} | ({} if SIMULATED else {"tensor cores": True})


def naive(window, channels, filters):
    """A thread an output: y[f, (i,j,n)] = Σ w[f, (c,u,v)] · x[c, i·s+u−p, j·s+v−p, n]."""
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), _ = window

    def run(w, x, batch, y):
        place, f = cuda.grid(1), cuda.blockIdx.y
        n, i, j = place % batch, place // batch // ow, place // batch % ow
        if i >= oh:
            return
        total = y.dtype.type(0)
        for c in range(channels):
            for u in range(kh):
                for v in range(kw):
                    h, k = i * sh + u - top, j * sw + v - left
                    if 0 <= h < height and 0 <= k < width:
                        weight = w[((f * channels + c) * kh + u) * kw + v]
                        total += weight * x[((c * height + h) * width + k) * batch + n]
        y[f * oh * ow * batch + place] = total

    return kernel("F F n F", "example.naive")(run)


def tiled(window, channels, filters):
    """A thread an output, SIDE × SIDE outputs a block, which reads two panels into shared memory:
    every number read serves a row or a column of the block."""
    (kh, kw), (sh, sw), (top, left), (height, width), (oh, ow), _ = window
    depth = channels * kh * kw

    def run(w, x, batch, y):
        panel_w = cuda.shared.array((SIDE, SIDE), y.dtype)
        panel_x = cuda.shared.array((SIDE, SIDE), y.dtype)
        column, row = cuda.threadIdx.x, cuda.threadIdx.y
        place, f = cuda.blockIdx.x * SIDE + column, cuda.blockIdx.y * SIDE + row
        n, i, j = place % batch, place // batch // ow, place // batch % ow
        total = y.dtype.type(0)
        for start in range(0, depth, SIDE):
            panel_w[row, column] = panel_x[row, column] = y.dtype.type(0)
            if f < filters and start + column < depth:
                panel_w[row, column] = w[f * depth + start + column]
            tap = start + row
            c, h, k = tap // (kh * kw), i * sh + tap // kw % kh - top, j * sw + tap % kw - left
            if tap < depth and i < oh and 0 <= h < height and 0 <= k < width:
                panel_x[row, column] = x[((c * height + h) * width + k) * batch + n]
            cuda.syncthreads()
            for d in range(SIDE):
                total += panel_w[row, d] * panel_x[d, column]
            cuda.syncthreads()
        if f < filters and i < oh:
            y[f * oh * ow * batch + place] = total

    return kernel("F F n F", "example.tiled")(run)


def reads_per_multiply_add(rows: int, columns: int) -> float:
    """Global numbers read for a multiply-add where a block makes rows × columns outputs.

    Along k a block reads rows + columns numbers and makes rows · columns multiply-adds of them.
    """
    return (rows + columns) / (rows * columns)


def rungs(layer: Conv2D, window) -> dict:
    """Per kernel: what makes it, its grid for a batch, its threads, and a block's outputs."""
    filters, channels = layer.weight.shape[:2]
    across = prod(window.output)
    tile = tile_for(filters, across, layer.weight.value.dtype)
    rows, columns = tile.shape
    line = 64 if not SIMULATED else 4
    made = {
        "naive": (
            naive(window, channels, filters), lambda n: (-(-across * n // line), filters), line,
            (1, 1),
        ),
        "tiled": (
            tiled(window, channels, filters),
            lambda n: (-(-across * n // SIDE), -(-filters // SIDE)), (SIDE, SIDE), (SIDE, SIDE),
        ),
    }  # fmt: skip

    def grid(n):
        return -(-across * n // columns), -(-filters // rows), 1

    for name, tensor_cores in OF_THE_BACKEND.items():
        way = tile._replace(tensor_cores=tensor_cores)
        product = convolution.forward_product(way, window, 1, channels, filters)
        made[name] = product, grid, tile.threads, tile.shape
    return made


def arguments(name: str, layer: Conv2D, window, batch: int, w, x, y) -> tuple:
    if name not in OF_THE_BACKEND:
        return w, x, batch, y
    depth = prod(layer.weight.shape[1:])
    chunk = -(-depth // DEPTH) * DEPTH
    sizes = len(layer.weight.value), prod(window.output) * batch, depth
    return w, x, y, 0, *sizes, chunk, batch, y  # no bias, all of the sum in one part


def run(name: str, rung, layer: Conv2D, window, images: np.ndarray, repeats: int):
    """The outputs, and on a GPU the median milliseconds of a launch."""
    ops, (compiled, grid, threads, _) = backends.get("cuda"), rung
    x, (w,) = ops.from_numpy(images), ops.allocate([layer.weight.value])
    shape = (len(images), len(layer.weight.value), *window.output)
    y = ops.from_numpy(np.zeros(shape, np.float32))
    launch = compiled[grid(len(images)), threads]
    given = arguments(name, layer, window, len(images), w.flat, x.flat, y.flat)
    launch(*given)
    times = []
    for _ in range(repeats):
        start, end = cuda.event(), cuda.event()
        start.record()
        launch(*given)
        end.record()
        end.synchronize()
        times.append(cuda.event_elapsed_time(start, end))
    return ops.to_numpy(y), median(times) if times else None


def main() -> None:
    options = parser(__doc__, "out")
    options.add_argument("--batch", type=at_least(1), default=256)
    options = options.parse_args()
    channels, filters, size = (2, 3, 4) if SIMULATED else (32, 64, 14)
    layer = Conv2D(channels, filters, 5, padding="same", bias=False)
    window = layer.window((channels, size, size))
    batch, reason, rows = 3 if SIMULATED else options.batch, missing(), []
    images = np.random.default_rng(0).standard_normal((batch, channels, size, size), np.float32)
    wanted = layer.forward(images) if reason is None else None
    flops = 2 * batch * layer.multiply_adds((channels, size, size))
    for name, rung in rungs(layer, window).items():
        row = {"kernel": name, "reads_per_multiply_add": reads_per_multiply_add(*rung[3])}
        if not SIMULATED and (reason is None or "driver" in reason):
            from minicnn.backends.cuda.compiled import compile_for

            takes = "F F F n n n n n n F" if name in OF_THE_BACKEND else "F F n F"
            row |= compile_for(rung[0], takes.split(), (9, 0))._asdict()
        if reason is None:
            found, ms = run(name, rung, layer, window, images, 0 if SIMULATED else 20)
            np.testing.assert_allclose(found, wanted, rtol=1e-3, atol=1e-3)
            row |= {"agrees": True} | ({"ms": ms, "gflops": flops / ms / 1e6} if ms else {})
        rows.append(row)
    for row in rows:
        intensity = 2 / (4 * row["reads_per_multiply_add"])
        print(f"{row['kernel']:16}{row['reads_per_multiply_add']:8.4f} numbers a multiply-add, "
              f"{intensity:6.2f} operations a byte")  # fmt: skip
        for name, value in list(row.items())[2:]:
            print(f"{'':16}{name.replace('_', ' '):24}{value}")
    if reason is not None:
        print(f"not run: {reason}")
    path = options.out / "cuda_convolution.json"
    save(path, {"batch": batch, "kernels": rows})
    print(path.resolve())


if __name__ == "__main__":
    main()
