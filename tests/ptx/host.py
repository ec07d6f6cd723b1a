"""The host's side of numba.cuda where there is no GPU: arrays, queues, and launches that interpret.

Queues, events and copies take no time here, so all is done when it is asked for.
"""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from itertools import count
from math import prod
from types import SimpleNamespace

import numba
import numpy as np

from minicnn.backends.cuda.device import cuda

from .compiled import GENERATION, Kernel, program
from .counts import Counts
from .machine import Machine
from .memory import Memory, Region

ALIGNED = 256  # bytes; where an array begins
LARGEST_GRID, LARGEST_BLOCK = (2**31 - 1, 65535, 65535), 1024


class State:
    """What outlives a launch: the next free address, the next epoch, who counts and who notes."""

    address, epoch, counts, launches = 1 << 32, 1, None, None


class DeviceArray:
    """A flat array on the pretended device: numbers from `first` on of a memory."""

    def __init__(self, size, dtype, memory=None, address=None, first=0) -> None:
        self.size, self.dtype, self.first = size, np.dtype(dtype), first
        self.nbytes, self.shape = size * self.dtype.itemsize, (size,)
        if memory is None:
            memory, address = Memory(self.nbytes, self.dtype.itemsize), State.address
            State.address += -(-(self.nbytes + ALIGNED) // ALIGNED) * ALIGNED
        self.memory, self.address = memory, address

    def __len__(self) -> int:
        return self.size

    def __reduce__(self):
        raise TypeError("numba-cuda's arrays are neither copied nor pickled")

    def __getitem__(self, part: slice) -> "DeviceArray":
        begin, end, step = part.indices(self.size)
        if step != 1:
            raise NotImplementedError(f"a part of a device array with the step {step}")
        return DeviceArray(
            max(0, end - begin), self.dtype, self.memory, self.address, self.first + begin
        )

    @property
    def start(self) -> int:
        """The first byte in memory."""
        return self.first * self.dtype.itemsize

    def copy_to_host(self, stream=0) -> np.ndarray:
        return self.memory.bytes[self.start : self.start + self.nbytes].view(self.dtype).copy()

    def copy_to_device(self, source, stream=0) -> None:
        source = np.asarray(source.copy_to_host() if isinstance(source, DeviceArray) else source)
        if (source.shape, source.dtype) != (self.shape, self.dtype):
            raise ValueError(
                f"{source.dtype}{source.shape} is copied to {self.dtype}{self.shape} on the device"
            )
        self.memory.fill(self.start, np.ascontiguousarray(source).view(np.uint8))


class Event:
    def record(self, stream=0) -> None: ...

    def wait(self, stream=0) -> None: ...

    def synchronize(self) -> None: ...


def to_device(array, stream=0) -> DeviceArray:
    made = DeviceArray(np.size(array), array.dtype)
    made.copy_to_device(np.reshape(array, -1))
    return made


class Launcher:
    """kernel[blocks, threads, stream](…)"""

    def __init__(self, kernel, blocks, threads, stream=0) -> None:
        self.kernel, self.grid, self.block = kernel, three(blocks), three(threads)
        if any(not 1 <= n <= most for n, most in zip(self.grid, LARGEST_GRID)):
            raise ValueError(f"a grid of {self.grid} blocks; at most {LARGEST_GRID}")
        if not 1 <= prod(self.block) <= LARGEST_BLOCK:
            raise ValueError(f"a block of {self.block} threads; at most {LARGEST_BLOCK}")

    def __call__(self, *arguments) -> None:
        names = inspect.signature(self.kernel.py_func).parameters
        signature, raw, arrays = [], [], []
        for name, argument in zip(names, arguments, strict=True):
            if isinstance(argument, DeviceArray):
                address, size = argument.address + argument.start, argument.dtype.itemsize
                signature.append(numba.from_dtype(argument.dtype)[::1])
                # Numba's own: its owner twice, numbers, bytes of one, address, shape and strides
                fields = (0, 0, argument.size, size, address, argument.size, size)
                raw += [number.to_bytes(8, "little") for number in fields]
                stop = address + argument.nbytes
                arrays.append(Region(name, address, stop, argument.memory, argument.start))
            else:
                signature.append(numba.typeof(argument))
                raw.append(np.asarray(argument, str(signature[-1])).tobytes())
        made = program(self.kernel, tuple(signature))
        machine = Machine(made, self.grid, self.block, raw, arrays, State.epoch, State.counts)
        machine.run()
        if State.launches is not None:
            State.launches.append((self.kernel, self.grid, self.block))
        State.epoch = int(machine.access.epoch.max()) + 1


def three(sizes) -> tuple[int, int, int]:
    sizes = sizes if isinstance(sizes, tuple) else (sizes,)
    return (*(int(size) for size in sizes), 1, 1)[:3]


@contextmanager
def counted() -> Iterator[Counts]:
    """`with counted() as counts:` has what the launches inside did."""
    before, State.counts = State.counts, Counts()
    try:
        yield State.counts
    finally:
        State.counts = before


@contextmanager
def noted() -> Iterator[list]:
    """`with noted() as launches:` has the kernels that are launched inside, with grid and block."""
    before, State.launches = State.launches, []
    try:
        yield State.launches
    finally:
        State.launches = before


def launch_recordings_one_by_one() -> None:
    """There are no CUDA graphs here, which the backend would warn of, and no machine code."""
    import_module("minicnn.backends.cuda.recording").graph_of = lambda launches: (None, None)
    import_module("minicnn.backends.cuda.steps").compile_ahead = lambda launches: None


def install() -> None:
    """From now on numba.cuda's kernels are interpreted, in this process."""
    Kernel.__getitem__ = lambda kernel, arguments: Launcher(kernel, *arguments)
    cuda.is_available = lambda: True
    cuda.device_array = lambda size, dtype: DeviceArray(int(size), dtype)
    cuda.to_device = to_device
    cuda.pinned_array = lambda size, dtype: np.empty(size, dtype)
    numbers = count(1)
    cuda.stream = lambda: next(numbers)
    cuda.event = lambda timing=True: Event()
    cuda.event_elapsed_time = lambda start, end: 0.0
    cuda.synchronize = lambda: None
    free = SimpleNamespace(get_memory_info=lambda: (1 << 40, 1 << 40))
    cuda.current_context = lambda: free
    cuda.get_current_device = lambda: SimpleNamespace(compute_capability=GENERATION)
