"""Batch normalisation: a block per channel. Its threads add up the channel for the mean and again
for the variance, and then write the result: three passes over S numbers, about two operations each.
Group normalisation does the same for a group of channels and a few images at a time.

The kernels see a batch as (C, S): a channel's S numbers, all its positions of all images, lie
together.
"""

from math import isfinite, prod, sqrt

from .arrays import empty
from .device import SIMULATED, THREADS, Array, cuda, device, kernel, launch
from .sums import block_sum, column_sum

# Side by side in a block, for groups: as many float32 as memory hands out at once. Always so many,
# even for a single image, or its sums would be taken in another order than in a larger batch.
IMAGES = 2 if SIMULATED else 8
ROWS = THREADS // IMAGES


def batch_norm_forward(x, gamma, beta, running_mean, running_var, momentum, eps, buffers):
    y, x_hat, inv_std = outputs(x, gamma, buffers)
    launch(
        normalize_batch, x.shape[1], x.flat, gamma.flat, beta.flat, running_mean.flat,
        running_var.flat, x.dtype.type(momentum), x.dtype.type(eps), x.size // x.shape[1],
        y.flat, x_hat.flat, inv_std.flat,
    )  # fmt: skip
    return y, x_hat, inv_std


@kernel("F F F F F r r n F F F")
def normalize_batch(
    x, gamma, beta, running_mean, running_var, momentum, eps, count, y, x_hat, inv_std
):
    """μ, σ² and y = gamma · (x − μ) / √(σ² + eps) + beta of the block's channel."""
    shared = cuda.shared.array(THREADS, x.dtype)
    c, t, one = cuda.blockIdx.x, cuda.threadIdx.x, x.dtype.type(1)
    total, squares = x.dtype.type(0), x.dtype.type(0)
    for k in range(c * count + t, (c + 1) * count, THREADS):
        total += x[k]
    mean = block_sum(total, shared) / x.dtype.type(count)
    for k in range(c * count + t, (c + 1) * count, THREADS):
        squares += (x[k] - mean) * (x[k] - mean)
    squares = block_sum(squares, shared)
    scale = one / sqrt(squares / x.dtype.type(count) + eps)
    if t == 0:
        inv_std[c] = scale
    if t == 0 and isfinite(squares):  # a channel with NaN or Inf in it is no statistic
        running_mean[c] += running_mean.dtype.type(momentum * (mean - running_mean[c]))
        variance = squares / x.dtype.type(count - 1)
        running_var[c] += running_var.dtype.type(momentum * (variance - running_var[c]))
    for k in range(c * count + t, (c + 1) * count, THREADS):
        x_hat[k] = (x[k] - mean) * scale
        y[k] = x_hat[k] * gamma[c] + beta[c]


def batch_norm_inference(x, gamma, beta, running_mean, running_var, eps, buffers):
    y, x_hat, inv_std = outputs(x, gamma, buffers)
    launch(
        normalize_fixed, x.shape[1], x.flat, gamma.flat, beta.flat, running_mean.flat,
        running_var.flat, x.dtype.type(eps), x.size // x.shape[1], y.flat, x_hat.flat,
        inv_std.flat,
    )  # fmt: skip
    return y, x_hat, inv_std


@kernel("F F F F F r n F F F")
def normalize_fixed(x, gamma, beta, running_mean, running_var, eps, count, y, x_hat, inv_std):
    """The same with the running statistics."""
    c, t = cuda.blockIdx.x, cuda.threadIdx.x
    scale = x.dtype.type(1) / sqrt(x.dtype.type(running_var[c]) + eps)
    if t == 0:
        inv_std[c] = scale
    for k in range(c * count + t, (c + 1) * count, THREADS):
        x_hat[k] = (x[k] - x.dtype.type(running_mean[c])) * scale
        y[k] = x_hat[k] * gamma[c] + beta[c]


def batch_norm_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers):
    return slope(batch_slope, dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers)


