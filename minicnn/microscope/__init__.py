"""A training step under the microscope: one HTML file in which every number can be pointed at.

`recorded.py` says what of a network goes into the file, `written.py` puts the file together. The
page itself is JavaScript: `layers/` and `engine/` compute, `page/` shows.
"""

from .recorded import Step, step
from .written import write

__all__ = ["Step", "step", "write"]
