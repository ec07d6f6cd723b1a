"""Batch normalisation in three kernels: sums over pieces of each channel, a channel's pieces put
together, and then the result, a number a thread: two passes over S numbers each way, about two
operations a number. Group normalisation does it in one, for a group of channels and a few images a
block, which adds them up and then writes the result.

The kernels see a batch as (C, S): a channel's S numbers, all its positions of all images, lie
together.
"""

from math import isfinite, prod, sqrt

from .arrays import empty
from .device import (
    SIMULATED,
    THREADS,
    Array,
    Memory,
    cuda,
    device,
    for_each,
    index,
    kernel,
    launch,
    quotient,
)
from .sums import PIECE, block_sum, column_sum, piece_of_channel

# Side by side in a block, for groups: as many float32 as memory hands out at once. Always so many,
# even for a single image, or its sums would be taken in another order than in a larger batch.
IMAGES = 2 if SIMULATED else 8
ROWS = THREADS // IMAGES


def batch_norm_forward(x, gamma, beta, running_mean, running_var, momentum, eps, buffers):
    y, x_hat, inv_std = outputs(x, gamma, buffers)
    channels, count = x.shape[1], x.size // x.shape[1]
    pieces = -(-count // PIECE)
    means, squares = (buffers.empty(n, channels * pieces, x.dtype) for n in ("means", "squares"))
    launch(piece_statistics, channels * pieces, x.flat, count, pieces, means, squares)
    mean = buffers.empty("mean", channels, x.dtype)
    for_each(
        channel_statistics, channels, means, squares, count, pieces, x.dtype.type(momentum),
        x.dtype.type(eps), channels, mean, inv_std.flat, running_mean.flat, running_var.flat,
    )  # fmt: skip
    normalize(x, mean, inv_std, gamma, beta, y, x_hat)
    return y, x_hat, inv_std


@kernel("F n n F F")
def piece_statistics(x, count, pieces, means, squares):
    """The mean of PIECE of a channel's numbers and Σ (x − mean)², a block each."""
    shared = cuda.shared.array(THREADS, x.dtype)
    first, last = piece_of_channel(count, pieces)
    total, square = x.dtype.type(0), x.dtype.type(0)
    for k in range(first + cuda.threadIdx.x, last, THREADS):
        total += x[index(k)]
    mean = block_sum(total, shared) / x.dtype.type(last - first)
    for k in range(first + cuda.threadIdx.x, last, THREADS):
        square += (x[index(k)] - mean) * (x[index(k)] - mean)
    square = block_sum(square, shared)
    if cuda.threadIdx.x == 0:
        means[cuda.blockIdx.x], squares[cuda.blockIdx.x] = mean, square


@kernel("F F n n r r n F F F F")
def channel_statistics(
    means, squares, count, pieces, momentum, eps, channels, mean, inv_std, running_mean, running_var
):
    """μ and 1 / √(σ² + eps) of a channel, a thread each, from its pieces one by one:

    M₁₂ = M₁ + M₂ + (μ₂ − μ₁)² · n₁ · n₂ / (n₁ + n₂), with M = Σ (x − μ)²  (Chan et al. 1979)
    """
    for c in range(cuda.grid(1), channels, cuda.gridsize(1)):
        mu, square, seen = means[c * pieces], squares[c * pieces], min(count, PIECE)
        for piece in range(1, pieces):
            more = min(count - piece * PIECE, PIECE)
            share = mean.dtype.type(more) / mean.dtype.type(seen + more)
            apart = means[c * pieces + piece] - mu
            mu += apart * share
            square += squares[c * pieces + piece] + apart * apart * mean.dtype.type(seen) * share
            seen += more
        one, m = mean.dtype.type(1), mean.dtype.type(count)
        mean[c], inv_std[c] = mu, one / sqrt(square / m + eps)
        if isfinite(square):  # a channel with NaN or Inf in it is no statistic
            running_mean[c] += running_mean.dtype.type(momentum * (mu - running_mean[c]))
            running_var[c] += running_var.dtype.type(
                momentum * (square / (m - one) - running_var[c])
            )


def batch_norm_inference(x, gamma, beta, running_mean, running_var, eps, buffers):
    y, x_hat, inv_std = outputs(x, gamma, buffers)
    for_each(
        fixed_scale, gamma.size, running_var.flat, x.dtype.type(eps), gamma.size, inv_std.flat
    )
    normalize(x, running_mean.flat, inv_std, gamma, beta, y, x_hat)
    return y, x_hat, inv_std


@kernel("F r n F")
def fixed_scale(running_var, eps, channels, inv_std):
    """1 / √(σ² + eps) with the running variance."""
    for c in range(cuda.grid(1), channels, cuda.gridsize(1)):
        variance = inv_std.dtype.type(running_var[c])
        inv_std[c] = inv_std.dtype.type(1) / sqrt(variance + eps)


def normalize(x, mean, inv_std, gamma, beta, y, x_hat):
    for_each(
        normalize_numbers, x.size, x.flat, mean, inv_std.flat, gamma.flat, beta.flat,
        x.size // x.shape[1], x.size, y.flat, x_hat.flat,
    )  # fmt: skip


@kernel("F F F F F n n F F")
def normalize_numbers(x, mean, inv_std, gamma, beta, count, size, y, x_hat):
    """x̂ = (x − μ) / √(σ² + eps) and y = gamma · x̂ + beta, a number a thread."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        c, o = quotient(k, count), index(k)
        normal = (x[o] - x.dtype.type(mean[c])) * inv_std[c]
        x_hat[o] = normal
        y[o] = normal * gamma[c] + beta[c]


def batch_norm_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers):
    return slope(batch_slope, dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers)


def batch_norm_inference_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers):
    return slope(fixed_slope, dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers)


def slope(kernel, dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers):
    parameter_gradients(dy, x_hat, dgamma, dbeta, buffers)
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    for_each(
        kernel, dy.size, dy.flat, x_hat.flat, inv_std.flat, gamma.flat, dgamma.flat, dbeta.flat,
        dy.size // dy.shape[1], dy.size, dx.flat,
    )  # fmt: skip
    return dx


@kernel("F F F F F F n n F")
def batch_slope(dy, x_hat, inv_std, gamma, dgamma, dbeta, count, size, dx):
    """dx = gamma · inv_std · (dy − dbeta / M − x̂ · dgamma / M), a number a thread."""
    m = dx.dtype.type(count)
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        c, o = quotient(k, count), index(k)
        dx[o] = gamma[c] * inv_std[c] * (dy[o] - dbeta[c] / m - x_hat[o] * (dgamma[c] / m))


@kernel("F F F F F F n n F")
def fixed_slope(dy, x_hat, inv_std, gamma, dgamma, dbeta, count, size, dx):
    """dx = gamma · inv_std · dy, a number a thread."""
    for k in range(cuda.grid(1), size, cuda.gridsize(1)):
        c, o = quotient(k, count), index(k)
        dx[o] = gamma[c] * inv_std[c] * dy[o]


def parameter_gradients(dy, x_hat, dgamma, dbeta, buffers):
    """dgamma = Σ dy · x̂ and dbeta = Σ dy of each channel."""
    channels, count = dgamma.size, dy.size // dgamma.size
    pieces = -(-count // PIECE)
    partial = buffers.empty("partial parameters", 2 * channels * pieces, dy.dtype)
    launch(sum_pieces, channels * pieces, dy.flat, x_hat.flat, count, pieces, partial)
    for_each(add_pieces, channels, partial, pieces, channels, dgamma.flat, dbeta.flat)


@kernel("F F n n F")
def sum_pieces(dy, x_hat, count, pieces, partial):
    """Σ dy · x̂ and Σ dy of PIECE of a channel's numbers, a block each."""
    shared = cuda.shared.array(THREADS, dy.dtype)
    first, last = piece_of_channel(count, pieces)
    products, total = dy.dtype.type(0), dy.dtype.type(0)
    for k in range(first + cuda.threadIdx.x, last, THREADS):
        products += dy[index(k)] * x_hat[index(k)]
        total += dy[index(k)]
    products, total = block_sum(products, shared), block_sum(total, shared)
    if cuda.threadIdx.x == 0:
        partial[2 * cuda.blockIdx.x], partial[2 * cuda.blockIdx.x + 1] = products, total


@kernel("F n n F F")
def add_pieces(partial, pieces, channels, dgamma, dbeta):
    """The sums over a channel's pieces, in order; a channel a thread."""
    for c in range(cuda.grid(1), channels, cuda.gridsize(1)):
        products, total = partial[2 * c * pieces], partial[2 * c * pieces + 1]
        for piece in range(c * pieces + 1, (c + 1) * pieces):
            products += partial[2 * piece]
            total += partial[2 * piece + 1]
        dgamma[c], dbeta[c] = products, total


def outputs(x, gamma, buffers):
    """Memory for y, x̂ and 1 / √(σ² + eps)."""
    y = empty(buffers, "y", x.shape[1:], x)
    x_hat = empty(buffers, "x_hat", x.shape[1:], x)
    memory = buffers.empty("inv_std", gamma.size, x.dtype)
    return y, x_hat, Array(Memory(memory), 0, gamma.shape)


# ── groups ───────────────────────────────────────────────────────────────────────────────────


def group_norm_forward(x, gamma, beta, groups, eps, buffers):
    y = empty(buffers, "y", x.shape[1:], x)
    x_hat = empty(buffers, "x_hat", x.shape[1:], x)
    inv_std = empty(buffers, "inv_std", (groups,), x)
    launch(
        normalize_groups, blocks(x, groups), x.flat, gamma.flat, beta.flat, x.dtype.type(eps),
        len(x), prod(x.shape[2:]), prod(x.shape[1:]) // groups, y.flat, x_hat.flat, inv_std.flat,
    )  # fmt: skip
    return y, x_hat, inv_std


@kernel("F F F r n n n F F F")
def normalize_groups(x, gamma, beta, eps, images, positions, count, y, x_hat, inv_std):
    """μ, σ² and y = gamma · (x − μ) / √(σ² + eps) + beta of a group of `count` numbers an image."""
    shared = cuda.shared.array(THREADS, x.dtype)
    group, n, first, last = column(images, count)
    m, one = x.dtype.type(count), x.dtype.type(1)
    total, squares = x.dtype.type(0), x.dtype.type(0)
    for k in range(first, last, ROWS * images):
        total += x[k]
    mean = column_sum(total, shared, IMAGES) / m
    for k in range(first, last, ROWS * images):
        squares += (x[k] - mean) * (x[k] - mean)
    scale = one / sqrt(column_sum(squares, shared, IMAGES) / m + eps)
    if cuda.threadIdx.x < IMAGES and n < images:
        inv_std[group * images + n] = scale
    for k in range(first, last, ROWS * images):
        c = k // (images * positions)
        x_hat[k] = (x[k] - mean) * scale
        y[k] = x_hat[k] * gamma[c] + beta[c]


def group_norm_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, groups, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    positions = prod(dy.shape[2:])
    launch(
        group_slope, blocks(dy, groups), dy.flat, x_hat.flat, inv_std.flat, gamma.flat, len(dy),
        positions, prod(dy.shape[1:]) // groups, dx.flat,
    )  # fmt: skip
    parameter_gradients(dy, x_hat, dgamma, dbeta, buffers)
    return dx


@kernel("F F F F n n n F")
def group_slope(dy, x_hat, inv_std, gamma, images, positions, count, dx):
    """dx = inv_std · (g − Σ g / M − x̂ · Σ g · x̂ / M) with g = gamma · dy and M = count."""
    shared = cuda.shared.array(THREADS, dy.dtype)
    group, n, first, last = column(images, count)
    m = dy.dtype.type(count)
    products, total = dy.dtype.type(0), dy.dtype.type(0)
    for k in range(first, last, ROWS * images):
        g = gamma[k // (images * positions)] * dy[k]
        products += g * x_hat[k]
        total += g
    products = column_sum(products, shared, IMAGES) / m
    total = column_sum(total, shared, IMAGES) / m
    for k in range(first, last, ROWS * images):
        g = gamma[k // (images * positions)] * dy[k]
        dx[k] = inv_std[group * images + n] * (g - total - x_hat[k] * products)


def blocks(x, groups):
    return groups * -(-len(x) // IMAGES)


@device
def column(images, count):
    """The block's group and the thread's image; the first of its numbers, and where they end.

    A block's threads stand in rows of IMAGES, and each goes down its image's column of the group,
    ROWS numbers at a time. A thread beyond the last image has none.
    """
    row, per_group = cuda.threadIdx.x // IMAGES, (images + IMAGES - 1) // IMAGES
    group = cuda.blockIdx.x // per_group
    n = cuda.blockIdx.x % per_group * IMAGES + cuda.threadIdx.x % IMAGES
    first, last = (group * count + row) * images + n, (group + 1) * count * images
    return group, n, first, last if n < images else first
