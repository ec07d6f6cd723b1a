"""Data sets and batches: on the device where they fit, and picked there."""

from math import prod

import numpy as np

from .arrays import Batch
from .device import SIMULATED, cuda, for_each, kernel, launch, on_the_host, queue

SQUARE = 4 if SIMULATED else 32  # pixels × images that a block turns
WIDER = SQUARE + 1
ROWS = 2 if SIMULATED else 8  # of threads, each as long as the square is wide


class Data:
    """A data set on the device, as it lies on the host: image after image."""

    def __init__(self, array: np.ndarray) -> None:
        self.shape, self.dtype = array.shape, array.dtype
        self.flat = cuda.to_device(np.ascontiguousarray(array).reshape(-1))

    def find(self, indices, buffers):
        """Where the images lie, flat, and the numbers of those to be taken, both on the device."""
        return self.flat, on_device(indices, buffers)


class Staged:
    """A data set that stays on the host: each batch is picked there and copied over.

    Two pieces of pinned memory take turns, and the copies have a queue of their own. So while the
    device computes with one batch, the host picks the next and it travels.
    """

    def __init__(self, array: np.ndarray) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype
        self.copies, self.pieces = cuda.stream(), [Piece(), Piece()]

    def find(self, indices, buffers):
        indices, (piece, other) = np.asarray(indices), self.pieces
        self.pieces.reverse()
        other.done.record(queue())  # what was asked of the batch before is in the queue
        piece.arrived.synchronize()  # the copy before the last has left the pinned memory
        images = piece.of_size(len(indices) * prod(self.shape[1:]), self.dtype)
        rows = images.reshape(len(indices), *self.shape[1:])
        np.take(self.array, indices, axis=0, out=rows, mode="clip")
        piece.done.wait(self.copies)
        piece.flat[: images.size].copy_to_device(images, stream=self.copies)
        piece.arrived.record(self.copies)
        piece.arrived.wait(queue())
        return piece.flat, buffers.constant("every", np.arange(len(indices)))


class Piece:
    """Pinned memory, its copy on the device, and where the two stand."""

    def __init__(self) -> None:
        self.arrived, self.done = cuda.event(), cuda.event()
        self.pinned, self.flat = np.empty(0, np.uint8), None

    def of_size(self, size, dtype):
        if self.pinned.size < size:
            self.pinned, self.flat = cuda.pinned_array(size, dtype), cuda.device_array(size, dtype)
        return self.pinned[:size]


class Chosen:
    """The samples of a batch: `flat` (int64) on the device; `np.asarray` gives them on the host."""

    def __init__(self, flat, count: int, host: np.ndarray | None = None) -> None:
        self.flat, self.count, self.host = flat, count, host

    def __len__(self) -> int:
        return self.count

    def __array__(self, dtype=None, copy=None) -> np.ndarray:
        on_the_host("the numbers of a batch's samples are read")
        return self.flat.copy_to_host()[: self.count] if self.host is None else self.host


def upload(array):
    free, _ = cuda.current_context().get_memory_info()
    whole_numbers = array.dtype == np.int64  # eight bytes a sample, for `pick`
    return Data(array) if whole_numbers or array.nbytes <= free / 2 else Staged(array)


def gather(data, indices, dtype, buffers):
    sample_shape = data.shape[1:]
    shape, size = (len(indices), *sample_shape), prod(sample_shape)
    y = Batch(buffers.empty("gather", prod(shape), dtype), shape)
    images, chosen = data.find(indices, buffers)
    scale = y.dtype.type(1 / 255 if data.dtype == np.uint8 else 1)
    blocks = -(-size // SQUARE), -(-len(indices) // SQUARE)  # of these two the first may be large
    gatherer = gather_pixels if data.dtype == np.uint8 else gather_floats
    arguments = images, chosen, size, len(indices), scale, y.flat
    launch(gatherer, blocks, *arguments, threads=ROWS * SQUARE)
    return y


def on_device(indices, buffers):
    """Where kernels find the numbers of a batch's samples."""
    if isinstance(indices, Chosen):
        return indices.flat
    on_the_host("the numbers of a batch's samples come from the host")
    chosen = buffers.empty("indices", len(indices), np.int64)
    chosen[: len(indices)].copy_to_device(np.ascontiguousarray(indices, dtype=np.int64))
    return chosen


def pick(rows, indices, buffers):
    found = Chosen(buffers.empty("picked", len(indices), np.int64), len(indices))
    chosen = on_device(indices, buffers)
    for_each(pick_rows, len(indices), rows.flat, chosen, len(indices), found.flat)
    return found


@kernel("I I n I")
def pick_rows(rows, chosen, count, picked):
    """picked[n] = rows[chosen[n]]."""
    for n in range(cuda.grid(1), count, cuda.gridsize(1)):
        picked[n] = rows[chosen[n]]


def turn(images, chosen, size, count, scale, y):
    """y[k · N + n] = images[chosen[n] · size + k] · scale.

    A block turns a square of pixels × images in shared memory: neighbouring threads read
    neighbouring pixels of an image, and write neighbouring images of a pixel. A column more than
    needed keeps the threads out of each other's memory bank. Intensity: 1 multiplication a number.
    """
    square = cuda.shared.array((SQUARE, WIDER), y.dtype)
    column, row = cuda.threadIdx.x % SQUARE, cuda.threadIdx.x // SQUARE
    n0, first = cuda.blockIdx.y * SQUARE, cuda.blockIdx.x * SQUARE
    for n in range(row, min(SQUARE, count - n0), ROWS):
        if first + column < size:
            square[column, n] = y.dtype.type(images[chosen[n0 + n] * size + first + column]) * scale
    cuda.syncthreads()
    for k in range(row, min(SQUARE, size - first), ROWS):
        if n0 + column < count:
            y[(first + k) * count + n0 + column] = square[k, column]


gather_pixels = kernel("B I n n r F", "data.gather_pixels")(turn)
gather_floats = kernel("F I n n r F", "data.gather_floats")(turn)
