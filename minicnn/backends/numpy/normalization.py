"""Batch and group normalisation: the statistics of a channel run over all images and positions,
those of a group over its channels and positions in one image.
"""

import numpy as np

from .bias import all_but_channels, per_channel


def batch_norm_forward(x, gamma, beta, running_mean, running_var, momentum, eps, buffers):
    axes = all_but_channels(x)
    count = x.size // x.shape[1]
    mean = x.mean(axes)
    var = x.var(axes)
    seen = np.isfinite(var)  # a channel with NaN or Inf in it is no statistic
    running_mean[seen] += momentum * (mean - running_mean)[seen]
    running_var[seen] += momentum * (var * count / (count - 1) - running_var)[seen]
    return normalize(x, mean, var, gamma, beta, eps, buffers)


def batch_norm_inference(x, gamma, beta, running_mean, running_var, eps, buffers):
    return normalize(x, running_mean, running_var, gamma, beta, eps, buffers)


def normalize(x, mean, var, gamma, beta, eps, buffers):
    x_hat = buffers.empty("x_hat", x.shape, x.dtype)
    y = buffers.empty("y", x.shape, x.dtype)
    inv_std = 1 / np.sqrt(var.astype(x.dtype) + eps)
    np.subtract(x, per_channel(mean, x), out=x_hat)
    x_hat *= per_channel(inv_std, x)
    np.multiply(x_hat, per_channel(gamma, x), out=y)
    y += per_channel(beta, x)
    return y, x_hat, inv_std


def batch_norm_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers):
    count = dy.size // dy.shape[1]
    parameter_gradients(dy, x_hat, dgamma, dbeta)
    dx = np.multiply(
        x_hat, per_channel(dgamma / -count, dy), out=buffers.empty("dx", dy.shape, dy.dtype)
    )
    dx += dy
    dx -= per_channel(dbeta / count, dy)
    dx *= per_channel(gamma * inv_std, dy)
    return dx


def batch_norm_inference_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, buffers):
    parameter_gradients(dy, x_hat, dgamma, dbeta)
    dx = buffers.empty("dx", dy.shape, dy.dtype)
    return np.multiply(dy, per_channel(gamma * inv_std, dy), out=dx)


def parameter_gradients(dy, x_hat, dgamma, dbeta):
    axes = all_but_channels(dy)
    np.sum(dy * x_hat, axis=axes, out=dgamma)
    np.sum(dy, axis=axes, out=dbeta)


def group_norm_forward(x, gamma, beta, groups, eps, buffers):
    x_hat = buffers.empty("x_hat", x.shape, x.dtype)
    y = buffers.empty("y", x.shape, x.dtype)
    values = by_group(x, groups)
    inv_std = 1 / np.sqrt(values.var(axis=2, keepdims=True) + eps)
    normalized = by_group(x_hat, groups)
    np.subtract(values, values.mean(axis=2, keepdims=True), out=normalized)
    normalized *= inv_std
    np.multiply(x_hat, per_channel(gamma, x), out=y)
    y += per_channel(beta, x)
    return y, x_hat, inv_std


def group_norm_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, groups, buffers):
    parameter_gradients(dy, x_hat, dgamma, dbeta)
    dx = np.multiply(dy, per_channel(gamma, dy), out=buffers.empty("dx", dy.shape, dy.dtype))
    g, normalized = by_group(dx, groups), by_group(x_hat, groups)
    along = (g * normalized).mean(axis=2, keepdims=True)
    g -= g.mean(axis=2, keepdims=True)
    g -= normalized * along
    g *= inv_std
    return dx


def by_group(x, groups):
    """(N, C) or (N, C, H, W) as (N, groups, M)."""
    return x.reshape(len(x), groups, -1)
