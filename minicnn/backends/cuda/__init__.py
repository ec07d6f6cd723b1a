"""Hand-written kernels for NVIDIA GPUs: a thread for an image, a pixel or a piece of a product.

Start with `device.py` (what a kernel is and how it is launched), `arrays.py` (how a batch lies in
memory) and `tile.py` (the matrix product behind convolutions and dense layers); the other files
stand beside those of the same name in `backends/numpy`.
"""
