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
    """Where this thread's calls are written down; see `Recording`."""

    calls = None


tape = Tape()


def done(function, *arguments):
    """function(*arguments), where the function itself calls no kernel."""
    if tape.calls is not None:
        tape.calls.append((function, arguments))
    return function(*arguments)


def on_the_host():
    """Something is done that a replay would leave out: what is being recorded is no use."""
    tape.calls = None


class Recording:
    """The calls of `step`, which is done while they are written down.

    result: what it returned; where that is an array, each replay writes it again. The calls' arrays
    live as long as this does. calls: None where a replay would leave something out.
    """

    def __init__(self, step) -> None:
        tape.calls = []
        try:
            self.result = step()
        finally:
            calls, tape.calls = tape.calls, None
        self.calls = calls and [(machine_code(f, a), a) for f, a in calls]

    def replay(self):
        for function, arguments in self.calls:
            function(*arguments)
        return self.result


def machine_code(function, arguments):
    """Of a compiled function that for these arguments: it does not look at their types again."""
    made = getattr(function, "overloads", {}).get(tuple(map(typeof, arguments)))
    return function if made is None else made.entry_point
