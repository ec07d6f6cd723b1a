"""Where the windows of a convolution or a pooling lie in an image: one formula for all of them.

Output position (i, j) and tap (u, v) meet at the image's pixel

    (i · stride_h + u − top,  j · stride_w + v − left)

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
