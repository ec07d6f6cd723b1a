"""Where the windows of a convolution or a pooling lie in an image: one formula for all of them.

Output position (i, j) and tap (u, v) meet at the image's pixel

    (i · stride_h + u · dilation_h − top,  j · stride_w + v · dilation_w − left)

and taps that fall outside the image meet the padding. Padding below and to the right needs no
number of its own: it is whatever the output size makes the last windows reach. So "same" padding
of an even kernel and a pooling with a ragged edge (ceil_mode) are this formula too.
"""

from typing import NamedTuple


class Window(NamedTuple):
    kernel: tuple[int, int]  # taps (KH, KW)
    stride: tuple[int, int]
    padding: tuple[int, int]  # rows above, columns to the left: (top, left)
    image: tuple[int, int]  # (H, W)
    output: tuple[int, int]  # (OH, OW)
    dilation: tuple[int, int] = (1, 1)  # from one tap to the next; of poolings always 1

    @property
    def reach(self) -> tuple[int, int]:
        return reach(self.kernel, self.dilation)


def reach(kernel: tuple[int, int], dilation: tuple[int, int]) -> tuple[int, int]:
    """Rows and columns from a window's first tap to its last: d · (k − 1) + 1."""
    (kh, kw), (dh, dw) = kernel, dilation
    return dh * (kh - 1) + 1, dw * (kw - 1) + 1
