"""Slow twins of the operations: the contract's formulas as plain loops, one number at a time."""

from math import exp, log, sqrt

import numpy as np


def dense(x, w, b):
    """y[n,o] = b[o] + Σ_i w[o,i] · x[n,i]."""
    y = np.zeros((len(x), len(w)))
    for n, o in np.ndindex(y.shape):
        y[n, o] = b[o]
        for i in range(x.shape[1]):
            y[n, o] += w[o, i] * x[n, i]
    return y


def softmax_cross_entropy(z, labels):
    """The mean over images of −z[t] + log Σ_c exp(z[c]), each image's largest z taken out."""
    total = 0.0
    for row, t in zip(z.tolist(), labels):
        total += max(row) - row[t] + log(sum(exp(value - max(row)) for value in row))
    return total / len(z)


def batch_norm(x, gamma, beta, eps):
    """y = gamma · (x − μ) / √(σ² + eps) + beta, μ and σ² over a channel's images and positions."""
    y = np.zeros(x.shape)
    for c in range(x.shape[1]):
        values = x[:, c].ravel().tolist()
        mean = sum(values) / len(values)
        variance = sum((value - mean) ** 2 for value in values) / len(values)
        for n, i, j in np.ndindex(y[:, c].shape):
            x_hat = (x[n, c, i, j] - mean) / sqrt(variance + eps)
            y[n, c, i, j] = gamma[c] * x_hat + beta[c]
    return y


def pixel(x, n, c, row, column, outside=0.0):
    inside = 0 <= row < x.shape[2] and 0 <= column < x.shape[3]
    return x[n, c, row, column] if inside else outside


def conv2d(x, w, b, stride, padding, dilation, groups, output):
    """y[n,f,i,j] = b[f] + Σ_{c,u,v} w[f,c,u,v] · x[n, c, i·s+u·d−p, j·s+v·d−p], c in f's group."""
    y = np.zeros((len(x), len(w), *output))
    for n, f, i, j in np.ndindex(y.shape):
        y[n, f, i, j] = 0 if b is None else b[f]
        first = f // (len(w) // groups) * w.shape[1]  # channel of the group
        for c, u, v in np.ndindex(w.shape[1:]):
            row, column = met(i, j, u, v, stride, padding, dilation)
            y[n, f, i, j] += w[f, c, u, v] * pixel(x, n, first + c, row, column)
    return y


def met(i, j, u, v, stride, padding, dilation):
    """The pixel that output (i, j) meets through tap (u, v)."""
    return (
        i * stride[0] + u * dilation[0] - padding[0],
        j * stride[1] + v * dilation[1] - padding[1],
    )


def conv_transpose2d(x, w, b, stride, padding, dilation, groups, output):
    """Every input pixel paints the kernel, scaled, into the output, on the filters of its group."""
    y = np.zeros((len(x), groups * w.shape[1], *output))
    for n, c, i, j in np.ndindex(x.shape):
        first = c // (len(w) // groups) * w.shape[1]  # filter of the group
        for f, u, v in np.ndindex(w.shape[1:]):
            row, column = met(i, j, u, v, stride, padding, dilation)
            if 0 <= row < output[0] and 0 <= column < output[1]:
                y[n, first + f, row, column] += w[c, f, u, v] * x[n, c, i, j]
    return y if b is None else y + b[:, None, None]


def avg_pool(x, kernel, stride, padding, output, count_include_pad):
    """The mean of each window: of its pixels inside the image, or inside the image and padding."""
    y = np.zeros((*x.shape[:2], *output))
    height, width = x.shape[2] + 2 * padding[0], x.shape[3] + 2 * padding[1]
    for n, c, i, j in np.ndindex(y.shape):
        count = 0
        for u, v in np.ndindex(kernel):
            row, column = i * stride[0] + u, j * stride[1] + v  # in the padded image
            at = row - padding[0], column - padding[1]
            inside = 0 <= at[0] < x.shape[2] and 0 <= at[1] < x.shape[3]
            y[n, c, i, j] += pixel(x, n, c, *at)
            count += inside or (count_include_pad and row < height and column < width)
        y[n, c, i, j] /= count
    return y


def max_pool(x, kernel, stride, padding, output):
    """The maximum of each window, and dx for dy = 1: a one at the first maximum."""
    y, dx = np.zeros((*x.shape[:2], *output)), np.zeros(x.shape)
    for n, c, i, j in np.ndindex(y.shape):
        best = None
        for u, v in np.ndindex(kernel):
            at = i * stride[0] + u - padding[0], j * stride[1] + v - padding[1]
            value = pixel(x, n, c, *at, outside=-np.inf)
            if value > -np.inf and (best is None or value > best[0]):
                best = value, at
        y[n, c, i, j] = best[0]
        dx[n, c, *best[1]] += 1
    return y, dx
