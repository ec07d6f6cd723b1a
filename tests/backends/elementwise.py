"""Operations on each number or image, forward and backward, each written once for any backend.

Lanes that hold no image are NaN here before any operation sees them, so one that reached a result
would show.
"""

from math import prod

import numpy as np

from minicnn import backends
from minicnn import layers as nn

numpy, numba = backends.get("numpy"), backends.get("numba")
TOLERANCE = {"float32": 1e-4, "float64": 1e-10}


class Run:
    """One backend, a stream of random numbers, and the memory of a layer."""

    def __init__(self, ops, images, dtype, seed):
        self.ops, self.images, self.dtype = ops, images, dtype
        self.rng, self.buffers = np.random.default_rng(seed), ops.Buffers()

    def array(self, *shape):
        return self.rng.standard_normal(shape).astype(self.dtype)

    def batch(self, *shape):
        return self.place(self.array(self.images, *shape))

    def place(self, array):
        """The array as a Batch; numba's padded lanes are NaN."""
        x = self.ops.from_numpy(array)
        if self.ops is numba:
            blocks, lanes = x.data.shape[0], x.data.shape[-1]
            x.data[-1, ..., x.count - (blocks - 1) * lanes :] = np.nan
            x.cleared = blocks * lanes == x.count
        return x


def results(case, run, *arguments):
    """What a case computes, all as NumPy."""
    return [
        run.ops.to_numpy(r) if hasattr(r, "count") else np.asarray(r) for r in case(run, *arguments)
    ]


def check(case, *arguments, images, dtype, seed):
    """A case gives on numba what it gives on numpy."""
    wanted = results(case, Run(numpy, images, dtype, seed), *arguments)
    found = results(case, Run(numba, images, dtype, seed), *arguments)
    for a, b in zip(found, wanted, strict=True):
        assert a.shape == b.shape
        scale = np.max(np.abs(b), initial=0, where=np.isfinite(b))
        np.testing.assert_allclose(a, b, TOLERANCE[dtype], TOLERANCE[dtype] * scale)


def activation(kind, *numbers):
    def case(run, shape):
        x = run.batch(*shape)
        y = run.ops.activation_forward(x, kind.formulas[0], numbers, run.buffers)
        kept = x if kind.keeps == "x" else y
        dy, slope = run.batch(*shape), kind.formulas[1]
        return y, run.ops.activation_backward(dy, kept, slope, numbers, run.buffers)

    return case


relu, sigmoid, tanh = map(activation, [nn.ReLU, nn.Sigmoid, nn.Tanh])
leaky_relu = activation(nn.LeakyReLU, 0.1)


def max_pool(run, layer, shape):
    window = layer.window(shape)
    y, winner = run.ops.max_pool_forward(run.batch(*shape), window, False, run.buffers)
    dy = run.batch(shape[0], *window.output)
    return y, winner, run.ops.max_pool_backward(dy, winner, window, run.buffers)


def avg_pool(run, layer, shape):
    window = layer.window(shape)
    divisor = layer.window_sizes(window)
    y = run.ops.avg_pool_forward(run.batch(*shape), window, divisor, run.buffers)
    dy = run.batch(shape[0], *window.output)
    return y, run.ops.avg_pool_backward(dy, window, divisor, run.buffers)


def batch_norm(run, shape):
    features = shape[:1]
    gamma, beta, mean, dgamma, dbeta = (run.array(*features) for _ in range(5))
    var = np.abs(run.array(*features))
    y, x_hat, inv_std = run.ops.batch_norm_forward(
        run.batch(*shape), gamma, beta, mean, var, 0.1, 1e-5, run.buffers
    )
    dy = run.batch(*shape)
    dx = run.ops.batch_norm_backward(dy, x_hat, inv_std, gamma, dgamma, dbeta, run.buffers)
    return y, x_hat, inv_std, mean, var, dx, dgamma, dbeta


def batch_norm_inference(run, shape):
    features = shape[:1]
    gamma, beta, mean, dgamma, dbeta = (run.array(*features) for _ in range(5))
    var = np.abs(run.array(*features))
    y, x_hat, inv_std = run.ops.batch_norm_inference(
        run.batch(*shape), gamma, beta, mean, var, 1e-5, run.buffers
    )
    dx = run.ops.batch_norm_inference_backward(
        run.batch(*shape), x_hat, inv_std, gamma, dgamma, dbeta, run.buffers
    )
    return y, x_hat, inv_std, mean, var, dx, dgamma, dbeta


