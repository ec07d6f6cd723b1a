"""A whole step as one launch: its kernels are written down once and then replayed.

A launch costs the host some microseconds, and a small network's step is dozens of kernels that take
less than that. A CUDA graph is such a step as the driver keeps it: the same kernels with the same
arguments, launched at once. Where the driver makes none, the list is launched kernel by kernel,
which still saves the work of the layers.
"""

import warnings

from .device import SIMULATED, queue, tape


class Recording:
    """What `step` launches. Nothing runs before `replay`; the arrays live as long as this does.

    Raises NotRecordableError, and leaves nothing half done on the device, for a step that reads
    from the device or brings numbers to it.
    """

    def __init__(self, step) -> None:
        self.launches = written_down(step)
        self.graph, self.stream = (None, None) if SIMULATED else graph_of(self.launches)

    def replay(self) -> None:
        if self.graph is None:
            launch_all(self.launches, queue())
        else:
            self.graph.launch(self.stream)


def written_down(step) -> list[tuple]:
    """What `step` launches: (kernel, blocks, threads, arguments). Nothing runs."""
    tape.launches = launches = []
    try:
        step()
    finally:
        tape.launches = None
    return launches


def launch_all(launches, stream):
    for kernel, blocks, threads, arguments in launches:
        kernel[blocks, threads, stream](*arguments)


def graph_of(launches):
    """The launches as a CUDA graph, and the queue as it wants it; None, with a warning, where the
    driver makes none.
    """
    from cuda.core import Device, Stream

    try:
        device = Device()
        device.set_current()
        builder = device.create_graph_builder().begin_building()
        launch_all(launches, builder)
        return builder.end_building().complete(), Stream.from_handle(int(queue()))
    except Exception as error:  # the driver's and the wheels' versions decide what goes wrong
        warnings.warn(f"no CUDA graph, so kernels are launched one by one: {error}", stacklevel=2)
        return None, None
