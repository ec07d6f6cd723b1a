import numpy as np
from grading import book, oracles
from grading.mistakes import Shown

from minicnn import SoftmaxCrossEntropy

TITLE, MINUTES = "softmax cross-entropy", 20
PAGE = "backprop/softmax-cross-entropy.md", "The formula and its derivation"
PREDICTION = "a"
BECAUSE = "p − 1 = −1: however wrong a network is, no gradient is larger"
HINTS = (
    "What becomes of p if 5 is added to every z of an image? So which constant may be taken out?",
    "z ← z − max z,   log p = z − log Σ e^z,   dz = (p − one-hot) / N",
    "-= 1",
)
LIBRARY = "minicnn/backends/numpy/loss.py", "softmax_cross_entropy_forward"
BLANK, GIVES = "softmax_cross_entropy", ("loss", "dz")


def softmax_cross_entropy(z, labels):
    z = z - z.max(axis=1, keepdims=True)
    log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    images = np.arange(len(z))
    loss = -log_p[images, labels].mean()
    dz = np.exp(log_p)
    dz[images, labels] -= 1
    return loss, dz / len(z)


def paper():
    page = book.names(PAGE[0], book.ON_PAPER)
    return (page["z"], page["right"]), (page["value"], page["dz"])


def cases():
    z = np.random.default_rng(6).standard_normal((4, 5))
    return [
        (z, np.array([0, 4, 2, 2])),
        (np.array([[1000.0, 0.0, -1000.0], [0.0, 1.0, 2.0]]), np.array([1, 2])),  # its p is 0
    ]


def loops(z, labels):
    return oracles.softmax_cross_entropy(z, labels), None


def measured(z, labels):
    return {"z": (lambda z: oracles.softmax_cross_entropy(z, labels), z)}


def library(z, labels, kind=SoftmaxCrossEntropy):
    loss = kind()
    value = loss.forward(z, labels)
    return value, loss.backward()


def naive(z, labels):
    """the exponentials are taken as they are: e^1000 is ∞, and ∞ / ∞ is no number"""
    with np.errstate(all="ignore"):
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        images = np.arange(len(z))
        loss = -np.log(p[images, labels]).mean()
    dz = p.copy()
    dz[images, labels] -= 1
    return loss, dz / len(z)


def naive_logarithm(z, labels):
    """the exponentials are taken as they are: e^1000 is ∞, and so is its logarithm"""
    with np.errstate(all="ignore"):
        log_p = z - np.log(np.exp(z).sum(axis=1, keepdims=True))
    images = np.arange(len(z))
    dz = np.exp(log_p)
    dz[images, labels] -= 1
    return -log_p[images, labels].mean(), dz / len(z)


def logarithm_of_p(z, labels, more=0.0):
    """the logarithm is taken of p, which may be 0: that of z − log Σ e^z is never infinite"""
    _, dz = softmax_cross_entropy(z, labels)
    p = 1 + len(z) * dz[np.arange(len(z)), labels]
    return -np.log(p + more).mean(), dz


def little_added(z, labels):
    """1e-15 is added to p against log 0: the loss is then never above 35"""
    return logarithm_of_p(z, labels, 1e-15)


def clipped(z, labels):
    """z is cut off at ±500 against e^1000: larger losses than that are lost"""
    return softmax_cross_entropy(np.clip(z, -500, 500), labels)


def without_one(z, labels):
    """the right class's 1 is not subtracted: what you said, without what was right"""
    loss, dz = softmax_cross_entropy(z, labels)
    dz[np.arange(len(z)), labels] += 1 / len(z)
    return loss, dz


def over_classes(z, labels):
    """the mean is over images and classes, not over images alone"""
    loss, dz = softmax_cross_entropy(z, labels)
    return loss / z.shape[1], dz / z.shape[1]


def summed(z, labels):
    """the loss is a sum over images, not their mean"""
    loss, dz = softmax_cross_entropy(z, labels)
    return loss * len(z), dz * len(z)


MISTAKES = (
    Shown(PAGE[0], "Sum"), naive, naive_logarithm, logarithm_of_p, little_added, clipped,
    without_one, over_classes, summed,
)  # fmt: skip
