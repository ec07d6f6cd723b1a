"""10 im2col and col2im: a convolution becomes a matrix product.

Lay the pixels that each output sees into a column. Then y is the kernel, as a row for each filter,
times these columns: one product, which a library does hundreds of times faster than your loops. On
the way back every entry of the columns returns to its pixel, and pixels add up what arrives.

Read: docs/backprop/convolution.md, The code
"""

import numpy as np

# Predict: an image of 3 × 3 has 9 numbers. With a kernel of 2 × 2, how many have its columns?
#   "a" 9        "b" 16        "c" 36
PREDICTION = ...


def there_and_back(x, dcolumns, kernel, stride):
    """columns[(c,u,v), (n,i,j)] = x[n, c, i·s+u, j·s+v], and dx: each entry of dcolumns added to
    the pixel that it comes from. Rows run over c, then u, then v; columns over n, then i, then j.

    x (N, C, H, W), dcolumns (C·KH·KW, N·OH·OW), kernel = (KH, KW), stride s, OH = (H − KH) // s + 1
    → columns, of the shape of dcolumns, and dx (N, C, H, W), float64.
    """
    ...  # about 13 lines
