"""Batch and group normalisation. One iteration of the parallel loop is one channel, or one group of
a block of images: its numbers are few enough to stay in a core's cache while they are read for the
mean, the variance and the result.

The kernels see a batch as (blocks, C, S · B): S positions of a channel, each with B images beside
each other. A mean over the batch crosses the lanes, and padded ones are 0, which adds nothing. The
mean of a group stays in its image's lane: whole registers are added, and nobody asks which lanes
are padding until the images' parts of a gradient are added up.
"""

from math import isfinite, prod, sqrt

from numba import prange

from .lane_rows import combine_lanes, lane_products, lane_squares, lane_totals, normalize_lanes
from .layout import by_channel, clear_padding, empty, rows
from .runtime import device, kernel
from .sums import product, squared_deviation, total


def batch_norm_forward(x, gamma, beta, running_mean, running_var, momentum, eps, buffers):
    y, x_hat, inv_std = outputs(x, gamma, buffers)
    clear_padding(x)
    normalize_batch(
        by_channel(x), x.count, x.data.shape[-1], gamma, beta, running_mean, running_var,
        x.dtype.type(momentum), x.dtype.type(eps), by_channel(y), by_channel(x_hat), inv_std,
    )  # fmt: skip
    return y, x_hat, inv_std


@kernel
def normalize_batch(
    x, images, lanes, gamma, beta, running_mean, running_var, momentum, eps, y, x_hat, inv_std
):
    """μ, σ² and y = gamma · (x − μ) / √(σ² + eps) + beta, channel by channel."""
    count = x.dtype.type(images * (x.shape[2] // lanes))
    one = x.dtype.type(1)
    for c in prange(x.shape[1]):
        mean = channel_total(x, c) / count
        squares = channel_squares(x, c, mean, images, lanes)
        if isfinite(squares):  # a channel with NaN or Inf in it is no statistic
            running_mean[c] += momentum * (mean - running_mean[c])
            running_var[c] += momentum * (squares / (count - one) - running_var[c])
        inv_std[c] = one / sqrt(squares / count + eps)
        normalize(x, c, mean, inv_std[c], gamma[c], beta[c], y, x_hat)


@device
def channel_total(x, c):
    """Σ x over channel c."""
    result = x.dtype.type(0)
    for g in range(len(x)):
        result += total(x[g, c])
    return result


@device
def channel_squares(x, c, mean, images, lanes):
    """Σ (x − mean)² over channel c. Padding would add mean², so the last block shows its images."""
    result = x.dtype.type(0)
    whole, rest = images // lanes, images % lanes
    for g in range(whole):
        result += squared_deviation(x[g, c], mean)
    for k in range(0, x.shape[2] if rest else 0, lanes):
        result += squared_deviation(x[whole, c, k : k + rest], mean)
    return result


def batch_norm_inference(x, gamma, beta, running_mean, running_var, eps, buffers):
    y, x_hat, inv_std = outputs(x, gamma, buffers)
    normalize_fixed(
        by_channel(x), gamma, beta, running_mean, running_var, x.dtype.type(eps),
        by_channel(y), by_channel(x_hat), inv_std,
    )  # fmt: skip
    return y, x_hat, inv_std


@kernel
def normalize_fixed(x, gamma, beta, running_mean, running_var, eps, y, x_hat, inv_std):
    """The same with the running statistics for μ and σ²."""
    for c in prange(x.shape[1]):
        inv_std[c] = x.dtype.type(1) / sqrt(running_var[c] + eps)
        normalize(x, c, running_mean[c], inv_std[c], gamma[c], beta[c], y, x_hat)


@device
def normalize(x, c, mean, inv_std, gamma, beta, y, x_hat):
    """x̂ = (x − mean) · inv_std and y = gamma · x̂ + beta for channel c."""
    for g in range(len(x)):
        for k in range(x.shape[2]):
            x_hat[g, c, k] = (x[g, c, k] - mean) * inv_std
            y[g, c, k] = gamma * x_hat[g, c, k] + beta


def batch_norm_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    clear_padding(dy)
    clear_padding(x_hat)
    count = dy.dtype.type(dy.count * prod(dy.shape[2:]))
    batch_slope(
        by_channel(dy), by_channel(x_hat), count, inv_std, gamma, dgamma, dbeta, by_channel(dx)
    )
    return dx


@kernel
def batch_slope(dy, x_hat, count, inv_std, gamma, dgamma, dbeta, dx):
    """dx = gamma · inv_std · (dy − dbeta / M − x̂ · dgamma / M), over M = count values."""
    for c in prange(dy.shape[1]):
        parameter_gradients(dy, x_hat, c, dgamma, dbeta)
        scale, along, mean = gamma[c] * inv_std[c], dgamma[c] / count, dbeta[c] / count
        for g in range(len(dy)):
            for k in range(dy.shape[2]):
                dx[g, c, k] = scale * (dy[g, c, k] - mean - x_hat[g, c, k] * along)


def batch_norm_inference_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    clear_padding(dy)
    clear_padding(x_hat)
    fixed_slope(by_channel(dy), by_channel(x_hat), inv_std, gamma, dgamma, dbeta, by_channel(dx))
    return dx


@kernel
def fixed_slope(dy, x_hat, inv_std, gamma, dgamma, dbeta, dx):
    """dx = gamma · inv_std · dy."""
    for c in prange(dy.shape[1]):
        parameter_gradients(dy, x_hat, c, dgamma, dbeta)
        scale = gamma[c] * inv_std[c]
        for g in range(len(dy)):
            for k in range(dy.shape[2]):
                dx[g, c, k] = scale * dy[g, c, k]


@device
def parameter_gradients(dy, x_hat, c, dgamma, dbeta):
    """dgamma = Σ dy · x̂ and dbeta = Σ dy over channel c."""
    along = dy.dtype.type(0)
    for g in range(len(dy)):
        along += product(dy[g, c], x_hat[g, c])
    dgamma[c], dbeta[c] = along, channel_total(dy, c)


def outputs(x, gamma, buffers):
    """Memory for y, x̂ and 1 / √(σ² + eps)."""
    y, x_hat = (empty(buffers, name, x.shape[1:], x) for name in ("y", "x_hat"))
    return y, x_hat, buffers.empty("inv_std", gamma.shape, x.dtype)


# ── groups: a statistic in each lane ─────────────────────────────────────────────────────────


def group_norm_forward(x, gamma, beta, groups, eps, buffers):
    y, x_hat = (empty(buffers, name, x.shape[1:], x) for name in ("y", "x_hat"))
    per_group = len(x.data) * groups, x.data.shape[-1]
    minus_mean, part = buffers.empty("lanes", (2, *per_group), x.dtype)
    inv_std = buffers.empty("inv_std", per_group, x.dtype)
    normalize_groups(
        rows(x), gamma, beta, x.dtype.type(eps), minus_mean, part, rows(y), rows(x_hat),
        inv_std,
    )  # fmt: skip
    return y, x_hat, inv_std


@kernel
def normalize_groups(x, gamma, beta, eps, minus_mean, part, y, x_hat, inv_std):
    """x̂ = (x − μ) / √(σ² + eps) and y = gamma · x̂ + beta, group by group.

    minus_mean (−μ), part (sums of a channel) and inv_std are (blocks · groups, B).
    """
    groups, lanes = inv_std.shape
    size = len(x) // groups  # channels of a group: as many rows one after the other
    count, one = x.dtype.type(size * (x.shape[1] // lanes)), x.dtype.type(1)
    for group in prange(groups):
        for b in range(lanes):
            minus_mean[group, b] = inv_std[group, b] = 0
        for row in range(group * size, (group + 1) * size):
            lane_totals(x, row, part, group)
            for b in range(lanes):
                minus_mean[group, b] -= part[group, b] / count
        for row in range(group * size, (group + 1) * size):
            lane_squares(x, row, minus_mean, part, group)
            for b in range(lanes):
                inv_std[group, b] += part[group, b] / count
        for b in range(lanes):
            inv_std[group, b] = one / sqrt(inv_std[group, b] + eps)
        for row in range(group * size, (group + 1) * size):
            c = row % len(gamma)
            normalize_lanes(x, row, minus_mean, inv_std, group, x_hat)
            for k in range(x.shape[1]):
                y[row, k] = gamma[c] * x_hat[row, k] + beta[c]


def group_norm_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, groups, buffers):
    dx = empty(buffers, "dx", dy.shape[1:], dy)
    sums = buffers.empty("sums", (2, len(rows(dy)), dy.data.shape[-1]), dy.dtype)
    factors = buffers.empty("factors", (3, *inv_std.shape), dy.dtype)
    group_slope(
        rows(dy), rows(x_hat), dy.count, inv_std, gamma, *sums, *factors, dgamma, dbeta, rows(dx)
    )
    return dx


@kernel
def group_slope(
    dy, x_hat, images, inv_std, gamma, products, totals, along, shift, scale, dgamma, dbeta, dx
):
    """dx = inv_std · (g − Σ g / M − x̂ · Σ g · x̂ / M) with g = gamma · dy.

    products (Σ dy · x̂ of an image's channel) and totals (Σ dy) are (blocks · C, B); along, shift
    and scale, the factors in dx = scale · dy + along · x̂ + shift, (blocks · groups, B).
    """
    groups, lanes = inv_std.shape
    size = len(dy) // groups
    count = dy.dtype.type(size * (dy.shape[1] // lanes))
    for group in prange(groups):
        for b in range(lanes):
            along[group, b] = shift[group, b] = 0
        for row in range(group * size, (group + 1) * size):
            lane_products(dy, x_hat, row, products, row)
            lane_totals(dy, row, totals, row)
            share = gamma[row % len(gamma)] / count
            for b in range(lanes):
                along[group, b] -= share * inv_std[group, b] * products[row, b]
                shift[group, b] -= share * inv_std[group, b] * totals[row, b]
        for row in range(group * size, (group + 1) * size):
            for b in range(lanes):
                scale[group, b] = gamma[row % len(gamma)] * inv_std[group, b]
            combine_lanes(dy, scale, x_hat, along, shift, row, group, dx)
    for c in prange(len(gamma)):
        dgamma[c] = dbeta[c] = 0
        for n in range(0, images, lanes):
            row, last = n // lanes * len(gamma) + c, min(lanes, images - n)
            dgamma[c] += total(products[row, :last])
            dbeta[c] += total(totals[row, :last])
