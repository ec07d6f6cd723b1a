"""Batch normalisation: a block per channel. Its threads add up the channel for the mean and again
for the variance, and then write the result: three passes over S numbers, about two operations each.

The kernels see a batch as (C, S): a channel's S numbers, all its positions of all images, lie
together.
"""

from math import isfinite, sqrt

from .arrays import empty
from .device import THREADS, Array, cuda, kernel, launch
from .sums import block_sum


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


@kernel("F F F F n F F F")
def batch_slope(dy, x_hat, inv_std, gamma, count, dgamma, dbeta, dx):
    """dx = gamma · inv_std · (dy − dbeta / M − x̂ · dgamma / M) of the block's channel."""
    shared = cuda.shared.array(THREADS, dy.dtype)
    c, t, m = cuda.blockIdx.x, cuda.threadIdx.x, dy.dtype.type(count)
    products, total = dy.dtype.type(0), dy.dtype.type(0)
    for k in range(c * count + t, (c + 1) * count, THREADS):
        products += dy[k] * x_hat[k]
        total += dy[k]
    products, total = block_sum(products, shared), block_sum(total, shared)
    if t == 0:
        dgamma[c], dbeta[c] = products, total
    for k in range(c * count + t, (c + 1) * count, THREADS):
        dx[k] = gamma[c] * inv_std[c] * (dy[k] - total / m - x_hat[k] * (products / m))


def batch_norm_inference_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers):
    return slope(fixed_slope, dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers)


@kernel("F F F F n F F F")
def fixed_slope(dy, x_hat, inv_std, gamma, count, dgamma, dbeta, dx):
    """dx = gamma · inv_std · dy of the block's channel."""
    shared = cuda.shared.array(THREADS, dy.dtype)
    c, t = cuda.blockIdx.x, cuda.threadIdx.x
    products, total = dy.dtype.type(0), dy.dtype.type(0)
    for k in range(c * count + t, (c + 1) * count, THREADS):
        products += dy[k] * x_hat[k]
        total += dy[k]
        dx[k] = gamma[c] * inv_std[c] * dy[k]
    products, total = block_sum(products, shared), block_sum(total, shared)
    if t == 0:
        dgamma[c], dbeta[c] = products, total


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
