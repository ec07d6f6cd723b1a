"""One launch of a program. Its threads are the lanes of NumPy arrays, and go on together as long as
they take the same way; where they part, those that are furthest behind go first, so that all meet
again after an `if` or a loop.

A register whose value is the same in all threads is an array of one number.
"""

import re
from functools import cache
from math import prod

import numpy as np

from .arithmetic import OPERATIONS, dtype_of
from .fault import Fault, Refused
from .memory import Memory, Region, Space, Who
from .parse import Instruction, Program, parts, size_of

ALL = slice(None)  # lanes
GAP = 256  # bytes between arrays in shared memory: nothing is lost, and no neighbour is hit


class Machine:
    """grid, block: three numbers each. arguments: the bytes of each parameter. arrays: a Region for
    each array that the kernel may touch. launch: see `memory.Who`. counts: see `counts.Counts`."""

    def __init__(self, program: Program, grid, block, arguments, arrays, launch, counts=None):
        self.program, self.launch, self.counts = program, launch, counts
        self.parameters = dict(zip(program.parameters, arguments, strict=True))
        self.threads, blocks = prod(block), prod(grid)
        self.lanes, self.end = self.threads * blocks, len(program.code)
        self.lane = np.arange(self.lanes, dtype=np.int32)
        self.block = self.lane // self.threads
        self.epoch = np.full(blocks, launch, np.int32)
        self.pc = np.zeros(self.lanes, np.int32)
        self.waiting = np.zeros(self.lanes, bool)
        self.meeting = frozenset(program.labels.values())
        self.values = {}  # registers' bits, and the numbers that the hardware gives each thread
        self.number("tid", "ntid", block, self.lane % self.threads)
        self.number("ctaid", "nctaid", grid, self.block)
        self.spaces = {"shared": self.place_shared(blocks), "global": self.place_arrays(arrays)}
        self.spaces["const"] = self.spaces["global"]

    def number(self, own, of, sizes, position):
        """%tid.x … and %ntid.x …, or those of blocks."""
        for axis, size in zip("xyz", sizes):
            self.values[f"%{own}.{axis}"] = (position % size).astype(np.uint32)
            self.values[f"%{of}.{axis}"] = np.array([size], np.uint32)
            position = position // size

    def place_shared(self, blocks):
        """Shared arrays: each block has its own bytes at the same addresses."""
        tables, regions, top = [t for t in self.program.tables if t.space == "shared"], [], GAP
        widths = [size_of(i.types[-1]) for i in self.program.code if i.space == "shared"]
        starts = {}
        for table in tables:
            starts[table.name] = top = -(-top // table.align) * table.align
            top = -(-(top + table.size + GAP) // GAP) * GAP
        self.per_block, memory = top, Memory(top * blocks if tables else 0, min(widths, default=4))
        for table in tables:
            start = starts[table.name]
            self.values[table.name] = np.array([start], np.uint64)
            regions.append(Region(table.name, start, start + table.size, memory, start))
        return Space(regions)

    def place_arrays(self, arrays):
        regions, top = list(arrays), GAP
        for table in self.program.tables:
            if table.bytes is not None:
                memory = Memory(table.size, 1)
                memory.fill(0, table.bytes)
                self.values[table.name] = np.array([top], np.uint64)
                regions.append(Region(table.name, top, top + table.size, memory))
                top = -(-(top + table.size + GAP) // GAP) * GAP
        return Space(regions)

    # ── which threads go on ──────────────────────────────────────────────────────────────────

    def run(self) -> None:
        """Raises Fault, and NotImplementedError for an instruction that is not known here."""
        with np.errstate(all="ignore"):
            while (now := self.furthest_behind()) is not None:
                here = ~self.waiting & (self.pc == now)
                self.advance(ALL if here.all() else np.flatnonzero(here), now)

    def furthest_behind(self):
        """The first instruction at which threads stand that can go on; None when all have ended."""
        ready = ~self.waiting & (self.pc < self.end)
        if not ready.any() and self.waiting.any():
            self.release()
            ready = self.pc < self.end
        return int(self.pc[ready].min()) if ready.any() else None

    def release(self):
        """All threads have ended or wait: every block must be whole and at one barrier."""
        waiting, pc = self.waiting.reshape(-1, self.threads), self.pc.reshape(-1, self.threads)
        blocks = waiting.any(axis=1)
        astray = (pc != pc.min(axis=1, keepdims=True)) & blocks[:, None]
        if astray.any():
            lane = int(np.argmax(astray))
            ended = self.pc[lane] == self.end
            barrier = self.program.code[int(pc[lane // self.threads].min())]
            other = "has ended" if ended else f"waits at another, number {self.pc[lane]}"
            self.fail(barrier, lane, f"is waited for by threads of the block, but this one {other}")
        self.epoch[blocks] += 1
        pc[blocks] += 1
        waiting[:] = False

    def advance(self, lanes, now):
        """Let these threads go on until they part, wait, end, or may meet others."""
        first = now
        while now < self.end and (lanes is ALL or now == first or now not in self.meeting):
            form, first = self.program.code[now], None
            chosen = lanes if form.guard is None else self.guarded(form, lanes)
            if chosen is None:
                now += 1
                continue
            if self.counts is not None:
                self.counts.instructions[form.name] += self.lane[chosen].size
            if form.opcode == "bra":
                target = self.program.labels[form.operands[0]]
                if chosen is not lanes:
                    self.pc[lanes], self.pc[chosen] = now + 1, target
                    return
                now = target
            elif form.opcode in ("ret", "exit"):
                self.pc[lanes], self.pc[chosen] = now + 1, self.end
                return
            elif form.opcode == "bar":
                if form.operands != ("0",) or chosen is not lanes:
                    raise NotImplementedError(form.text)
                if lanes is not ALL:
                    self.pc[lanes], self.waiting[lanes] = now, True
                    return
                self.epoch += 1
                now += 1
            else:
                self.execute(form, chosen)
                now += 1
        self.pc[lanes] = now

    def guarded(self, form: Instruction, lanes):
        """Those of the threads whose predicate is as wanted; None for none."""
        takes_part = self.read(form.guard, "pred", lanes) == form.wanted
        if takes_part.all():
            return lanes
        return self.lane[lanes][takes_part] if takes_part.any() else None

    # ── what they do ─────────────────────────────────────────────────────────────────────────

    def execute(self, form: Instruction, lanes) -> None:
        try:
            if form.opcode in MEMORY:
                MEMORY[form.opcode](self, form, lanes)
            elif form.opcode == "cvta":  # all addresses here are those of their space
                if form.modifiers != {"to"} and form.space != "global":
                    raise NotImplementedError(form.text)
                self.write(form.operands[0], self.read(form.operands[1], "u64", lanes), lanes)
            elif "{" in form.operands[0] + form.operands[1]:
                self.regroup(form, lanes)
            else:
                self.compute(form, lanes)
        except Refused as refused:
            lane = self.lane[lanes][min(refused.first, self.lane[lanes].size - 1)]
            self.fail(form, int(lane), refused.what)

    def fail(self, form, lane, what):
        thread, block = lane % self.threads, lane // self.threads
        name, text = self.program.name, form.text
        raise Fault(f"{name}: thread {thread} of block {block}: `{text}` {what}") from None

    def compute(self, form: Instruction, lanes) -> None:
        known = OPERATIONS.get(form.opcode)
        if known is None or form.modifiers - known.modifiers:
            raise NotImplementedError(form.text)
        own = form.types[-1]
        operands = form.operands[1:]
        takes = (*known.takes, *[None] * len(operands))
        values = [
            self.read(operand, kind(form) if callable(kind) else kind or own, lanes)
            for operand, kind in zip(operands, takes)
        ]
        result = known.compute(form, *values)
        gives = known.gives(form) if callable(known.gives) else known.gives or own
        self.write(form.operands[0], result.astype(dtype_of(gives), copy=False), lanes)

    def regroup(self, form, lanes):
        """`mov.b64 {%r1, %r2}, %rd1`: the lower half, then the upper one; or both to one."""
        to, since = map(parts, form.operands)
        whole = form.types[-1]
        half = f"b{8 * size_of(whole) // max(len(to), len(since))}"
        kind, dtype = (whole, dtype_of(half)) if len(since) == 1 else (half, dtype_of(whole))
        values = np.broadcast_arrays(*(self.read(part, kind, lanes) for part in since))
        bits = np.stack(values, axis=1).view(dtype)
        for register, value in zip(to, bits.T):
            self.write(register, np.ascontiguousarray(value), lanes)

    # ── registers ────────────────────────────────────────────────────────────────────────────

    def read(self, operand: str, kind: str, lanes) -> np.ndarray:
        """A register's or another operand's values as numbers of that type."""
        bits = self.values.get(operand)
        if bits is None:
            return constant(operand, kind)
        if len(bits) > 1:
            bits = bits[lanes]
        dtype = dtype_of(kind)
        if bits.itemsize > dtype.itemsize:
            bits = bits.astype(f"u{dtype.itemsize}")
        return bits.view(dtype)

    def write(self, register: str, value: np.ndarray, lanes) -> None:
        """Narrower numbers are filled up, signed ones with their sign."""
        kind = dtype_of(self.program.registers[register])
        if value.itemsize < kind.itemsize:
            value = value.astype(f"{value.dtype.kind}{kind.itemsize}")
        bits = value.view(kind)
        if lanes is not ALL:
            old = self.values.get(register, np.zeros(1, kind))
            everywhere = np.array(np.broadcast_to(old, self.lanes))
            everywhere[lanes] = bits
            bits = everywhere
        self.values[register] = bits

    # ── memory ───────────────────────────────────────────────────────────────────────────────

    def address(self, operand, lanes):
        """Of `[%rd1+16]`, for each of the threads."""
        base, offset = taken_apart(operand)
        address = self.read(base, "u64", lanes).view(np.int64) + offset
        return np.broadcast_to(address, self.lane[lanes].shape)

    def touch(self, form, kind, operand, lanes, action):
        """Check and count an access of these threads. For every array that some of them touch:
        action(its memory, which of them, the byte at which each begins, who they are)."""
        size = size_of(form.types[-1]) * form.vector
        if form.space not in self.spaces or form.modifiers - {"nc", "add"}:
            raise NotImplementedError(form.text)
        address, lane, block = self.address(operand, lanes), self.lane[lanes], self.block[lanes]
        if self.counts is not None:
            self.count(form.space, kind, address, size, lane)
        for memory, which, offsets in self.spaces[form.space].find(address, size):
            blocks = block[which]
            if form.space == "shared":
                offsets = offsets + blocks.astype(np.int64) * self.per_block
            who = Who(lane[which], blocks, self.epoch[blocks], self.launch)
            try:
                action(memory, which, offsets, who)
            except Refused as refused:
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
        if form.space == "param":
            base, offset = taken_apart(operand)
            raw = self.parameters[base][offset : offset + dtype.itemsize]
            self.write(to, np.frombuffer(raw, dtype), lanes)
            return
        values = np.empty((len(registers), self.lane[lanes].size), dtype)

        def action(memory, which, offsets, who):
            for k in range(len(registers)):
                values[k, which] = memory.load(offsets + k * dtype.itemsize, dtype, who)

        self.touch(form, "read", operand, lanes, action)
        for register, value in zip(registers, values):
            self.write(register, value, lanes)

    def store(self, form: Instruction, lanes) -> None:
        operand, source = form.operands
        values = [self.of_each(part, form, lanes) for part in parts(source)]

        def action(memory, which, offsets, who):
            for k, value in enumerate(values):
                memory.store(offsets + k * value.itemsize, value[which], who)

        self.touch(form, "written", operand, lanes, action)

    def atomic(self, form: Instruction, lanes) -> None:
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
            self.write(to[0], before, lanes)

    def of_each(self, operand, form, lanes):
        value = self.read(operand, form.types[-1], lanes)
        return np.broadcast_to(value, self.lane[lanes].shape)


MEMORY = {"ld": Machine.load, "st": Machine.store, "atom": Machine.atomic, "red": Machine.atomic}


@cache
def taken_apart(operand: str) -> tuple[str, int]:
    """[%rd1+16] → %rd1, 16."""
    base, _, offset = operand.strip("[] ").partition("+")
    return base, int(offset or 0)


@cache
def constant(text: str, kind: str) -> np.ndarray:
    """0f3F800000 and 0d3FF0000000000000 are the bits of floats, all others whole numbers."""
    dtype = dtype_of(kind)
    if bits := re.fullmatch(r"0[fF]([0-9a-fA-F]{8})|0[dD]([0-9a-fA-F]{16})", text):
        number = int(bits[1] or bits[2], 16)
    elif re.fullmatch(r"-?\d+|0x[0-9a-fA-F]+", text):
        number = int(text, 0)
    else:
        raise NotImplementedError(f"the operand {text}, or it was never written")
    if kind == "pred":
        return np.array([bool(number)])
    return np.array([number % (1 << 8 * dtype.itemsize)], f"u{dtype.itemsize}").view(dtype)
