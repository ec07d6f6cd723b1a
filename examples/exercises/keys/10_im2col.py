import numpy as np
from grading import book
from grading.mistakes import Like, Shown

from minicnn.backends.buffers import Buffers
from minicnn.backends.numpy.convolution import col2im, im2col
from minicnn.backends.window import Window

TITLE, MINUTES = "im2col, col2im", 30
PAGE = "backprop/convolution.md", "The code"
PREDICTION = "b"
BECAUSE = "4 taps for each of 4 outputs: most pixels are copied more than once"
HINTS = (
    "Take one tap (u, v): which pixels does it see, over all outputs? It is the image, shifted and "
    "strided.",
    "columns[c,u,v] = x[:, c, u : u + OH·s : s, v : v + OW·s : s], and dx[same slice] +=",
    "+=",
)
LIBRARY = "minicnn/backends/numpy/convolution.py", "im2col"
BLANK, GIVES = "there_and_back", ("columns", "dx")


def there_and_back(x, dcolumns, kernel, stride):
    images, channels, height, width = x.shape
    (kh, kw), s = kernel, stride
    oh, ow = (height - kh) // s + 1, (width - kw) // s + 1
    columns = np.zeros((channels, kh, kw, images, oh, ow))
    back = dcolumns.reshape(columns.shape)
    dx = np.zeros(x.shape)
    for c, u, v in np.ndindex(channels, kh, kw):
        seen = slice(None), c, slice(u, u + oh * s, s), slice(v, v + ow * s, s)
        columns[c, u, v] = x[seen][:, :oh, :ow]
        dx[seen] += back[c, u, v]
    return columns.reshape(dcolumns.shape), dx


def paper():
    """The page's columns; with dcolumns = 1, dx counts the windows that saw each pixel."""
    columns = np.array([[1.0, 2, 0, 1], [2, 0, 1, 3], [0, 1, 2, 0], [1, 3, 0, 1]])
    counts = np.array([[[[1.0, 2, 1], [2, 4, 2], [1, 2, 1]]]])
    x = book.names(PAGE[0], book.ON_PAPER)["x"]
    return (x, np.ones((4, 4)), (2, 2), 1), (columns, counts)


def cases():
    rng = np.random.default_rng(10)
    sizes = ((2, 2, 4, 5), (12, 2 * 3 * 3), (2, 3), 1), ((3, 2, 5, 7), (12, 3 * 2 * 3), (3, 2), 2)
    return [
        (rng.standard_normal(x), rng.standard_normal(columns), kernel, stride)
        for x, columns, kernel, stride in sizes
    ]


def library(x, dcolumns, kernel, stride):
    images, channels, *image = x.shape
    output = tuple((n - k) // stride + 1 for n, k in zip(image, kernel))
    window = Window(kernel, (stride, stride), (0, 0), tuple(image), output)
    entries = dcolumns.reshape(channels, *kernel, images, *output)
    return im2col(x, window, Buffers()), col2im(entries, window, Buffers())


def assigning(x, dcolumns, kernel, stride):
    columns, _ = there_and_back(x, dcolumns, kernel, stride)
    dx = np.zeros(x.shape)
    oh, ow = ((n - k) // stride + 1 for n, k in zip(x.shape[2:], kernel))
    back = dcolumns.reshape(x.shape[1], *kernel, len(x), oh, ow)
    for c, u, v, n, i, j in np.ndindex(back.shape):
        dx[n, c, i * stride + u, j * stride + v] = back[c, u, v, n, i, j]
    return columns, dx


def images_last(x, dcolumns, kernel, stride):
    """the columns run over positions first and over images last"""
    columns, dx = there_and_back(x, dcolumns, kernel, stride)
    by_image = columns.reshape(len(columns), len(x), -1)
    return by_image.swapaxes(1, 2).reshape(columns.shape), dx


def taps_first(x, dcolumns, kernel, stride):
    """the rows run over taps first and over channels last"""
    columns, dx = there_and_back(x, dcolumns, kernel, stride)
    by_channel = columns.reshape(x.shape[1], -1, columns.shape[1])
    return by_channel.swapaxes(0, 1).reshape(columns.shape), dx


MISTAKES = Like(Shown("backprop/convolution.md", "Assigning"), assigning), images_last, taps_first
