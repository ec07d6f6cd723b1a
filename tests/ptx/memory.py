"""Memory that notices what must not happen: reads of what nobody wrote, and races.

Two threads race for a number when one writes it, the other reads or writes it too, and nothing
orders them: they are of different blocks, or of one block with no barrier between. (A launch begins
when the one before it has ended, so launches are ordered.) Every cell, which is as many bytes as
the numbers of an array have, therefore knows who wrote it last and who read it last, and when: at
each barrier that a block passes its epoch grows by one.
"""

from typing import NamedTuple

import numpy as np

from .fault import Refused

SEVERAL = -1  # in the place of a thread's or a block's number


class Who(NamedTuple):
    """The threads that execute an instruction: their numbers, and their blocks' with their epochs.

    `launch`: the epoch in which the launch began, later than all of earlier launches.
    """

    thread: np.ndarray
    block: np.ndarray
    epoch: np.ndarray
    launch: int


class Marks:
    """Who touched each cell last."""

    def __init__(self, cells: int) -> None:
        self.thread, self.block, self.epoch = (np.zeros(cells, np.int32) for _ in range(3))

    def raced(self, cells, who: Who):
        """Whether another thread touched the cell in this launch, and no barrier came between."""
        epoch, elsewhere = self.epoch[cells], self.block[cells] != who.block
        beside = (epoch == who.epoch) & (self.thread[cells] != who.thread)
        return (epoch >= who.launch) & (elsewhere | beside)

    def add(self, cells, who: Who) -> None:
        same_block = self.block[cells] == who.block
        block = np.where((self.epoch[cells] < who.launch) | same_block, who.block, SEVERAL)
        alone = ~same_block | (self.epoch[cells] < who.epoch) | (self.thread[cells] == who.thread)
        thread = np.where(alone, who.thread, SEVERAL)
        for mine, marks in ((thread, self.thread), (block, self.block)):
            marks[cells] = mine
            marks[cells[marks[cells] != mine]] = SEVERAL  # threads of this very instruction
        self.epoch[cells] = who.epoch


class Memory:
    """So many bytes. What nobody wrote is NaN, or −1, for hosts that read it all the same."""

    def __init__(self, size: int, cell: int) -> None:
        self.bytes = np.full(-(-size // 16) * 16, 0xFF, np.uint8)
        self.cell = cell
        cells = self.bytes.size // cell
        self.written = np.zeros(cells, bool)
        self.reads, self.writes, self.additions = Marks(cells), Marks(cells), Marks(cells)

    def fill(self, start: int, raw: np.ndarray) -> None:
        """Bytes from the host."""
        self.bytes[start : start + raw.size] = raw
        self.written[start // self.cell : -(-(start + raw.size) // self.cell)] = True

    def touched(self, offsets, size):
        """The cells under numbers of `size` bytes: one, or several each."""
        first = offsets // self.cell
        return [first + k for k in range(max(1, size // self.cell))]

    def load(self, offsets, dtype, who: Who) -> np.ndarray:
        for cells in self.touched(offsets, dtype.itemsize):
            refuse("reads what nobody wrote", ~self.written[cells])
            raced = self.writes.raced(cells, who) | self.additions.raced(cells, who)
            refuse("reads what another thread wrote, with no barrier between", raced)
            self.reads.add(cells, who)
        return self.bytes.view(dtype)[offsets // dtype.itemsize]

    def store(self, offsets, values, who: Who) -> None:
        for cells in self.touched(offsets, self.whole(values.dtype)):
            raced = self.reads.raced(cells, who)
            refuse("writes what another thread read, with no barrier between", raced)
            raced = self.writes.raced(cells, who) | self.additions.raced(cells, who)
            self.writes.add(cells, who)
            raced |= self.writes.thread[cells] == SEVERAL
            refuse("writes what another thread wrote, with no barrier between", raced)
            self.written[cells] = True
        self.bytes.view(values.dtype)[offsets // values.itemsize] = values

    def add(self, offsets, values, who: Who) -> np.ndarray:
        """Atomic additions, which do not race with each other; gives what was there before."""
        for cells in self.touched(offsets, self.whole(values.dtype)):
            refuse("adds to what nobody wrote", ~self.written[cells])
            raced = self.reads.raced(cells, who) | self.writes.raced(cells, who)
            refuse("adds to what another thread read or wrote, with no barrier between", raced)
            self.additions.add(cells, who)
        numbers, places = self.bytes.view(values.dtype), offsets // values.itemsize
        before = np.empty_like(values)
        for k, place in enumerate(places.tolist()):
            before[k] = numbers[place]
            numbers[place] += values[k]
        return before

    def whole(self, dtype) -> int:
        """The size of a number, which must not be a part of a cell."""
        if dtype.itemsize < self.cell:
            raise NotImplementedError(f"{dtype} is written where numbers have {self.cell} bytes")
        return dtype.itemsize


def refuse(what: str, where) -> None:
    if where.any():
        raise Refused(what, where)


class Region(NamedTuple):
    """Addresses from start to stop are a memory's bytes from `first` on."""

    name: str
    start: int
    stop: int
    memory: Memory
    first: int = 0


class Space:
    """The arrays that a launch may touch, at their addresses."""

    def __init__(self, regions) -> None:
        self.regions = []
        for region in sorted(regions, key=lambda r: r.start):
            last = self.regions[-1] if self.regions else None
            if last is not None and region.start < last.stop:  # two views of one memory
                both = {"name": f"{last.name}, {region.name}", "stop": max(last.stop, region.stop)}
                self.regions[-1] = last._replace(**both)
            else:
                self.regions.append(region)
        self.starts = np.array([r.start for r in self.regions], np.int64)
        self.stops = np.array([r.stop for r in self.regions], np.int64)

    def find(self, address, size):
        """For each array that some threads touch: its memory, which threads, and at which bytes."""
        if (address % size).any():
            raise Refused(f"is at an address that is no multiple of {size}", address % size != 0)
        place = np.searchsorted(self.starts, address, side="right") - 1
        outside = (place < 0) | (address + size > self.stops[place])
        if outside.any():
            raise Refused(self.beyond(int(address[np.argmax(outside)])), outside)
        together = (place == place[0]).all()
        for p in place[:1].tolist() if together else np.unique(place).tolist():
            which = slice(None) if together else np.flatnonzero(place == p)
            memory, start, first = self.regions[p].memory, self.starts[p], self.regions[p].first
            yield memory, which, address[which] - start + first

    def beyond(self, address):
        if not self.regions:
            return "is outside of every array: there is none"
        near = min(self.regions, key=lambda r: max(r.start - address, address - r.stop))
        size = near.stop - near.start
        return f"is outside of every array: at byte {address - near.start} of {near.name} ({size})"
