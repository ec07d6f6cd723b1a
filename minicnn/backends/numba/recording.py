"""A step written down once, and then done again without its layers.

The kernels of a small network take microseconds each, and so does the Python between two of them:
layers look at shapes, ask for memory and choose a kernel. But every step of an epoch calls the same
kernels with the same arrays, in which only the numbers are others. So the calls of one step are a
list, and going through the list is the next step.

What an operation does to an array must therefore be done by a kernel, or go through `done`.
"""

import threading

from numba import typeof


class Tape(threading.local):
    """Where this thread's calls are written down instead of done; see `Recording`."""

    calls = None


tape = Tape()


class NotRecordableError(RuntimeError):
    """A step looks at numbers, or does what a replay would leave out."""


def done(function, *arguments):
    """function(*arguments), where the function itself calls no kernel. None while it is written."""
    if tape.calls is None:
        return function(*arguments)
    tape.calls.append((function, arguments))
    return None


def on_the_host():
    """Something is done now that a replay would leave out."""
    if tape.calls is not None:
        raise NotRecordableError


class Recording:
    """The calls of `step`. Nothing is done before `replay`; the arrays live as long as this does.

    result: what the step returned, arrays that each replay writes. Raises NotRecordableError for a
    step that cannot be replayed.
    """

    def __init__(self, step) -> None:
        tape.calls = self.calls = []
        try:
            self.result = step()
        finally:
            tape.calls = None
        self.replayed = False

    def replay(self):
        for function, arguments in self.calls:
            function(*arguments)
        if not self.replayed:  # now all are compiled
            self.calls = [(machine_code(f, a), a) for f, a in self.calls]
            self.replayed = True
        return self.result


def machine_code(function, arguments):
    """Of a compiled function that for these arguments: it does not look at their types again."""
    made = getattr(function, "overloads", {}).get(tuple(map(typeof, arguments)))
    return function if made is None else made.entry_point
