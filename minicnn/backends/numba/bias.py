"""One number per channel, added everywhere; its gradient is the sum over everywhere."""

from math import prod

from numba import prange

from .contest import add_winners
from .layout import by_channel, clear_padding, empty
from .recording import done
from .runtime import ITEMS, device, inlined, kernel
from .simd import add_rows, length, store, sums, zeros
from .unpooled import compact

ROWS = 16  # registers that add at the same time, to hide how long one addition takes
PARTS = 4  # of images, where they are not tiny: so that up to four threads sum what they wrote


def bias_forward(x, b, buffers):
    y = empty(buffers, "biased", x.shape[1:], x)
    add_bias(by_channel(x), b, by_channel(y))
    return y


@kernel
def add_bias(x, b, y):
    """y[c] = x[c] + b[c]. x, y (blocks, C, H·W·B)."""
    blocks, channels, size = x.shape
    for plane in prange(blocks * channels):
        g, c = plane // channels, plane % channels
        value = y.dtype.type(b[c])
        for k in range(size):
            y[g, c, k] = x[g, c, k] + value


def bias_gradient(dy, db, buffers):
    clear_padding(dy)
    blocks, channels = dy.stored.shape[:2]
    least = PARTS if prod(dy.shape[2:]) > ROWS else 1
    parts = min(blocks, max(least, -(-ITEMS // channels)))
    partial = buffers.empty("partial db", (parts, channels, ROWS), dy.dtype)
    if compact(dy):
        windows = by_channel(dy.dy), by_channel(dy.winner), prod(dy.window.kernel)
    else:
        windows = by_channel(dy), None, 0
    sum_channels(*windows, partial, db)


@kernel
def sum_channels(dy, winner, taps, partial, db):
    """db[c] = Σ dy[:, c]: first over each part's blocks, then over the parts, in order.

    A thread sums the blocks that it has written. What it takes from another core's cache must be
    taken back before that core writes there again.
    """
    blocks, channels, size = dy.shape
    parts, width = len(partial), length(dy)
    for item in prange(parts * channels):
        part, c = item // channels, item % channels
        partial[part, c] = 0
        tile, rest = zeros(ROWS, 1, dy), zeros(1, 1, dy)
        for g in range(part * blocks // parts, (part + 1) * blocks // parts):
            start, end = (g * channels + c) * size, (g * channels + c + 1) * size
            for k in range(start, end - ROWS * width + 1, ROWS * width):
                tile = add_numbers(tile, dy, winner, k, width, taps)
            for k in range(end - size % (ROWS * width), end, width):
                rest = add_numbers(rest, dy, winner, k, width, taps)
        store_sums(tile, rest, partial, item * ROWS)
    add_up(partial, db)


@inlined
def add_numbers(tile, dy, winner, k, width, taps):
    """tile + dy, or of a dy that is known by its windows (`Unpooled`) what reached a pixel: nothing
    where no tap won.
    """
    if winner is None:
        return add_rows(tile, dy, k, width)
    return add_winners(tile, dy, winner, k, width, taps)


@inlined
def store_sums(tile, rest, partial, place):
    width = length(partial)
    store(sums(tile), partial, place, width, 0, ROWS)
    store(add_rows(rest, partial, place, width), partial, place, width, 0, 1)


@device
def add_up(partial, db):
    """db[c] = Σ over the parts' rows, in order."""
    parts, channels, _ = partial.shape
    for c in range(channels):
        total = db.dtype.type(0)
        for part in range(parts):
            for row in range(ROWS):
                total += partial[part, c, row]
        db[c] = total


def padded_bias(b, shape, dtype, buffers):
    """b with zeros behind it, as far as whole tiles reach; only zeros where b is None."""
    bias = buffers.empty("padded b", shape, dtype)
    done(pad, b, bias)
    return bias


def pad(b, padded):
    padded[...] = 0
    if b is not None:
        padded[..., : b.shape[-1]] = b
