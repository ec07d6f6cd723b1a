import numpy as np
from grading import book

from minicnn import backends

TITLE, MINUTES = "Adam", 10
PAGE = "one-step.md", "Optimisers that remember"
PREDICTION = "b"
BECAUSE = "at the first step m̂ = g and √ŝ = |g|: only the sign of the gradient is left"
HINTS = (
    "At step 1, m is only (1 − beta1) · g. By what must it be divided to be g?",
    "m̂ = m / (1 − beta1^step), ŝ = s / (1 − beta2^step); m and s are handed on uncorrected",
    "np.sqrt",
)
LIBRARY = "minicnn/backends/numpy/update.py", "adam_update"
BLANK, GIVES = "adam_step", ("w", "m", "s")


def adam_step(w, g, m, s, step, lr, beta1, beta2, eps):
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * g**2
    m_hat = m / (1 - beta1**step)
    s_hat = s / (1 - beta2**step)
    return w - lr * m_hat / (np.sqrt(s_hat) + eps), m, s


def paper():
    page = book.names(*PAGE)
    adam, zero = page["adam"], np.zeros(1)
    wanted = tuple(np.array([number]) for number in page["first"])
    arguments = np.array([1.0]), np.array([4.0]), zero, zero, 1, adam.lr, *adam.betas, adam.eps
    return arguments, wanted


def cases():
    rng = np.random.default_rng(18)
    w, g, m = rng.standard_normal((3, 4))
    s = rng.uniform(0.5, 2, 4)
    return [(w, g, m, s, step, 0.1, 0.9, 0.99, 0.01) for step in (1, 2, 10)]


def library(w, g, m, s, step, lr, beta1, beta2, eps):
    w, m, s = w.copy(), m.copy(), s.copy()
    backends.get("numpy").adam_update(
        [w], [g], [m], [s], step, lr, beta1, beta2, eps, 0.0, False
    )
    return w, m, s


def uncorrected(w, g, m, s, step, lr, beta1, beta2, eps):
    """the means are not corrected for their beginning at 0"""
    _, m, s = adam_step(w, g, m, s, step, lr, beta1, beta2, eps)
    return w - lr * m / (np.sqrt(s) + eps), m, s


def eps_inside(w, g, m, s, step, lr, beta1, beta2, eps):
    """eps is under the root, not beside it"""
    _, m, s = adam_step(w, g, m, s, step, lr, beta1, beta2, eps)
    m_hat, s_hat = m / (1 - beta1**step), s / (1 - beta2**step)
    return w - lr * m_hat / np.sqrt(s_hat + eps), m, s


def no_root(w, g, m, s, step, lr, beta1, beta2, eps):
    """the root is forgotten"""
    _, m, s = adam_step(w, g, m, s, step, lr, beta1, beta2, eps)
    return w - lr * m / (1 - beta1**step) / (s / (1 - beta2**step) + eps), m, s


def corrected_means_kept(w, g, m, s, step, lr, beta1, beta2, eps):
    """the corrected means are handed on, and will be corrected once more"""
    w, m, s = adam_step(w, g, m, s, step, lr, beta1, beta2, eps)
    return w, m / (1 - beta1**step), s / (1 - beta2**step)


def counted_from_zero(w, g, m, s, step, lr, beta1, beta2, eps):
    """steps are counted one too far: the first is step 1"""
    _, m, s = adam_step(w, g, m, s, step, lr, beta1, beta2, eps)
    m_hat, s_hat = m / (1 - beta1 ** (step + 1)), s / (1 - beta2 ** (step + 1))
    return w - lr * m_hat / (np.sqrt(s_hat) + eps), m, s


def square_forgotten(w, g, m, s, step, lr, beta1, beta2, eps):
    """s is a mean of |g|, not of g²"""
    m = beta1 * m + (1 - beta1) * g
    s = beta2 * s + (1 - beta2) * np.abs(g)
    m_hat, s_hat = m / (1 - beta1**step), s / (1 - beta2**step)
    return w - lr * m_hat / (np.sqrt(s_hat) + eps), m, s


MISTAKES = (
    uncorrected, eps_inside, no_root, corrected_means_kept, counted_from_zero, square_forgotten,
)  # fmt: skip
