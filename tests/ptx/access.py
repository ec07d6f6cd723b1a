"""Loads, stores and atomic additions of a launch: where its arrays are, and who touches them."""

from functools import cache

import numpy as np

from .fault import Refused
from .memory import Memory, Region, Space, Who
from .operations import dtype_of
from .parse import Instruction, Program, parts, size_of
from .registers import Registers, spread

ADDRESS = np.dtype(np.int64)
GAP = 256  # bytes between arrays of a program, so that what goes beyond one does not hit another


class Access:
    """See `machine.Machine` for the arguments. epoch: of each block; it grows at barriers."""

    def __init__(self, program: Program, registers: Registers, lane, threads, launch, counts):
        self.registers, self.lane, self.threads = registers, lane, threads
        self.block, self.launch, self.counts = lane // threads, launch, counts
        self.epoch = np.full(lane.size // threads, launch, np.int32)
        self.spaces = {"shared": self.shared(program)}

    def shared(self, program):
        """Shared arrays: each block has its own bytes at the same addresses."""
        tables, end, starts = [t for t in program.tables if t.space == "shared"], 0, []
        for table in tables:
            starts.append(-(-(end + GAP) // table.align) * table.align)
            end = starts[-1] + table.size
        widths = [size_of(form.types[-1]) for form in program.code if form.space == "shared"]
        self.per_block = -(-end // GAP) * GAP
        memory = Memory(self.per_block * self.epoch.size, min(widths, default=4))
        return Space([self.placed(table, at, memory, at) for table, at in zip(tables, starts)])

    def tables(self, program):
        """Constants, which no instruction writes, at addresses that no array has."""
        end = 0
        for table in program.tables:
            if table.bytes is not None:
                start = -(-(end + GAP) // table.align) * table.align
                end, memory = start + table.size, Memory(table.size, 1)
                memory.fill(0, table.bytes)
                yield self.placed(table, start, memory, 0)

    def placed(self, table, start, memory, first):
        self.registers.values[table.name] = np.array([start], np.uint64)
        return Region(table.name, start, start + table.size, memory, first)

    def touch(self, form: Instruction, kind, operand, lanes, action) -> None:
        """Check and count an access of these threads. For every array that some of them touch:
        action(its memory, which of them, the byte at which each begins, who they are)."""
        size = size_of(form.types[-1]) * form.vector
        if form.space not in self.spaces or form.modifiers - {"nc", "add"}:
            raise NotImplementedError(form.text)
        lane, block = self.lane[lanes], self.block[lanes]
        base, offset = taken_apart(operand)
        address = spread(self.registers.read(base, ADDRESS, lanes) + offset, lane.size)
        if self.counts is not None:
            self.count(form.space, kind, address, size, lane)
        for memory, which, offsets in self.spaces[form.space].find(address, size):
            blocks = block[which]
            if form.space == "shared":
                offsets = offsets + blocks.astype(np.int64) * self.per_block
            who = Who(lane[which], blocks, self.epoch[blocks], self.launch)
            try:
                action(memory, which, offsets, who)
            except Refused as refused:  # its `first` is one of this array's
                refused.first = int(np.arange(lane.size)[which][refused.first])
                raise

    def count(self, space, kind, address, size, lane):
        self.counts.bytes[space, kind] += size * lane.size
        if space == "shared":
            thread, warps = lane % self.threads, -(-self.threads // 32)
            warp = lane.astype(np.int64) // self.threads * warps + thread // 32
            self.counts.shared(address, size, warp, thread % 32)

    def load(self, form: Instruction, lanes) -> None:
        to, operand = form.operands
        dtype, registers = dtype_of(form.types[-1]), parts(to)
        values = np.empty((len(registers), self.lane[lanes].size), dtype)

        def action(memory, which, offsets, who):
            for k in range(len(registers)):
                values[k, which] = memory.load(offsets + k * dtype.itemsize, dtype, who)

        self.touch(form, "read", operand, lanes, action)
        for register, value in zip(registers, values):
            self.registers.write(register, value, lanes)

    def store(self, form: Instruction, lanes) -> None:
        operand, source = form.operands
        values = [self.of_each(part, form, lanes) for part in parts(source)]

        def action(memory, which, offsets, who):
            for k, value in enumerate(values):
                memory.store(offsets + k * value.itemsize, value[which], who)

        self.touch(form, "written", operand, lanes, action)

    def add(self, form: Instruction, lanes) -> None:
        """`atom` also gives the number that was there before, `red` does not."""
        *to, operand, source = form.operands
        if form.modifiers != {"add"} or form.types[-1][0] == "f":
            raise NotImplementedError(form.text)
        values = self.of_each(source, form, lanes)
        before = np.empty_like(values)

        def action(memory, which, offsets, who):
            before[which] = memory.add(offsets, values[which], who)

        self.touch(form, "added", operand, lanes, action)
        if to:
            self.registers.write(to[0], before, lanes)

    def of_each(self, operand, form, lanes):
        value = self.registers.read(operand, dtype_of(form.types[-1]), lanes)
        return spread(value, self.lane[lanes].size)


@cache
def taken_apart(operand: str) -> tuple[str, int]:
    """[%rd1+16] → %rd1, 16."""
    base, _, offset = operand.strip("[] ").partition("+")
    return base, int(offset or 0)
