import numpy as np
from grading import book

from minicnn import backends

TITLE, MINUTES = "momentum", 5
PAGE = "one-step.md", "Optimisers that remember"
PREDICTION = "a"
BECAUSE = "1 + 0.9 + 0.9² + … = 1 / (1 − 0.9)"
HINTS = (
    "Which of the two is updated first, and does the other see the new one?",
    "first v = momentum · v + g, then w − lr · v with this v",
    "v =",
)
LIBRARY = "minicnn/backends/numpy/update.py", "sgd_update"
BLANK, GIVES = "momentum_step", ("w", "v")


def momentum_step(w, g, v, lr, momentum):
    v = momentum * v + g
    return w - lr * v, v


def paper():
    """The page's second step, from where the first one led."""
    page = book.names(*PAGE)
    (w, v), wanted = (tuple(np.array([number]) for number in numbers) for numbers in page["seen"])
    return (w, np.array([3.0]), v, page["momentum"].lr, page["momentum"].momentum), wanted


def cases():
    rng = np.random.default_rng(17)
    return [(*rng.standard_normal((3, 4)), 0.1, momentum) for momentum in (0.9, 0.5)]


def library(w, g, v, lr, momentum):
    w, v = w.copy(), v.copy()
    backends.get("numpy").sgd_update([w], [g], [v], lr, momentum, False, 0.0)
    return w, v


def old_velocity(w, g, v, lr, momentum):
    """w moves with the velocity of before this step"""
    return w - lr * v, momentum * v + g


def uphill(w, g, v, lr, momentum):
    """w moves with the gradient, not against it: uphill"""
    v = momentum * v + g
    return w + lr * v, v


def damped(w, g, v, lr, momentum):
    """the gradient is multiplied by 1 − momentum, as in a running mean"""
    v = momentum * v + (1 - momentum) * g
    return w - lr * v, v


def rate_in_velocity(w, g, v, lr, momentum):
    """the learning rate is part of the velocity: when it changes, old steps keep the old one"""
    v = momentum * v + lr * g
    return w - v, v


def nesterov(w, g, v, lr, momentum):
    """w looks ahead, with momentum · v + g: Nesterov's momentum"""
    v = momentum * v + g
    return w - lr * (momentum * v + g), v


MISTAKES = old_velocity, uphill, damped, rate_in_velocity, nesterov
