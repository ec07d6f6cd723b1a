"""Compiled for the CPU: images lie side by side, one in each lane of a vector register.

Start with `layout.py` (how a batch lies in memory) and `runtime.py` (how a kernel is compiled and
shared out to threads); the other files stand beside those of the same name in `backends/numpy`.
"""

from . import runtime  # noqa: F401 - first, for numba reads the environment when it is imported