def group_norm(run, groups, shape):
    gamma, beta, dgamma, dbeta = (run.array(shape[0]) for _ in range(4))
    y, x_hat, inv_std = run.ops.group_norm_forward(
        run.batch(*shape), gamma, beta, groups, 1e-5, run.buffers
    )
    dy = run.batch(*shape)
    dx = run.ops.group_norm_backward(
        dy, x_hat, inv_std, gamma, dgamma, dbeta, groups, run.buffers
    )
    return y, x_hat, dx, dgamma, dbeta


def dropout(run, shape):
    step = np.array([7])
    y, mask = run.ops.dropout_forward(run.batch(*shape), 0.3, (2**32 - 1, 5), step, run.buffers)
    return y, mask, run.ops.dropout_backward(run.batch(*shape), mask, run.buffers), step


def softmax_cross_entropy(run, shape):
    features = prod(shape)
    target = run.place(np.abs(run.array(run.images, features)))
    loss, p = run.ops.softmax_cross_entropy_forward(run.batch(features), target, 2.5, run.buffers)
    return loss, p, run.ops.softmax_cross_entropy_backward(p, target, 2.5, run.buffers)


def sigmoid_cross_entropy(run, shape):
    target = run.place(run.rng.random((run.images, *shape)).astype(run.dtype))
    loss, p = run.ops.sigmoid_cross_entropy_forward(run.batch(*shape), target, run.buffers)
    return loss, p, run.ops.sigmoid_cross_entropy_backward(p, target, run.buffers)


def mean_squared_error(run, shape):
    x, target = run.batch(*shape), run.batch(*shape)
    loss = run.ops.mean_squared_error_forward(x, target, run.buffers)
    return loss, run.ops.mean_squared_error_backward(x, target, run.buffers)


def count_correct(run, classes):
    labels = run.rng.integers(0, max(2, classes), run.images)
    return (run.ops.count_correct(run.batch(classes), labels, run.buffers),)


def update(name, slots, *rates):
    """Two steps of an optimiser on an array of `shape` and on a vector of 3."""

    def case(run, shape):
        shapes = [shape, (3,)]
        values, grads = ([run.array(*s) for s in shapes] for _ in range(2))
        memory = [[np.abs(run.array(*s)) for s in shapes] for _ in range(slots)]
        for _ in range(2):
            getattr(run.ops, name)(values, grads, *(memory or [[]]), *rates)
        return [*values, *(slot for each in memory for slot in each)]

    case.__name__ = name
    return case


def adam(run, shape, decoupled=False):
    case = update("adam_update", 2, 3, 1e-3, 0.9, 0.999, 1e-8, 0.01, decoupled)
    return case(run, shape)


def adamw(run, shape):
    return adam(run, shape, decoupled=True)


def plain_sgd(run, shape):
    values, grads = ([run.array(*shape)] for _ in range(2))
    run.ops.sgd_update(values, grads, [], 0.1, 0.0, False, 0.01)
    return values


def penalties(run, shape):
    values, grads = ([run.array(*shape), run.array(2)] for _ in range(2))
    run.ops.add_penalty_gradient(values, grads, 0.1, 0.2)
    return [run.ops.penalty(values, 0.1, 0.2), run.ops.clip(values, 0.5), *values, *grads]


ELEMENT_WISE = [relu, leaky_relu, sigmoid, tanh, sigmoid_cross_entropy, mean_squared_error]
ELEMENT_WISE += [softmax_cross_entropy]
UPDATES = [
    plain_sgd,
    update("sgd_update", 1, 0.1, 0.9, False, 0.01),
    update("sgd_update", 1, 0.1, 0.9, True, 0.0),
    update("rmsprop_update", 1, 0.01, 0.99, 1e-8, 0.01),
    update("adagrad_update", 1, 0.01, 1e-10, 0.01),
    adam,
    adamw,
    penalties,
]
CASES = dict.fromkeys([*ELEMENT_WISE, batch_norm, batch_norm_inference, dropout], ((5, 9, 7),))
CASES |= dict.fromkeys(UPDATES, ((3, 50, 71),))
CASES |= {count_correct: (10,), group_norm: (2, (6, 9, 7))}
CASES |= {max_pool: (nn.MaxPool2D(3, 2, 1), (5, 9, 7)), avg_pool: (nn.AvgPool2D(2), (5, 9, 7))}
