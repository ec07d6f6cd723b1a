"""What a kernel must not do."""

import numpy as np


class Fault(Exception):
    """A kernel did it; the message says which, in which instruction and which thread."""


class Refused(Exception):
    """`what` happens in those of the threads that the mask `where` names."""

    def __init__(self, what: str, where) -> None:
        super().__init__(what)
        self.what, self.first = what, int(np.argmax(where))
