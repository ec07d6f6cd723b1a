"""One launch of a program: its threads are the lanes of NumPy arrays.

Threads go on together as long as they take the same way. Where they part, those that are furthest
behind in the program go first, so that all meet again after an `if` or a loop. At a barrier a
thread waits until nobody can go on; then all of its block must be there.
"""

from math import prod

import numpy as np

from .access import Access, taken_apart
from .arithmetic import prepared
from .fault import Fault, Refused
from .memory import Space
from .operations import dtype_of
from .parse import Instruction, Program
from .registers import ALL, Registers
from .warps import matrix_product


class Machine:
    """grid, block: three numbers each. arguments: the bytes of each parameter. arrays: a Region for
    each array that the kernel may touch. launch: see `memory.Who`. counts: see `counts.Counts`."""

    def __init__(self, program: Program, grid, block, arguments, arrays, launch, counts=None):
        self.program, self.counts = program, counts
        self.parameters = dict(zip(program.parameters, arguments, strict=True))
        self.threads, self.end = prod(block), len(program.code)
        self.lane = np.arange(self.threads * prod(grid), dtype=np.int32)
        self.pc = np.zeros(self.lane.size, np.int32)  # the instruction at which each thread stands
        self.waiting = np.zeros(self.lane.size, bool)
        self.meeting = frozenset(program.labels.values())
        self.registers = Registers(program.registers, grid, block, self.lane, self.threads)
        self.access = Access(program, self.registers, self.lane, self.threads, launch, counts)
        constants = self.access.tables(program)
        self.access.spaces |= {"global": Space(arrays), "const": Space(constants)}

    def run(self) -> None:
        """Raises Fault, and NotImplementedError for an instruction that is not known here."""
        with np.errstate(all="ignore"):
            while (now := self.furthest_behind()) is not None:
                here = ~self.waiting & (self.pc == now)
                self.advance(ALL if here.all() else np.flatnonzero(here), now)

    # ── which threads go on ──────────────────────────────────────────────────────────────────

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
            barrier = self.program.code[pc[lane // self.threads].min()]
            other = "has ended" if self.pc[lane] == self.end else "waits at another one"
            self.fail(barrier, lane, f"is where others of the block wait, but this thread {other}")
        self.access.epoch[blocks] += 1
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
            elif form.opcode == "ret":
                self.pc[lanes], self.pc[chosen] = now + 1, self.end
                return
            elif form.opcode == "bar":
                if form.name != "bar.sync" or form.operands != ("0",) or chosen is not lanes:
                    raise NotImplementedError(form.text)
                if lanes is not ALL:
                    self.pc[lanes], self.waiting[lanes] = now, True
                    return
                self.access.epoch += 1
                now += 1
            else:
                self.execute(form, chosen)
                now += 1
        self.pc[lanes] = now

    def guarded(self, form: Instruction, lanes):
        """Those of the threads whose predicate is as wanted; None for none."""
        takes_part = self.registers.read(form.guard, BOOL, lanes) == form.wanted
        if takes_part.all():
            return lanes
        return self.lane[lanes][takes_part] if takes_part.any() else None

    # ── what they do ─────────────────────────────────────────────────────────────────────────

    def execute(self, form: Instruction, lanes) -> None:
        try:
            if form.space == "param":
                self.parameter(form, lanes)
            elif form.opcode in TOUCHING:
                TOUCHING[form.opcode](self.access, form, lanes)
            elif form.opcode == "mov" and "{" in form.operands[0] + form.operands[1]:
                self.registers.regroup(form, lanes)
            elif form.opcode == "mma":
                matrix_product(form, self.registers, self.lane[lanes], self.threads)
            else:
                self.compute(form, lanes)
        except Refused as refused:
            lane = self.lane[lanes]
            self.fail(form, int(lane[min(refused.first, lane.size - 1)]), refused.what)

    def parameter(self, form, lanes):
        to, operand = form.operands
        name, offset = taken_apart(operand)
        dtype = dtype_of(form.types[-1])
        raw = self.parameters[name][offset : offset + dtype.itemsize]
        self.registers.write(to, np.frombuffer(raw, dtype), lanes)

    def compute(self, form, lanes):
        apply, takes, gives = prepared(form)
        to, *operands = form.operands
        values = [self.registers.read(name, dtype, lanes) for name, dtype in zip(operands, takes)]
        self.registers.write(to, apply(form, *values).astype(gives, copy=False), lanes)

    def fail(self, form, lane, what):
        thread, block = lane % self.threads, lane // self.threads
        name, text = self.program.name, form.text
        raise Fault(f"{name}: thread {thread} of block {block}: `{text}` {what}") from None


BOOL = dtype_of("pred")
TOUCHING = {"ld": Access.load, "st": Access.store, "atom": Access.add, "red": Access.add}