@device
def parameter_gradients(dy, x_hat, count, shared, dgamma, dbeta):
    """dgamma = Σ dy · x̂ and dbeta = Σ dy of the block's channel, which every thread gets too."""
    c, t = cuda.blockIdx.x, cuda.threadIdx.x
    products, total = dy.dtype.type(0), dy.dtype.type(0)
    for k in range(c * count + t, (c + 1) * count, THREADS):
        products += dy[k] * x_hat[k]
        total += dy[k]
    products, total = block_sum(products, shared), block_sum(total, shared)
    if t == 0:
        dgamma[c], dbeta[c] = products, total
    return products, total


@kernel("F F F F n F F F")
def batch_slope(dy, x_hat, inv_std, gamma, count, dgamma, dbeta, dx):
    """dx = gamma · inv_std · (dy − dbeta / M − x̂ · dgamma / M) of the block's channel."""
    shared = cuda.shared.array(THREADS, dy.dtype)
    c, t, m = cuda.blockIdx.x, cuda.threadIdx.x, dy.dtype.type(count)
    products, total = parameter_gradients(dy, x_hat, count, shared, dgamma, dbeta)
    for k in range(c * count + t, (c + 1) * count, THREADS):
        dx[k] = gamma[c] * inv_std[c] * (dy[k] - total / m - x_hat[k] * (products / m))


def batch_norm_inference_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers):
    return slope(fixed_slope, dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers)


@kernel("F F F F n F F F")
def fixed_slope(dy, x_hat, inv_std, gamma, count, dgamma, dbeta, dx):
    """dx = gamma · inv_std · dy of the block's channel."""
    shared = cuda.shared.array(THREADS, dy.dtype)
    c, t = cuda.blockIdx.x, cuda.threadIdx.x
    parameter_gradients(dy, x_hat, count, shared, dgamma, dbeta)
    for k in range(c * count + t, (c + 1) * count, THREADS):
        dx[k] = gamma[c] * inv_std[c] * dy[k]


def outputs(x, gamma, buffers):
    """Memory for y, x̂ and 1 / √(σ² + eps)."""
    y = empty(buffers, "y", x.shape[1:], x)
    x_hat = empty(buffers, "x_hat", x.shape[1:], x)
    memory = buffers.empty("inv_std", gamma.size, x.dtype)
    return y, x_hat, Array(memory, 0, gamma.shape)


def slope(kernel, dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    launch(
        kernel, dy.shape[1], dy.flat, x_hat.flat, inv_std.flat, gamma.flat,
        dy.size // dy.shape[1], dgamma.flat, dbeta.flat, dx.flat,
    )  # fmt: skip
    return dx


# ── groups ───────────────────────────────────────────────────────────────────────────────────


def group_norm_forward(x, gamma, beta, groups, eps, buffers):
    y = empty(buffers, "y", x.shape[1:], x)
    x_hat = empty(buffers, "x_hat", x.shape[1:], x)
    inv_std = buffers.empty("inv_std", groups * len(x), x.dtype)
    launch(
        normalize_groups, blocks(x, groups), x.flat, gamma.flat, beta.flat, x.dtype.type(eps),
        len(x), prod(x.shape[2:]), prod(x.shape[1:]) // groups, y.flat, x_hat.flat, inv_std,
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
        group_slope, blocks(dy, groups), dy.flat, x_hat.flat, inv_std, gamma.flat, len(dy),
        positions, prod(dy.shape[1:]) // groups, dx.flat,
    )  # fmt: skip
    launch(
        sum_parameters, gamma.size, dy.flat, x_hat.flat, len(dy) * positions, dgamma.flat,
        dbeta.flat,
    )  # fmt: skip
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


@kernel("F F n F F")
def sum_parameters(dy, x_hat, count, dgamma, dbeta):
    """dgamma and dbeta alone."""
    shared = cuda.shared.array(THREADS, dy.dtype)
    parameter_gradients(dy, x_hat, count, shared, dgamma, dbeta)


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
