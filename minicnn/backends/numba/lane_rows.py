"""Sums and results in each image's own lane, for the normalisation of groups.

Each function goes down one row of an array (rows, S · B), a register of images at a time. Its
factors and sums lie in row `at` of arrays (…, B).
"""

from .runtime import device
from .simd import add_dots, add_rows, length, load_tile, store, zeros


@device
def lane_totals(x, row, result, at):
    """result = Σ x."""
    size, lanes = x.shape[1], result.shape[1]
    for q in range(0, lanes, length(x)):
        tile = zeros(1, 1, x)
        for o in range(row * size + q, (row + 1) * size, lanes):
            tile = add_rows(tile, x, o, 0)
        store(tile, result, at * lanes + q, 0, 0, 1)


@device
def lane_products(x, y, row, result, at):
    """result = Σ x · y."""
    size, lanes = x.shape[1], result.shape[1]
    for q in range(0, lanes, length(x)):
        tile = zeros(1, 1, x)
        for o in range(row * size + q, (row + 1) * size, lanes):
            tile = add_dots(tile, x, (0,), o, y, (0,), o)
        store(tile, result, at * lanes + q, 0, 0, 1)


@device
def lane_squares(x, row, minus_mean, result, at):
    """result = Σ (x − mean)²."""
    size, lanes = x.shape[1], result.shape[1]
    for q in range(0, lanes, length(x)):
        tile, here = zeros(1, 1, x), at * lanes + q
        for o in range(row * size + q, (row + 1) * size, lanes):
            store(add_rows(load_tile(1, 1, x, o, 0, 0), minus_mean, here, 0), result, here, 0, 0, 1)
            tile = add_dots(tile, result, (0,), here, result, (0,), here)
        store(tile, result, here, 0, 0, 1)


@device
def normalize_lanes(x, row, minus_mean, inv_std, at, x_hat):
    """x̂ = (x − mean) · inv_std."""
    size, lanes = x.shape[1], inv_std.shape[1]
    for q in range(0, lanes, length(x)):
        here = at * lanes + q
        for o in range(row * size + q, (row + 1) * size, lanes):
            store(add_rows(load_tile(1, 1, x, o, 0, 0), minus_mean, here, 0), x_hat, o, 0, 0, 1)
            tile = add_dots(zeros(1, 1, x), x_hat, (0,), o, inv_std, (0,), here)
            store(tile, x_hat, o, 0, 0, 1)


@device
def combine_lanes(x, scale, y, along, shift, row, at, z):
    """z = scale · x + along · y + shift."""
    size, lanes = x.shape[1], shift.shape[1]
    for q in range(0, lanes, length(x)):
        here = at * lanes + q
        for o in range(row * size + q, (row + 1) * size, lanes):
            tile = load_tile(1, 1, shift, here, 0, 0)
            tile = add_dots(tile, y, (0,), o, along, (0,), here)
            tile = add_dots(tile, x, (0,), o, scale, (0,), here)
            store(tile, z, o, 0, 0, 1)
